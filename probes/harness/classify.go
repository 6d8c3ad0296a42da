package harness

import (
	"runtime"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// runClassify runs one op after another on one OS thread, whose clocks are
// read before the first and after the last: what the thread computed, and
// how long it was ready to but had no processor. With several steps an op,
// the clocks are also read between the steps of some ops. The time for which
// max_rate holds the next op back is no op's: it is taken off.
func runClassify(src *feed, s *slot, m *missing) *record.Thread {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := openThread(m)
	defer r.close()
	if len(s.steps) > 1 {
		s.stepClock = newStepClock(r, len(s.steps))
	}
	var held threadSpan // between ops
	src.pace.rest = func(d time.Duration) {
		before := r.read()
		time.Sleep(d)
		held.add(before, r.read())
	}
	before := r.read()
	runSequential(src, s)
	after := r.read()
	return &record.Thread{
		CPUNs:       int64(max(0, after.cpu-before.cpu-held.cpu)),
		RunnableNs:  int64(max(0, after.runnable-before.runnable-held.runnable)),
		PausedNs:    int64(held.wall),
		PausedCPUNs: int64(held.cpu),
	}
}
