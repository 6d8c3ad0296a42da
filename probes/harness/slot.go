package harness

import (
	"context"
	"math/bits"
	"runtime/pprof"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// A slot is one place for an op in flight. Everything that an op needs or
// leaves behind is in its slot, so ops that run at the same time share
// nothing of the harness's but the sampler, which they only read.
type slot struct {
	// What every op touches comes first and fits one cache line: goroutines
	// of a busy pool move between processors, and take the line along.
	ops     int64
	only    stepFunc        // the step of an op of one, else nil
	ctx     context.Context // what that step runs under
	sampler *sampler
	plain   bool // one step, without input and labels

	inputs   *inputs // nil if the first step takes none
	labelled bool    // ops carry profile labels
	noDigest bool

	steps []stepFunc
	// ctxs are what the steps of an op of several run under. Like ctx they
	// carry the profile labels, and are made once, not per op.
	ctxs      []context.Context
	stepClock *stepClock // nil unless steps are measured one by one

	digest   record.Digest
	results  []record.Result
	least    int64 // ops below it leave their result: 0 in all but check trials
	failures failures
	fault    *inputError // the first

	clockCost time.Duration // of timing an op
	latency   record.Histogram
	// early holds the times taken before k was chosen. Those of ops that
	// would have been timed anyway count in the end.
	early []timing

	arrivals *pace // nil unless ops arrive at a rate
	inTime   int64 // ops that ended within the time of such a trial

	keep bool // the last result: in dry trials only
	last lastResult

	_ [64]byte // keeps another slot's counters off this one's last line
}

// A timing is how long an op took.
type timing struct {
	op  int64
	dur time.Duration
}

// lastResult is what the only op of a dry trial returned.
type lastResult struct {
	out any
	err error
	dur time.Duration
}

// runOp executes a step of an op, or all of an op of one step. It is never
// inlined because it is the anchor of all profiles: what is below it on a
// stack is the op's, what is above it is the harness's.
//
//go:noinline
func runOp(ctx context.Context, step stepFunc, op int64, in any) (any, error) {
	return step(ctx, op, in)
}

// perform runs one op and enters its outcome.
func (s *slot) perform(op int64) {
	if s.special(op) {
		s.performSpecial(op)
		return
	}
	out, err := runOp(s.ctx, s.only, op, nil)
	s.ops++
	if out != nil || err != nil {
		s.enter(op, out, err)
	}
}

// serve performs the ops of a channel. Its loop repeats what perform does for
// most ops: in a pool, whose own cost is a tenth of a microsecond an op, the
// call would show.
func (s *slot) serve(ops <-chan int64) {
	for op := range ops {
		if s.special(op) {
			s.performSpecial(op)
			continue
		}
		out, err := runOp(s.ctx, s.only, op, nil)
		s.ops++
		if out != nil || err != nil {
			s.enter(op, out, err)
		}
	}
}

// special reports whether an op needs more than to be run.
func (s *slot) special(op int64) bool {
	return !s.plain || s.sampler.chosen(op)
}

// performSpecial runs an op with all that it may need.
func (s *slot) performSpecial(op int64) {
	var in any
	if s.inputs != nil {
		in = s.inputs.of(op)
	}
	if s.labelled {
		pprof.SetGoroutineLabels(s.ctx)
	}
	timed, decided := s.sampler.chosen(op), s.sampler.decided.Load()
	var begin time.Time
	if timed {
		begin = time.Now()
	}
	out, err := s.runSteps(op, in)
	switch {
	case s.arrivals != nil:
		age := s.arrivals.age(op)
		s.latency.Record(int64(age))
		s.arrived(op, age)
	case timed:
		s.note(timing{op, time.Since(begin)}, decided)
	}
	if s.keep {
		s.last = lastResult{out, err, time.Since(begin)}
	}
	s.ops++
	if out != nil || err != nil {
		s.enter(op, out, err)
	}
}

// note enters the time of an op.
func (s *slot) note(t timing, decided bool) {
	if decided {
		s.latency.Record(int64(t.dur))
		return
	}
	s.early = append(s.early, t)
	s.sampler.note(t.dur, s.clockCost, clockShare)
}

// enter adds the result of an op to the digest. An op that succeeded without
// a result adds nothing, so the most common ops cost the least: what the
// digest then says is that every op did.
func (s *slot) enter(op int64, out any, err error) {
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
	if op < s.least {
		s.keepResult(op, h, out, err, opaque)
	}
}

// keepResult keeps what one op returned. What cannot be read in full is not
// shown: others may be changing it.
func (s *slot) keepResult(op int64, hash uint64, out any, err error, opaque bool) {
	r := record.Result{Op: op, Hash: hash}
	if !opaque {
		r.Shown = clip(describe(out, err), record.MaxShown)
	}
	s.results = append(s.results, r)
}

// fail counts a failed op. An input that does not fit its function is no
// failure of the op but a fault of the workload, which ends the trial.
func (s *slot) fail(err error) {
	if bad, ok := err.(*inputError); ok && s.fault == nil {
		s.fault = bad
	}
	s.failures.add(err)
}

// complete counts the ops into d that succeeded without a result, of which it
// has heard nothing.
func complete(d record.Digest, ops int64) *record.Digest {
	d.Ops = ops
	if ops > 0 {
		for n := bits.Len64(uint64(ops-1)) + 1; len(d.Buckets) < n; {
			d.Buckets = append(d.Buckets, 0)
		}
	}
	return &d
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
		for _, t := range s.early {
			if sm.chosen(t.op) {
				hist.Record(int64(t.dur))
			}
		}
		sum.Merge(&s.digest)
		r.Results = append(r.Results, s.results...)
		fails.merge(&s.failures)
	}
	r.LatencyEvery = max(k, 1)
	if hist.N > 0 {
		r.Latency = &hist
	}
	if !noDigest {
		r.Digest = complete(sum, r.Ops)
	}
	record.SortResults(r.Results)
	r.FailedOps, r.Errors = fails.count, fails.list()
}
