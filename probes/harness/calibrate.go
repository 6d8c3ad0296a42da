package harness

import (
	"fmt"
	"math"
	"runtime"
	"time"
)

const (
	// calibrationTime is how much CPU time one measurement of a unit takes.
	// A clock of microseconds then errs by less than 0.1 %.
	calibrationTime = 20 * time.Millisecond
	// calibrationRounds is how many measurements the quickest is taken of:
	// neighbours can only make a unit slower.
	calibrationRounds = 3
)

// calibrate fills in, for every step of built-in CPU work whose amount is
// not fixed, how many units make up the time that it asks for, and returns
// the amounts of all steps, 0 for steps of other kinds.
func calibrate(spec *Spec) ([]int64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	iterations := make([]int64, len(spec.Steps))
	units := make(map[string]time.Duration)
	for i := range spec.Steps {
		s := &spec.Steps[i]
		work, ok := s.cpuWork()
		if !ok {
			continue
		}
		if s.Iterations <= 0 {
			if s.ForNs <= 0 {
				return nil, fmt.Errorf("step %s: CPU work without iterations or a time", s.Name)
			}
			if units[work] == 0 {
				u, err := newUnit(work)
				if err != nil {
					return nil, fmt.Errorf("step %s: %w", s.Name, err)
				}
				units[work] = unitTime(u)
			}
			s.Iterations = max(1, int64(math.Round(float64(s.ForNs)/float64(units[work]))))
		}
		iterations[i] = s.Iterations
	}
	return iterations, nil
}

// cpuWork names the CPU work of a step, if it has some.
func (s *Step) cpuWork() (work string, ok bool) {
	switch {
	case s.Kind == KindCPU:
		return s.Work, true
	case s.Kind == KindLock && s.Work != lockSleep:
		return "sha256", true
	}
	return "", false
}

// unitTime measures the CPU time of one unit on the calling thread, which
// the caller has locked. It is at least a nanosecond.
func unitTime(u unit) time.Duration {
	n := int64(16)
	for { // also warms up caches and the clock of the processor
		begin := threadCPU()
		compute(u, n, 0)
		if threadCPU()-begin >= calibrationTime {
			break
		}
		n *= 2
	}
	best := time.Duration(math.MaxInt64)
	for range calibrationRounds {
		begin := threadCPU()
		compute(u, n, 0)
		best = min(best, threadCPU()-begin)
	}
	return max(1, best/time.Duration(n))
}
