package harness

import (
	"context"
	"runtime/pprof"
)

// The labels of profiled ops. Goroutines that an op starts inherit them.
const (
	labelKey  = "concprof"
	labelOp   = "op"
	labelStep = "step"
)

// label makes the contexts that the ops of a slot run under.
func (s *slot) label(base context.Context, steps []builtStep) {
	s.ctx = base
	if s.labelled {
		s.ctx = pprof.WithLabels(base, pprof.Labels(labelKey, labelOp))
	}
	for _, b := range steps {
		ctx := s.ctx
		if s.labelled && len(steps) > 1 {
			ctx = pprof.WithLabels(ctx, pprof.Labels(labelStep, b.name))
		}
		s.ctxs = append(s.ctxs, ctx)
	}
}
