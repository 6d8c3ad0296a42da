package analyzer

import (
	"cmp"
	"fmt"
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
	} else if why := j.unprobed(); why != "" {
		j.unseen(why, LimitLock)
	}
	j.limitGIL()
	j.limitGC()
	j.limitStall()
	j.limitLoop()
	j.limitMemory()
	j.limitCurves()
	slices.SortStableFunc(j.out.Limits, func(a, b Limit) int { return -cmp.Compare(a.Share, b.Share) })
	j.sayUnseen()
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
// waits, and the wall profile for locks that the counter does not see. What the
// profile saw tells how much of the waiting was a warm-up: it sees every wait as
// often as it is long, while the counter takes one in mutexSampled, for all.
func (j *judgement) limitLock(f *plan.Finished) {
	r, c := &f.Record, f.Trial.Cell.Concurrency
	counted, all := mutexShare(r, c), j.probe.locked(c)
	seen := afterWarmUp(r, c, all)
	if all > 0 {
		counted = max(counted, mutexWait(r, c)*seen/all)
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
	j.say(ofLimits, "with %d in flight, ops that do not hold the lock spend %.0f %% of their time waiting for it%s", c, 100*min(share, 1), at)
}

// locked returns the share of the time of so many ops in flight that they were
// seen to wait for a lock. Where the number of looks is known it goes by that: on
// busy processors goroutines that have not begun their op show none.
func (k looks) locked(inFlight int) float64 {
	share := k.Share(record.Lock)
	if k.Ticks > 0 {
		share = min(share, float64(k.Blocked[record.Lock])/float64(k.Ticks*int64(inFlight)))
	}
	return share
}

// limitGC compares the collector's CPU time with all CPU time, of ops that run
// alone and where most are done: alone the collector works on processors that
// are idle, which takes nothing from the ops. The runtime measures its collector
// by the wall clock, so on a noisy host, or of trials that are profiled beside
// others, it says nothing.
func (j *judgement) limitGC() {
	if why := j.noisy(j.noise); why != "" {
		if len(j.classify) > 0 && j.classify[0].Record.Runtime != nil {
			j.unseen(why, LimitGC)
		}
		return
	}
	alone := j.load.counted(j.load.baseline(), plan.Timing, j.o)
	if len(alone) == 0 {
		alone = j.classify
	}
	share, where := j.o.collecting(alone, 1), "under sequential"
	if x := j.fastestOfOneProcess(); x != nil {
		if s := j.o.collecting(x.shown(), j.load.cores); s > share {
			share, where = s, fmt.Sprintf("with %d in flight under %s", x.cell.Concurrency, x.cell.Model)
		}
	}
	if share == 0 {
		return
	}
	j.limit(LimitGC, share, looks{}, record.Other)
	j.say(ofLimits, "%s the garbage collector takes %.0f %% of the CPU time, from cores that ops could use", where, 100*min(share, 1))
}

// collecting returns the collector's share of the CPU time of trials, 0 if that
// is no limit. It must matter to the cores that the ops can use too, for what
// waits has them to spare.
func (o Options) collecting(fs []plan.Finished, cores int) float64 {
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
	if cycles < o.MinGCCycles || gc < o.GCShare*cpu || gc < o.GCShare*wall*float64(cores) {
		return 0
	}
	return gc / cpu
}

// fastestOfOneProcess returns the cell with the most throughput of those that
// run several ops at once in one process, on all cores: of those that were measured
// to the end, if there are any.
func (j *judgement) fastestOfOneProcess() *outcome {
	var best *outcome
	for i := range j.results {
		x := &j.results[i]
		if m := x.cell.Model; x.cell.Concurrency < 2 || m == model.EventLoop || apart(m) || j.out.Cells[i].Status == record.WrongResult {
			continue
		}
		full := best != nil && len(best.timing) > 0
		if best == nil || len(x.timing) > 0 && !full || len(x.timing) > 0 == full && x.rate() > best.rate() {
			best = x
		}
	}
	return best
}

// stall is the share of an op's time in calls that would stall a true event
// loop, which Go's runtime hides by handing the P on. asyncio hides nothing:
// its loop is measured (loop.go). What may have been queueing for a processor
// is not shown to be asleep.
func (j *judgement) stall() float64 {
	queued := stats.Median(values(j.classify, func(r *record.Record) float64 { return j.o.queued(r) / max(opsNs(r), 1) }))
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
		op = max(op, opsNs(&f.Record)/float64(max(f.Record.Ops, 1)))
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
	trials  int     // timing trials behind it, 0 where a pilot is all
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
			n: float64(c.Concurrency), rate: r, latency: float64(costs.Latency.P50), trials: x.n(),
			busy: costs.CPUNsPerOp * r / 1e9 / float64(j.load.cores),
		})
	}
	slices.SortFunc(ps, func(a, b point) int { return cmp.Compare(a.n, b.n) })
	return ps
}

// curved are the models whose curves tell of limits.
func curved() []model.Model { return []model.Model{model.Pool, model.Goroutines, model.Threads} }

// limitCurves looks at how throughput, latency and CPU move with the level:
// throughput that stays flat while latency grows and processors idle is a
// downstream that serves no more; throughput that falls while they are busy is
// oversubscription. On a noisy host curves say neither, nor where the rate of ops
// is given.
func (j *judgement) limitCurves() {
	if why := j.uncurved(); why != "" {
		j.unseen(why, LimitDownstream, LimitOversubscription)
		return
	}
	locked := slices.ContainsFunc(j.out.Limits, func(l Limit) bool { return l.Kind == LimitLock || l.Kind == LimitGIL })
	var down, held, over float64
	for _, m := range curved() {
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
// its highest level with the processors busy. A pilot reads low by chance, or
// because its cell warms up, so where it is all that the level has, it must be as
// far behind as a pilot that takes its cell out.
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
	least := max(j.o.Oversubscribed, 2*j.out.NoiseFloor)
	if last.trials < j.o.MinBlocks {
		least = max(least, 1-1/j.o.PilotFactor)
	}
	if last.n <= best.n || last.busy < j.o.BusyCPU || lost < least {
		return 0
	}
	return lost
}
