package profile

import (
	"strings"

	"github.com/concprof/concprof/probes/record"
)

// traceDepth is how many frames of a stack the execution tracer keeps
// (runtime/tracestack.go).
const traceDepth = 128

// A Park is a stretch of a goroutine's life in which it was not running by
// itself: parked by the runtime, or in a system call or in C.
type Park struct {
	State State       // Blocked, Ambiguous, or Running for calls that never block
	Wait  record.Wait // what it means, "" when Running
	GC    bool        // for garbage collection
	// Handed says that another goroutine, or a timer, ends it: a channel, a
	// select or a condition.
	Handed bool
	// Op says that it is within an op: the anchor is on the stack.
	Op bool
}

// reasons are the words that the runtime has for why it parks a goroutine
// (traceBlockReasonStrings in runtime/traceruntime.go, Go 1.22 to 1.26), as far
// as they tell what is waited for.
var reasons = map[string]raw{
	"network":           rawPoll,
	"select":            rawChan,
	"chan receive":      rawChan,
	"chan send":         rawChan,
	"forever":           rawChan,
	"sleep":             rawTimer,
	"sync.(*Cond).Wait": rawCond,
}

// Parked tells what a goroutine waits for that the runtime parked for a reason,
// in its own words, at a stack, leaf first. The reason is the runtime's; the
// table of libraries says what it stands for. Without a reason the leaf frames
// stand for it.
func (o Options) Parked(reason string, frames []Frame) Park {
	r, known := reasons[reason]
	switch {
	case known:
	case reason == "sync":
		r = rawSemaphore(frames)
	default:
		r = rawRuntime
		if leaf := unparked(frames); reason == "" && len(leaf) > 0 {
			r = rawPark(leaf)
		}
	}
	p := o.park(r, frames)
	p.GC = p.GC || r == rawRuntime && (strings.HasPrefix(reason, "GC ") || reason == "wait until GC ends")
	return p
}

// InSystemCall tells the same of a goroutine in a system call or in C, where it
// may be busy or asleep.
func (o Options) InSystemCall(frames []Frame) Park {
	if len(frames) > 0 && rawOf(frames) == rawCgo {
		return o.park(rawCgo, frames)
	}
	return o.park(rawSyscall, frames)
}

func (o Options) park(r raw, frames []Frame) Park {
	o = o.WithDefaults()
	p := Park{Handed: r&(rawChan|rawCond) != 0}
	if i := anchored(frames, o.Anchor); i >= 0 {
		var who owner
		who, frames = o.below(frames[:i+1])
		p.Op = who == ofOp
	} else {
		p.Op = len(frames) >= traceDepth // the root side was cut off
	}
	w := o.waitAs(r, frames)
	p.State, p.Wait, p.GC = w.state, w.kind, w.gc
	return p
}

// unparked returns the frames below those in which the runtime parks.
func unparked(frames []Frame) []Frame {
	for len(frames) > 0 && (frames[0].Function == "runtime.gopark" || frames[0].Function == "runtime.goparkunlock") {
		frames = frames[1:]
	}
	return frames
}
