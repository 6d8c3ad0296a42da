package analyzer

import (
	"fmt"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// hasGIL reports whether the threads of a workload share an interpreter lock.
func (l *load) hasGIL() bool {
	i := l.interpreter()
	return l.w.Target.Kind == model.Python && (i == nil || i.GIL)
}

// interpreter is what runs a workload's callables, nil if that is not known. It
// was asked before it imported anything; whether it puts its GIL back on for
// what it imports the dry run tells.
func (l *load) interpreter() *record.Interpreter {
	i := l.w.Interpreter
	if f, ok := l.dry(); ok && i != nil && f.Record.Dry != nil && f.Record.Dry.GIL {
		on := *i
		on.GIL = true
		return &on
	}
	return i
}

// sharesGIL reports whether all ops of a model run under one GIL. The steps
// that hybrid hands over may not: they may go to processes.
func (l *load) sharesGIL(m model.Model) bool {
	if m == model.Hybrid {
		return len(l.w.Steps) < 2
	}
	return !apart(m)
}

// seen returns what the reader saw of CPython, nil where it was not the
// reader: no other way tells who holds the GIL.
func seen(r *record.Record) *record.Python {
	if r.Python == nil || r.Python.Approximate != "" {
		return nil
	}
	return r.Python
}

// gilShare returns the share of its time, run-queue delay and waits for the
// GIL left out, for which an op that runs alone holds the GIL: how much it
// computes comes from clocks, how much of that is done under the lock from
// what the reader saw, and so does what it sleeps holding it. With no sample of
// an op that runs, all its CPU time counts: the bound is then too low rather
// than too high.
func (o Options) gilShare(fs []plan.Finished) (share float64, known bool) {
	var held, free, asleep, all float64
	for i := range fs {
		p := seen(&fs[i].Record)
		if p == nil {
			continue
		}
		held += float64(p.PythonNs + p.NativeGILNs)
		free += float64(p.NativeNs)
		asleep += float64(p.BlockedGILNs)
		all += float64(p.PythonNs + p.NativeGILNs + p.NativeNs + p.BlockedGILNs + p.BlockedNs)
	}
	if all <= 0 {
		return 0, false
	}
	part := 1.0
	if held+free > 0 {
		part = held / (held + free)
	}
	cpu := stats.Median(values(fs, func(r *record.Record) float64 {
		used, runnable := opCPU(r)
		return used / max(opsNs(r)-runnable, used, 1)
	}))
	return min(cpu*part+asleep/all, 1), true
}

// gilWait returns the share of the ops' time that they waited for the GIL.
func gilWait(r *record.Record) (share float64, known bool) {
	p := seen(r)
	if p == nil {
		return 0, false
	}
	all := p.PythonNs + p.NativeGILNs + p.NativeNs + p.GILWaitNs + p.BlockedGILNs + p.BlockedNs + p.RunnableNs
	if all <= 0 {
		return 0, false
	}
	return float64(p.GILWaitNs) / float64(all), true
}

// limitGIL says what the GIL allows, and whether it limits: with several ops
// in flight threads wait for it, or an op holds it for most of its time and no
// threads were tried, or it allows less than the processors do. Ops of a
// microsecond hardly wait for it: threads take turns where the next op is handed
// to them. Threads wait for a holder that has no processor,
// however shortly it holds the GIL. So where the GIL allows what the processors
// do it limits only on a host that is not busy, and if threads did not come near
// to what the processors allow.
func (j *judgement) limitGIL() {
	share, known := 0.0, false
	if j.load.hasGIL() {
		share, known = j.o.gilShare(j.classify)
	}
	if !known {
		if j.load.hasGIL() {
			j.unseen("the interpreter was not sampled from outside", LimitGIL)
		}
		return
	}
	g := &GIL{Share: share}
	if share > 0 {
		g.Bound = 1 / share
	}
	j.out.GIL = g
	j.say(ofLimits, "alone, an op holds the GIL for %.0f %% of its time%s, so %s", 100*share, j.holder(), j.gilAllows())

	f, probed := j.load.probeTrial(j.o)
	probed = probed && (f.Trial.Cell.Model == model.Pool || f.Trial.Cell.Model == model.Threads)
	if probed {
		g.WaitShare, probed = gilWait(&f.Record)
	}
	reached, near := j.threadsReached()
	switch {
	case probed && g.WaitShare >= j.o.GILWaitShare && j.noisy(j.noise) != "" && !j.gilBinds():
		j.unseen(j.noisy(j.noise), LimitGIL)
		j.say(ofLimits, "with %d in flight, ops spend %.0f %% of their time waiting for the GIL, which may be for the processor that its holder lacks on this host", f.Trial.Cell.Concurrency, 100*g.WaitShare)
	case probed && g.WaitShare >= j.o.GILWaitShare && !j.gilBinds() && near:
		j.say(ofLimits, "with %d in flight, ops spend %.0f %% of their time waiting for the GIL, and threads of one interpreter gain %s all the same: it does not limit", f.Trial.Cell.Concurrency, 100*g.WaitShare, times(reached))
	case probed && g.WaitShare >= j.o.GILWaitShare:
		j.limitAtHolder(g.WaitShare)
		j.say(ofLimits, "with %d in flight, ops spend %.0f %% of their time waiting for the GIL", f.Trial.Cell.Concurrency, 100*g.WaitShare)
	case share >= j.o.GILShare && (!probed || j.gilBinds()):
		j.limitAtHolder(share)
	}
}

// threadsReached returns the most that ops under one GIL gained in a cell that
// was measured in full, and whether that is near to what the processors allow.
func (j *judgement) threadsReached() (gain float64, near bool) {
	base := j.result(j.load.baseline())
	if base == nil || base.rate() <= 0 {
		return 0, false
	}
	for i := range j.results {
		x := &j.results[i]
		if m := x.cell.Model; m != model.Sequential && j.load.sharesGIL(m) && x.n() >= j.o.MinReps {
			gain = max(gain, x.rate()/base.rate())
		}
	}
	return gain, gain*max(j.demand.scaled.Value, 0.001) >= j.o.GILReached*float64(j.load.cores)
}

// gilBinds reports whether one GIL allows less than the processors do.
func (j *judgement) gilBinds() bool {
	g := j.out.GIL
	return g != nil && g.Bound > 0 && g.Bound*max(j.demand.scaled.Value, 0.001) < float64(j.load.cores)
}

// gilAllows says what one GIL allows.
func (j *judgement) gilAllows() string {
	switch g := j.out.GIL; {
	case !j.gilBinds():
		return "it is not what keeps threads from using the processors"
	case g.Bound < 1+j.o.Tie:
		return "threads of one interpreter take turns and gain nothing"
	default:
		return fmt.Sprintf("one interpreter can gain %s, however many threads it has", atMost(g.Bound))
	}
}

// limitAtHolder adds the limit with the place where ops hold the GIL.
func (j *judgement) limitAtHolder(share float64) {
	l := Limit{Kind: LimitGIL, Share: min(share, 1)}
	at := slices.Concat(j.looks.Holders, j.probe.Holders, j.probe.Places[record.GIL])
	if len(at) > 0 {
		s := j.load.told(at[0])
		l.Function, l.File, l.Line = s.function, s.file, s.line
	}
	j.out.Limits = append(j.out.Limits, l)
}

// holder says where ops hold the GIL most.
func (j *judgement) holder() string {
	if len(j.looks.Holders) == 0 || !j.gilBinds() {
		return ""
	}
	return ", most of that in " + j.load.told(j.looks.Holders[0]).String()
}

// atGIL reports whether a throughput is so near to what one GIL allows that it
// is the GIL which it stays flat for, and not what ops call.
func (j *judgement) atGIL(rate float64) bool {
	g, base := j.out.GIL, j.result(j.load.baseline())
	if g == nil || g.Bound <= 0 || base == nil {
		return false
	}
	return rate >= j.o.GILReached*g.Bound*base.rate()
}

// reachGIL holds what one interpreter reached against what its GIL allows.
func (j *judgement) reachGIL() {
	g := j.out.GIL
	if g == nil || g.Bound <= 0 || j.load.open() {
		return
	}
	var best *Cell
	for i := range j.out.Cells {
		c := &j.out.Cells[i]
		if c.Trials == 0 || c.Model == model.Sequential || !j.load.sharesGIL(c.Model) || c.Status == record.WrongResult {
			continue
		}
		if best == nil || c.Speedup.Value > best.Speedup.Value {
			best = c
		}
	}
	if best == nil {
		return
	}
	g.Reached = best.Speedup.Value
	if !j.gilBinds() {
		return
	}
	j.say(ofMeasurement, "one GIL allows %s; %s reached %s", atMost(g.Bound), setupOf(best), times(g.Reached))
}

// times writes a factor, "16.3x".
func times(x float64) string { return quantity.Ratio(x) }

// atMost writes a bound. One of thousands is a division by almost nothing.
func atMost(x float64) string {
	if x >= 1000 {
		return "more than 1000x"
	}
	return "at most " + times(x)
}
