package harness

import (
	"context"
	"fmt"
	"time"
)

// sleepStep waits on a timer, plus or minus a jitter that is drawn from the
// op's number: every model sleeps as long for the same op.
func sleepStep(s Step) (builtStep, error) {
	if s.ForNs <= 0 || s.JitterNs < 0 || s.JitterNs > s.ForNs {
		return builtStep{}, fmt.Errorf("sleep for %d ns plus or minus %d ns: want a time above 0 and a jitter within it", s.ForNs, s.JitterNs)
	}
	return builtStep{build: same(func(_ context.Context, op int64, in any) (any, error) {
		time.Sleep(jittered(s.ForNs, s.JitterNs, op))
		return in, nil
	}), passes: true}, nil
}

// jittered returns a time uniform in [mean-jitter, mean+jitter].
func jittered(mean, jitter, op int64) time.Duration {
	if jitter == 0 {
		return time.Duration(mean)
	}
	u := float64(mix(uint64(op), 0)>>11) / (1 << 53) // [0, 1)
	return time.Duration(float64(mean) + (2*u-1)*float64(jitter))
}
