package harness

import (
	"context"
	"runtime/pprof"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// A slot is one place for an op in flight. Everything that an op needs or
// leaves behind is in its slot, so ops that run at the same time share
// nothing of the harness's but the sampler, which they only read.
type slot struct {
	steps []stepFunc
	// ctx is what an op of one step runs under; ctxs has one per step of an
	// op of several. They carry the profile labels, if there are any, and are
	// made once, not per op.
	ctx      context.Context
	ctxs     []context.Context
	labelled bool

	inputs    *inputs
	sampler   *sampler
	clockCost time.Duration
	stepClock *stepClock // nil unless steps are measured one by one
	noDigest  bool

	op      int64  // handed over with the slot where a goroutine runs one op
	start   func() // runs op in such a goroutine
	ops     int64
	digest  record.Digest
	latency record.Histogram
	// early holds the times taken before k was chosen: they count only if
	// every op is timed in the end.
	early    record.Histogram
	failures failures
	fault    *inputError // the first

	last lastResult // kept in dry trials only
	keep bool

	_ [64]byte // keeps another slot's counters off this one's cache line
}

// lastResult is what the only op of a dry trial returned.
type lastResult struct {
	out any
	err error
	dur time.Duration
}

// runOp executes the steps of one op, each on what the one before returned.
// It is never inlined because it is the anchor of all profiles: what is below
// it on a stack is the op's, what is above it is the harness's.
//
//go:noinline
func runOp(s *slot, op int64, in any) (any, error) {
	if len(s.steps) == 1 {
		return s.steps[0](s.ctx, op, in)
	}
	var err error
	for i, step := range s.steps {
		ctx := s.ctxs[i]
		if s.labelled {
			pprof.SetGoroutineLabels(ctx)
		}
		if in, err = step(ctx, op, in); err != nil {
			break
		}
	}
	if s.labelled {
		pprof.SetGoroutineLabels(s.ctx)
	}
	return in, err
}

// perform runs one op and enters its outcome.
func (s *slot) perform(op int64) {
	if s.labelled {
		pprof.SetGoroutineLabels(s.ctx)
	}
	in := s.inputs.of(op)
	if s.sampler.chosen(op) {
		s.performTimed(op, in)
		return
	}
	out, err := runOp(s, op, in)
	s.enter(op, out, err)
}

func (s *slot) performTimed(op int64, in any) {
	decided := s.sampler.decided.Load()
	begin := time.Now()
	out, err := runOp(s, op, in)
	d := time.Since(begin)
	if decided {
		s.latency.Record(int64(d))
	} else {
		s.early.Record(int64(d))
		s.sampler.note(d, s.clockCost, clockShare)
	}
	if s.keep {
		s.last = lastResult{out, err, d}
	}
	s.enter(op, out, err)
}

// enter counts an op and adds its result to the digest.
func (s *slot) enter(op int64, out any, err error) {
	s.ops++
	if err != nil {
		s.fail(err)
	}
	if s.noDigest {
		return
	}
	h, opaque := hashResult(op, out, err)
	s.digest.Add(op, h)
	if opaque {
		s.digest.Opaque = true
	}
}

// fail counts a failed op. An input that does not fit its function is no
// failure of the op but a fault of the workload, which ends the trial.
func (s *slot) fail(err error) {
	if bad, ok := err.(*inputError); ok && s.fault == nil {
		s.fault = bad
	}
	s.failures.add(err)
}

// collect merges what the ops left in slots into r.
func collect(r *record.Record, slots []*slot, sm *sampler, noDigest bool) {
	var fails failures
	var sum record.Digest
	var hist record.Histogram
	k := sm.every.Load()
	for _, s := range slots {
		r.Ops += s.ops
		hist.Merge(&s.latency)
		if k <= 1 {
			hist.Merge(&s.early)
		}
		sum.Merge(&s.digest)
		fails.merge(&s.failures)
	}
	r.LatencyEvery = max(k, 1)
	if hist.N > 0 {
		r.Latency = &hist
	}
	if !noDigest {
		r.Digest = &sum
	}
	r.FailedOps, r.Errors = fails.count, fails.list()
}
