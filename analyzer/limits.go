package analyzer

import (
	"cmp"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// judgeLimits finds what keeps the workload from scaling. Limits stand beside
// the class: an op under a lock is CPU- or I/O-bound and limited by the lock.
func (j *judgement) judgeLimits() {
	if len(j.classify) == 0 {
		return
	}
	if f, ok := j.load.probeTrial(j.o); ok {
		j.probe = j.lookAt([]plan.Finished{f})
		j.limitLock(&f)
	}
	j.limitGIL()
	j.limitGC()
	j.limitStall()
	j.limitLoop()
	j.limitMemory()
	j.limitCurves()
	slices.SortStableFunc(j.out.Limits, func(a, b Limit) int { return -cmp.Compare(a.Share, b.Share) })
}

// limit adds a limit with the place where the time goes, if one is known.
func (j *judgement) limit(kind LimitKind, share float64, at looks, wait record.Wait) {
	l := Limit{Kind: kind, Share: min(share, 1)}
	if p, ok := at.place(wait); ok {
		s := j.load.told(p)
		l.Function, l.File, l.Line = s.function, s.file, s.line
	}
	j.out.Limits = append(j.out.Limits, l)
}

// limitLock reads the contention probe: the runtime's own counter of mutex
// waits, and the wall profile for locks that the counter does not see.
func (j *judgement) limitLock(f *plan.Finished) {
	counted := mutexShare(&f.Record, f.Trial.Cell.Concurrency)
	seen := j.probe.Share(record.Lock)
	if all := mutexWait(&f.Record, f.Trial.Cell.Concurrency); all >= j.o.MutexWaitShare {
		seen *= counted / all // the profile saw the same lock, and the same warm-up
	} else {
		seen = afterWarmUp(&f.Record, f.Trial.Cell.Concurrency, seen)
	}
	alone := j.looks.Share(record.Lock)
	if counted < j.o.MutexWaitShare && seen-alone < j.o.LockShare {
		return
	}
	share := max(counted, seen)
	j.limit(LimitLock, share, j.probe, record.Lock)
	at := ""
	if p, ok := j.probe.place(record.Lock); ok {
		at = ", in " + j.load.told(p).String()
	}
	j.say(ofLimits, "with %d in flight, ops that do not hold the lock spend %.0f %% of their time waiting for it%s", f.Trial.Cell.Concurrency, 100*min(share, 1), at)
}

// limitGC compares the collector's CPU time with all CPU time of unprofiled
// sequential trials, or of the classifying ones if there are none. The runtime
// measures its collector by the wall clock, so on a noisy host it says nothing;
// and it must matter to the op's time too, for what waits has cores to spare.
func (j *judgement) limitGC() {
	if j.noisy(j.noise) != "" {
		return
	}
	fs := j.load.counted(j.load.baseline(), plan.Timing, j.o)
	if len(fs) == 0 {
		fs = j.classify
	}
	var gc, cpu, wall float64
	var cycles int64
	for _, f := range fs {
		if rt := f.Record.Runtime; rt != nil {
			gc += float64(rt.GCCPUNs)
			cycles += rt.GCCycles
			cpu += float64(f.Record.CPU.UserNs + f.Record.CPU.SystemNs)
			wall += float64(f.Record.WallNs)
		}
	}
	if cycles < j.o.MinGCCycles || gc < j.o.GCShare*cpu || gc < j.o.GCShare*wall {
		return
	}
	j.limit(LimitGC, gc/cpu, looks{}, record.Other)
	j.say(ofLimits, "the garbage collector takes %.0f %% of the CPU time, from cores that other ops could use", 100*min(gc/cpu, 1))
}

// stall is the share of an op's time in calls that would stall a true event
// loop, which Go's runtime hides by handing the P on. asyncio hides nothing:
// its loop is measured (loop.go). What may have been queueing for a processor
// is not shown to be asleep.
func (j *judgement) stall() float64 {
	queued := stats.Median(values(j.classify, func(r *record.Record) float64 { return j.o.queued(r) / float64(max(r.WallNs, 1)) }))
	return j.looks.blocking(max(j.out.Split.Blocked-queued, 0))
}

func (j *judgement) limitStall() {
	share := j.stall()
	if j.load.w.Target.Kind == model.Python || share <= j.o.LoopStall || !slices.ContainsFunc(j.load.w.Cells, func(c plan.Cell) bool { return c.Model == model.EventLoop }) {
		return
	}
	kind, most := record.Subprocess, j.looks.Blocked[record.Subprocess]
	for _, k := range record.Waits() {
		if n := j.looks.Ambiguous[k]; n > most {
			kind, most = k, n
		}
	}
	j.limit(LimitLoopStall, share, j.looks, kind)
	var op float64
	for _, f := range j.classify {
		op = max(op, float64(f.Record.WallNs)/float64(max(f.Record.Ops, 1)))
	}
	j.warn(WarnLoopStall, "keep the blocking call off the loop: hand it to a thread or a pool",
		"an op would stall a true event loop by %s, %.0f %% of its time: Go hides that by starting threads", quantity.Duration(op*share), 100*share)
}

func (j *judgement) limitMemory() {
	for i := range j.out.Cells {
		if c := &j.out.Cells[i]; c.Status == record.MemoryLimit {
			j.limit(LimitMemory, 1, looks{}, record.Other)
			j.say(ofLimits, "%s passed its memory limit", setupOf(c))
			return
		}
	}
}

// A point is one level of a model's curve.
type point struct {
	n       float64 // ops in flight
	rate    float64 // ops a second
	latency float64 // p50, ns
	busy    float64 // cores in use, a share of all
}

// curve returns the levels of a model that were measured, by concurrency;
// levels that were eliminated stand with their pilot.
func (j *judgement) curve(m model.Model) []point {
	var ps []point
	for i := range j.results {
		x, c := &j.results[i], &j.out.Cells[i]
		r := x.rate()
		if c.Model != m || r <= 0 || c.Status == record.WrongResult {
			continue
		}
		var costs Cell
		j.o.costs(&costs, x.shown())
		ps = append(ps, point{
			n: float64(c.Concurrency), rate: r, latency: float64(costs.Latency.P50),
			busy: costs.CPUNsPerOp * r / 1e9 / float64(j.load.cores),
		})
	}
	slices.SortFunc(ps, func(a, b point) int { return cmp.Compare(a.n, b.n) })
	return ps
}

// limitCurves looks at how throughput, latency and CPU move with the level:
// throughput that stays flat while latency grows and processors idle is a
// downstream that serves no more; throughput that falls while they are busy is
// oversubscription. On a noisy host curves say neither, nor
// where the rate of ops is given.
func (j *judgement) limitCurves() {
	if j.noisy(j.noise) != "" || j.load.w.MaxRate > 0 || j.load.open() {
		return
	}
	locked := slices.ContainsFunc(j.out.Limits, func(l Limit) bool { return l.Kind == LimitLock || l.Kind == LimitGIL })
	var down, held, over float64
	for _, m := range []model.Model{model.Pool, model.Goroutines, model.Threads} {
		ps := j.curve(m)
		if flat := j.saturated(ps); locked || flat == 0 {
		} else if top := slices.MaxFunc(ps, func(a, b point) int { return cmp.Compare(a.rate, b.rate) }); j.atGIL(top.rate) {
			held = max(held, flat)
		} else {
			down = max(down, flat)
		}
		over = max(over, j.oversubscribed(ps))
	}
	if held > 0 {
		j.limitAtHolder(held)
		j.say(ofLimits, "more in flight only makes ops slower, near what one GIL allows")
	}
	if down > 0 {
		j.limitDownstream(down)
	}
	if over > 0 {
		j.limit(LimitOversubscription, over, looks{}, record.Other)
		j.say(ofLimits, "past its best level throughput falls by %.0f %% with the processors busy: too many compute at once", 100*over)
	}
}

// limitDownstream says that what the ops call serves no more at once, and where
// they wait for it: at what they wait longer for among others than alone.
func (j *judgement) limitDownstream(share float64) {
	const said = "more in flight only makes ops slower while the processors idle: what they call serves no more at once"
	kind, grown := record.Network, 0.0
	for _, k := range record.Waits() {
		if g := j.probe.Share(k) - j.looks.Share(k); g > grown {
			kind, grown = k, g
		}
	}
	if grown < j.o.LockShare {
		j.limit(LimitDownstream, share, j.looks, record.Network)
		j.say(ofLimits, said)
		return
	}
	j.limit(LimitDownstream, share, j.probe, kind)
	at := ""
	if p, ok := j.probe.place(kind); ok {
		at = ", in " + j.load.told(p).String()
	}
	j.say(ofLimits, "%s; among others they wait %.0f %% of their time for %s%s", said, 100*j.probe.Share(kind), j.load.waitsFor(kind), at)
}

// saturated returns the share of the throughput that concurrency should have
// brought at the highest level but did not, if from some level on it stayed
// flat, latency grew and the processors idled; else 0.
func (j *judgement) saturated(ps []point) float64 {
	if len(ps) < 2 {
		return 0
	}
	last := ps[len(ps)-1]
	margin := 1 + max(j.o.Flat, 2*j.out.NoiseFloor)
	for i, p := range ps[:len(ps)-1] {
		if slices.ContainsFunc(ps[i+1:], func(q point) bool { return q.rate > p.rate*margin }) {
			continue
		}
		if last.n >= 2*p.n && last.latency >= p.latency*j.o.LatencyGrowth && last.busy < j.o.IdleCPU {
			return 1 - last.rate*p.n/(p.rate*last.n)
		}
	}
	return 0
}

// oversubscribed returns the share of its best throughput that a model lost at
// its highest level with the processors busy.
func (j *judgement) oversubscribed(ps []point) float64 {
	var best point
	for _, p := range ps {
		if p.rate > best.rate {
			best = p
		}
	}
	if len(ps) == 0 {
		return 0
	}
	last := ps[len(ps)-1]
	lost := 1 - last.rate/best.rate
	if last.n <= best.n || last.busy < j.o.BusyCPU || lost < max(j.o.Oversubscribed, 2*j.out.NoiseFloor) {
		return 0
	}
	return lost
}
