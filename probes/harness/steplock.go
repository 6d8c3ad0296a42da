package harness

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// lockSleep is the work of a lock step that sleeps; any other computes.
const lockSleep = "sleep"

// lockStep holds one mutex, the process's only one for this step, while it
// computes or sleeps. It passes on what it was given.
func lockStep(s Step) (builtStep, error) {
	mu := new(sync.Mutex)
	if s.Work == lockSleep {
		if s.ForNs <= 0 {
			return builtStep{}, fmt.Errorf("hold a lock for %d ns: want a time above 0", s.ForNs)
		}
		return builtStep{build: same(func(_ context.Context, _ int64, in any) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			time.Sleep(time.Duration(s.ForNs))
			return in, nil
		}), passes: true}, nil
	}
	if s.Iterations <= 0 {
		return builtStep{}, errUncalibrated
	}
	return builtStep{build: func(int) (stepFunc, error) {
		u := sha256Unit()
		return func(_ context.Context, op int64, in any) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			compute(u, s.Iterations, op)
			return in, nil
		}, nil
	}, passes: true}, nil
}
