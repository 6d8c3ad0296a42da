package python

import "testing"

// driven drives a coroutine under a clock that the test moves.
const driven = `
import types
from concprof_probe import awaits
clock = [0]
def pass_(ns): clock[0] += ns
def chain_of(coro):
    pass_(1000)
    return (), "timer"
awaits.now, awaits.await_chain = lambda: clock[0], chain_of

@types.coroutine
def pause():
    pass_(7)
    yield
async def op():
    await pause()
    await pause()
    pass_(5)
    return 3

tally = awaits.Tally()
assert tally.takes()
steps = tally.drive(op())
try:
    while True:
        next(steps)
        pass_(50)
except StopIteration as e:
    assert e.value == 3
told = tally.told()
assert (told["steps"], told["step_ns"], told["longest_step_ns"], told["wall_ns"]) == (3, 19, 7, 2119), told
assert [(a["wall_ns"], a["count"]) for a in told["awaits"]] == [(100, 2)], told

# A longest step that is the last of its task is placed where it began, not where that of another ended.
tally.place = ("other", "/ops/ops.py", 3)
awaits.await_chain = lambda coro: ((("last", "/ops/ops.py", coro.cr_frame.f_lineno),), "timer")
async def last():
    await pause()
    await pause()
    pass_(9)
steps = tally.drive(last())
try:
    while True:
        next(steps)
except StopIteration:
    pass
line = last.__code__.co_firstlineno + 2
assert tally.longest == 9 and tally.place == ("last", "/ops/ops.py", line), (tally.told(), line)
assert [tally.takes() for _ in range(300)].count(True) == 255
`

// TestDriven holds that a step's time is the op's alone: what it takes to look
// at what it awaits is none of it.
func TestDriven(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) { script(t, python, driven, "") })
}

// blocked keeps a loop, in a function of a file, and says which state its
// thread is in.
const blocked = `
import asyncio, threading, time
from concprof_probe import loopwatch
assert loopwatch.state_of(threading.get_native_id()) == b"R"
ops = {"time": time}
exec(compile("def hold(): time.sleep(0.05)", "/ops/ops.py", "exec"), ops)

async def turns(most):
    watch = loopwatch.LoopWatch(asyncio.get_running_loop(), True)
    watch.reset(loopwatch.now())
    for _ in range(most):
        await asyncio.sleep(0)
        ops["hold"]()
        if watch.blocked:
            break
    watch.close(loopwatch.now())
    return watch.told()

loopwatch.state_of = lambda tid: b"S"
told = asyncio.run(turns(100))
assert told["blocking"]["function"] == "hold" and 0 < told["blocking_ns"] <= told["busy_ns"], told
loopwatch.state_of = lambda tid: b"R"
told = asyncio.run(turns(4))
assert "blocking" not in told, told
`

// TestBlocked holds that a call is said to block the loop if its thread sleeps
// in it, and not if it has no processor to go on with.
func TestBlocked(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) { script(t, python, blocked, "") })
}
