package harness

import "runtime/pprof"

// runSteps executes the steps of one op, each on what the one before
// returned, until one fails. In classifying trials it reads the clocks
// between the steps of some ops.
func (s *slot) runSteps(op int64, in any) (out any, err error) {
	if s.only != nil {
		return runOp(s.ctx, s.only, op, in)
	}
	clock := s.stepClock
	if clock != nil && !clock.sampler.chosen(op) {
		clock = nil
	}
	if clock != nil {
		clock.begin()
	}
	out = in
	for i, step := range s.steps {
		if s.labelled {
			pprof.SetGoroutineLabels(s.ctxs[i])
		}
		out, err = runOp(s.ctxs[i], step, op, out)
		if clock != nil {
			clock.end(i)
		}
		if err != nil {
			break
		}
	}
	if clock != nil {
		clock.done()
	}
	if s.labelled {
		pprof.SetGoroutineLabels(s.ctx)
	}
	return out, err
}
