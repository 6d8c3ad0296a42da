package analyzer

import (
	"slices"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

func clamp(v, low, high int64) int64 { return max(low, min(v, high)) }

// budgetNs is the budget of the whole run.
func (v *view) budgetNs() int64 {
	var sum int64
	for _, l := range v.loads {
		sum += l.w.BudgetNs
	}
	return sum
}

// leftNs is what the whole run has left.
func (v *view) leftNs() int64 { return v.budgetNs() - v.spentNs }

// left is what a workload has left of its own budget, which also pays its
// part of the controls, and never more than the run has left.
func (v *view) left(l *load) int64 {
	share := v.controls.spentNs / int64(max(len(v.loads), 1))
	return min(l.w.BudgetNs-l.spentNs-share, v.leftNs())
}

// overhead is what a trial costs besides its ops: the median of what trials
// of the workload showed, profiled and unprofiled apart.
func (v *view) overhead(l *load, profiled bool) int64 {
	ns, known := l.memo.overhead[profiled]
	if !known {
		ns = v.overheadOf(l, profiled)
		if l.memo.overhead == nil {
			l.memo.overhead = make(map[bool]int64)
		}
		l.memo.overhead[profiled] = ns
	}
	return ns
}

func (v *view) overheadOf(l *load, profiled bool) int64 {
	var seen []int64
	for s, attempts := range l.slots {
		if s.pass.Profiled() != profiled || s.pass == plan.Dry {
			continue
		}
		for _, f := range attempts {
			if usable(&f.Record) {
				seen = append(seen, max(f.Record.ElapsedNs-f.Record.WallNs, 0))
			}
		}
	}
	if len(seen) == 0 {
		return int64(v.o.Overhead)
	}
	slices.Sort(seen)
	return seen[len(seen)/2]
}

// A guess is what an op is expected to cost before cells have been tried.
type guess struct {
	wallNs, cpuNs float64 // of one op, alone
	serial        float64 // share of the op that only one at a time can do
	gil           float64 // share of the op for which it holds CPython's GIL
}

// guess rests on the classifying trials, else on the dry op, and on the
// contention probe.
func (v *view) guess(l *load) guess {
	if l.memo.guess == nil {
		g := v.guessOf(l)
		l.memo.guess = &g
	}
	return *l.memo.guess
}

func (v *view) guessOf(l *load) guess {
	g := guess{wallNs: 1e6}
	if f, ok := l.dry(); ok && f.Record.Dry != nil && f.Record.Dry.OpNs > 0 {
		g.wallNs = float64(f.Record.Dry.OpNs)
	}
	if fs := l.counted(l.baseline(), plan.Classify, v.o); len(fs) > 0 {
		var wall, cpu, ops float64
		for _, f := range fs {
			_, runnable := opCPU(&f.Record)
			wall += max(opsNs(&f.Record)-runnable, 1)
			c, _ := opCPU(&f.Record)
			cpu += c + float64(f.Record.CPU.ChildrenNs)
			ops += float64(f.Record.Ops)
		}
		g.wallNs, g.cpuNs = max(wall/ops, 1), cpu/ops
		if l.hasGIL() {
			g.gil, _ = v.o.gilShare(fs)
		}
	}
	if f, ok := l.probeTrial(v.o); ok {
		// Under one GIL a probe of threads leaves cores idle too: what the GIL
		// explains is told by its own share, and no model apart has it.
		if g.serial = v.o.serialShare(&f, g.wallNs, l.cores); l.sharesGIL(f.Trial.Cell.Model) && g.serial <= v.o.GILGain*g.gil {
			g.serial = 0
		}
	}
	return g
}

// probeTrial returns the contention probe, whichever model ran it.
func (l *load) probeTrial(o Options) (plan.Finished, bool) {
	for _, c := range l.probeCells(o) {
		if f, ok := l.count(slot{cell: c, pass: plan.Contention}, o); ok {
			return f, true
		}
	}
	return plan.Finished{}, false
}

// serialShare estimates which share of an op runs one at a time, from the
// throughput of the contention probe: under a lock held for s of an op's time
// at most 1/s times the sequential throughput is reached, and what a limiter,
// a single worker or a server lets through looks the same. So do too few
// cores: only a probe that waits for locks, or that leaves cores idle, says
// what is serial.
func (o Options) serialShare(f *plan.Finished, opNs float64, cores int) float64 {
	r, c := &f.Record, f.Trial.Cell.Concurrency
	got := rate(r)
	if got <= 0 || c < 2 {
		return 0
	}
	share := min(1e9/(got*opNs), 1)
	if mutexShare(r, c) >= o.MutexWaitShare || o.idle(f, cores) && share*float64(c) >= o.LatencyGrowth {
		return share
	}
	return 0
}

// idle reports whether a trial left processors unused that its model could
// have used.
func (o Options) idle(f *plan.Finished, cores int) bool {
	r := &f.Record
	if r.WallNs <= 0 || r.Host == nil {
		return false
	}
	used := float64(r.CPU.UserNs+r.CPU.SystemNs) / float64(r.WallNs) / parallelism(f.Trial.Cell.Model, cores)
	return used < o.IdleCPU && used+r.Host.ForeignShare < o.BusyCPU
}

// mutexSampled is of how many waits for a mutex Go's runtime times one, for all
// of them (gTrackingPeriod in runtime/runtime2.go).
const mutexSampled = 8

// mutexShare is the share of the time of the other C-1 ops that goroutines
// waited for mutexes, but for what a warm-up explains; 0 where it may explain
// all. Few long waits are counted at up to mutexSampled times their length.
func mutexShare(r *record.Record, concurrency int) float64 {
	all := mutexWait(r, concurrency)
	if c := int64(concurrency); timedAll(r, concurrency) {
		longer := r.Latency.Slowest(c) - float64(c*r.Latency.Quantile(0.5))
		if all*float64(r.WallNs)*float64(c-1) <= mutexSampled*longer {
			return 0
		}
	}
	return afterWarmUp(r, concurrency, all)
}

// mutexWait is the same with the warm-up.
func mutexWait(r *record.Record, concurrency int) float64 {
	if r.Runtime == nil || r.WallNs <= 0 || concurrency < 2 {
		return 0
	}
	return float64(r.Runtime.MutexWaitNs) / float64(r.WallNs) / float64(concurrency-1)
}

// timedAll reports whether the slowest ops of a trial are known, and others
// beside them.
func timedAll(r *record.Record, concurrency int) bool {
	return r.WallNs > 0 && r.LatencyEvery <= 1 && r.Latency != nil && r.Latency.N >= int64(2*concurrency)
}

// afterWarmUp returns which share of the time of the other C-1 ops went into
// waiting for a lock, if the C slowest ops did nothing else: what is built once
// a process, a table, a pool of connections, has the first op of each of the C
// in flight wait for the one that builds it, and that limits nothing. Where a
// lock does limit, all ops wait alike, and the share stays what it was.
func afterWarmUp(r *record.Record, concurrency int, share float64) float64 {
	if !timedAll(r, concurrency) {
		return share
	}
	c := float64(concurrency)
	all := c * float64(r.WallNs)
	slowest := min(r.Latency.Slowest(int64(concurrency)), all)
	if slowest >= all {
		return share
	}
	waited := share * all * (c - 1) / c
	return min(max(waited-slowest, 0)/((all-slowest)*(c-1)/c), share)
}
