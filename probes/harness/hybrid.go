package harness

import (
	"context"

	"github.com/concprof/concprof/probes/model"
)

// permits admit as many CPU-bound steps at a time as there are cores, so that
// the ops that wait are many and the ops that compute are few.
type permits chan struct{}

// newPermits returns nil for every model but hybrid.
func newPermits(s *Spec) permits {
	if s.Model != model.Hybrid {
		return nil
	}
	return make(permits, s.Cores)
}

// offload makes step wait for a permit.
func (p permits) offload(step stepFunc) stepFunc {
	return func(ctx context.Context, op int64, in any) (any, error) {
		p <- struct{}{}
		out, err := step(ctx, op, in)
		<-p
		return out, err
	}
}
