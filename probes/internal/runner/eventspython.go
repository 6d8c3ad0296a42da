package runner

import (
	"fmt"

	"github.com/concprof/concprof/probes/record"
)

// Bounds on what a Python probe may report of an event loop.
const (
	maxTasks  = 256
	maxAwaits = 64
	maxFrames = 128
)

// checkPython refuses what no Python trial can have. Numbers of the reader are
// the reader's to report; a probe only has its own, approximate ones.
func checkPython(r *record.Record) error {
	if r.Python != nil && r.Python.Approximate == "" {
		r.Python = nil
	}
	if p := r.Python; p != nil {
		p.Approximate = clip(p.Approximate, maxNote)
		for name, n := range map[string]int64{
			"samples": p.Samples, "torn": p.Torn, "window_ns": p.WindowNs, "python_ns": p.PythonNs,
			"native_gil_ns": p.NativeGILNs, "native_ns": p.NativeNs, "gil_wait_ns": p.GILWaitNs,
			"blocked_gil_ns": p.BlockedGILNs, "blocked_ns": p.BlockedNs, "runnable_ns": p.RunnableNs,
		} {
			if n < 0 {
				return fmt.Errorf("python.%s is %d", name, n)
			}
		}
	}
	if r.Loop == nil {
		return nil
	}
	l := r.Loop
	for name, n := range map[string]int64{
		"idle_ns": l.IdleNs, "busy_ns": l.BusyNs, "turns": l.Turns, "longest_turn_ns": l.LongestTurnNs,
		"cpu_ns": l.CPUNs, "blocking_ns": l.BlockingNs,
	} {
		if n < 0 {
			return fmt.Errorf("loop.%s is %d", name, n)
		}
	}
	clipFrame(l.Blocking)
	return checkTasks(l.Tasks)
}

func checkTasks(t *record.Tasks) error {
	switch {
	case t == nil:
		return nil
	case t.Sampled < 0 || t.Sampled > maxTasks:
		return fmt.Errorf("%d sampled tasks, more than %d", t.Sampled, maxTasks)
	case t.Steps < 0 || t.LongestStepNs < 0 || t.WallNs < 0 || t.StepNs < 0:
		return fmt.Errorf("tasks with %d steps, the longest of %d ns, %d of %d ns", t.Steps, t.LongestStepNs, t.StepNs, t.WallNs)
	case len(t.Awaits) > maxAwaits:
		return fmt.Errorf("%d awaits, more than %d", len(t.Awaits), maxAwaits)
	}
	clipFrame(t.LongestStep)
	for i := range t.Awaits {
		a := &t.Awaits[i]
		if a.WallNs < 0 || a.Count < 0 || len(a.Frames) > maxFrames {
			return fmt.Errorf("await %d: %d ns, %d times, %d frames", i, a.WallNs, a.Count, len(a.Frames))
		}
		for k := range a.Frames {
			clipFrame(&a.Frames[k])
		}
	}
	return nil
}

func clipFrame(f *record.Frame) {
	if f != nil {
		f.Function, f.File = clip(f.Function, 256), clip(f.File, 1024)
		f.Line = max(f.Line, 0)
	}
}
