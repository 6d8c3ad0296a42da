package harness

import (
	"runtime"

	"github.com/concprof/concprof/probes/record"
)

// runClassify runs one op after another on one OS thread, whose clocks are
// read before the first and after the last: what the thread computed, and
// how long it was ready to but had no processor. With several steps an op,
// the clocks are also read between the steps of some ops.
func runClassify(src source, s *slot, m *missing) *record.Thread {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := openThread(m)
	defer r.close()
	if len(s.steps) > 1 {
		s.stepClock = newStepClock(r, len(s.steps))
	}
	before := r.read()
	runSequential(src, s)
	after := r.read()
	return &record.Thread{
		CPUNs:      int64(after.cpu - before.cpu),
		RunnableNs: int64(after.runnable - before.runnable),
	}
}
