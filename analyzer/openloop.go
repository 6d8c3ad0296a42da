package analyzer

import (
	"fmt"
	"math"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// Load is the rate at which ops arrive in pilots and timing trials, evenly and
// whether or not they can start.
type Load struct {
	RatePerSec float64 `json:"rate_per_sec"`
}

// CellLoad is what became of the arrivals in all counted trials of a cell.
type CellLoad struct {
	// Holds says that the cell keeps up: Done is at least Options.HeldShare of
	// Settled. Of a cell that does not, ops_per_sec is what it reached, and no
	// latency is told: it grows for as long as ops arrive.
	Holds bool `json:"holds"`
	// Due are the arrivals of the trials, Settled those of them that were due at
	// least the time of an op alone before a trial's end, and Done the ops that
	// had ended by then.
	Due     int64   `json:"due"`
	Settled float64 `json:"settled"`
	Done    int64   `json:"done"`
	// Reason says why it does not hold the rate.
	Reason string `json:"reason,omitempty"`
	// P99s are the p99s of the counted trials in ns, in the order in which they
	// ran, of a cell that holds the rate with at least Options.MinTailOps ops in
	// each. What compares runs rests on them.
	P99s []float64 `json:"p99_samples_ns,omitempty"`
}

// open reports whether the workload's ops arrive at a fixed rate.
func (l *load) open() bool { return l.w.Rate > 0 }

// rateText is the rate at which ops arrive, "200/s".
func (l *load) rateText() string { return workload.Rate(l.w.Rate).String() }

// arrivals is how many ops arrive in a time, at least one.
func (l *load) arrivals(ns int64) int64 {
	return max(int64(math.Ceil(l.w.Rate*float64(ns)/1e9)), 1)
}

// window is the time in which so many ops arrive.
func (l *load) window(ops int64) int64 { return int64(float64(ops) * 1e9 / l.w.Rate) }

// lasts is how long so many ops of a cell take, at a rate of r a second where
// they start one after another; where they arrive, what has not started when
// the last should have never does.
func (v *view) lasts(l *load, ops int64, r float64) int64 {
	if l.open() {
		return l.window(ops) + int64(v.guess(l).wallNs)
	}
	return int64(float64(ops) * 1e9 / max(r, 1e-6))
}

// kept adds up what became of the arrivals of trials. An op takes opNs when it
// is alone: those that arrive later before the end cannot have ended by it.
func (o Options) kept(fs []plan.Finished, opNs float64) CellLoad {
	var c CellLoad
	short := false
	for i := range fs {
		x := fs[i].Record.Load
		if x == nil || x.WindowNs <= 0 {
			continue
		}
		c.Due += x.Due
		c.Done += x.Done
		c.Settled += settled(x, opNs)
		short = short || o.MinWindow*opNs > float64(x.WindowNs)
	}
	switch {
	case c.Due == 0:
		c.Reason = "no trial with arrivals was counted"
	case short:
		c.Reason = fmt.Sprintf("its trials are too short to tell: an op takes %s alone, and they must last %.0f times as long", quantity.Duration(opNs), o.MinWindow)
	case float64(c.Done) < o.HeldShare*c.Settled:
		c.Reason = fmt.Sprintf("%d ops were done where at least %.0f should have been", c.Done, o.HeldShare*c.Settled)
	default:
		c.Holds = true
	}
	return c
}

// settled is how many arrivals can have ended within the window.
func settled(x *record.Load, opNs float64) float64 {
	return max(float64(x.Due)*(1-opNs/float64(x.WindowNs)), 0)
}

// behind reports whether a single trial fell so far behind that no chance
// explains it.
func (o Options) behind(x *record.Load, opNs float64) bool {
	return x == nil || float64(x.Done)*o.PilotFactor < settled(x, opNs)
}

// reached is the throughput of a trial: of one in which ops arrive, the rate
// times the share of them that were done in time.
func (v *view) reached(l *load) func(*record.Record) float64 {
	if !l.open() {
		return rate
	}
	opNs := v.guess(l).wallNs
	return func(r *record.Record) float64 {
		if r.Load == nil || r.Ops <= 0 {
			return 0
		}
		s := settled(r.Load, opNs)
		if s <= 0 {
			return rate(r)
		}
		ok := float64(r.Ops-r.FailedOps) / float64(r.Ops)
		return r.Load.RatePerSec * min(float64(r.Load.Done)/s, 1) * ok
	}
}

// score is what the workload's objective makes of a trial; more is better. One
// that falls behind the rate at which ops arrive is worth nothing.
func (v *view) score(l *load) func(*record.Record) float64 {
	worth := v.worth(l)
	if !l.open() {
		return worth
	}
	opNs := v.guess(l).wallNs
	return func(r *record.Record) float64 {
		if v.o.behind(r.Load, opNs) {
			return 0
		}
		return worth(r)
	}
}

// worth is score, whether or not a trial falls behind.
func (v *view) worth(l *load) func(*record.Record) float64 {
	if !l.open() || l.w.Objective != string(workload.Latency) {
		return scoreOf(l.w.Objective, v.compared(l))
	}
	return func(r *record.Record) float64 {
		if r.Latency != nil && r.Latency.N >= v.o.MinTailOps {
			return inverse(float64(r.Latency.Quantile(0.99)))
		}
		return inverse(float64(r.Latency.Quantile(0.5))) // of a pilot
	}
}

// fellBehind says of the shown trials of a cell by how much they fell behind,
// "" if they did not, or not by enough to take the cell out.
func (v *view) fellBehind(l *load, c plan.Cell) string {
	if !l.open() {
		return ""
	}
	fs := l.counted(c, plan.Timing, v.o)
	if len(fs) == 0 {
		fs = l.counted(c, plan.Pilot, v.o)
	}
	opNs := v.guess(l).wallNs
	for i := range fs {
		if !v.o.behind(fs[i].Record.Load, opNs) {
			return ""
		}
	}
	k := v.o.kept(fs, opNs)
	return fmt.Sprintf("it does not hold %s: %s", l.rateText(), k.Reason)
}

// opened is how many ops a timing trial has where they arrive at a rate: as many
// as arrive in the time that the budget has for it, and enough for the least
// number of repetitions to show a p99, where that is what is asked for and the
// budget holds those. What fell behind gets trials as short as pilots.
func (v *view) opened(l *load, c plan.Cell, forNs int64) int64 {
	longest := l.arrivals(v.longest(l))
	least := max(l.arrivals(int64(v.o.MinWindow*v.guess(l).wallNs))+1, v.o.MinOps)
	if v.fellBehind(l, c) != "" {
		return min(max(l.arrivals(int64(v.o.MaxPilot)), least), longest)
	}
	// The baseline and one more cell need their repetitions, if it keeps up.
	shared := int64(2 * v.o.MinReps)
	if v.fellBehind(l, l.baseline()) != "" {
		shared = int64(v.o.MinReps)
	}
	most := l.arrivals(max(v.left(l), 0)*9/10/shared - v.overhead(l, false))
	tail := max(min(v.tailOps(l), most), least)
	// Of so many ops p99s compare; the first cell decides how many.
	if n := v.openedFirst(l); n >= tail {
		return min(n, longest)
	}
	return min(max(l.arrivals(forNs), tail), longest)
}

// openedFirst is how many ops the trials of the cells have that keep up, 0 before
// there are any.
func (v *view) openedFirst(l *load) int64 {
	var n int64
	for c, t := range l.planned {
		if v.fellBehind(l, c) == "" {
			n = max(n, t.Ops)
		}
	}
	return n
}

// longest is the time for which ops may arrive in a trial: the timeout ends it
// otherwise, which also has to hold its start, its end and the ops in flight.
func (v *view) longest(l *load) int64 {
	if l.w.TimeoutNs <= 0 {
		return 1 << 62
	}
	return int64(v.o.WindowShare * float64(l.w.TimeoutNs))
}

// tailOps is how many ops a trial needs for the p99 of a cell, 1 where that is
// not asked for.
func (v *view) tailOps(l *load) int64 {
	asked := slices.ContainsFunc(v.limits(l), func(c workload.Constraint) bool { return c.Metric == workload.MetricP99 })
	if l.w.Objective != string(workload.Latency) && !asked {
		return 1
	}
	return v.o.tailOps()
}

// judgeLoad says of a cell whether it holds the rate, and takes what means
// nothing under a load, or of a cell that does not hold it, away.
func (j *judgement) judgeLoad(cell *Cell, fs []plan.Finished) {
	l := j.load
	if !l.open() || len(fs) == 0 {
		return
	}
	k := j.o.kept(fs, j.guess(l).wallNs)
	cell.Load, cell.Speedup = &k, Interval{}
	if !k.Holds {
		cell.Latency = Latency{}
		return
	}
	k.P99s = j.o.tails(fs)
}

// tails returns the p99 of each trial, nil if one has too few ops for its own.
func (o Options) tails(fs []plan.Finished) []float64 {
	if slices.ContainsFunc(fs, func(f plan.Finished) bool { return f.Record.Latency == nil || f.Record.Latency.N < o.MinTailOps }) {
		return nil
	}
	return values(fs, func(r *record.Record) float64 { return estimate(r.Latency, 0.99) })
}

// estimate returns the quantile q of what the values of a histogram were drawn
// from: a point between two of them such that its median is that quantile, nearly,
// whatever the distribution and however many there are (Hyndman and Fan: Sample
// quantiles in statistical packages, 1996, definition 8). So trials compare that
// have somewhat more ops than others, which those of two runs may: with
// exponential times the value of rank 198 of 199 is expected 11 % above that of
// 198 of 200.
func estimate(h *record.Histogram, q float64) float64 {
	at := (float64(h.N)+1.0/3)*q + 1.0/3
	rank := math.Floor(at)
	low, high := 0.0, 0.0
	var seen int64
	for _, b := range h.Buckets() {
		if float64(seen) < rank || seen == 0 {
			low = float64(b.Value)
		}
		high = float64(b.Value)
		if seen += b.N; float64(seen) >= rank+1 {
			break
		}
	}
	return low + (at-rank)*(high-low)
}

// untold says why a cell may not be recommended under a load: it does not hold
// the rate, or the quantile that it would be chosen by is not known.
func (j *judgement) untold(cell *Cell) string {
	l := j.load
	switch {
	case !l.open():
		return ""
	case cell.Load == nil: // too few trials is what is said of it
		return ""
	case !cell.Load.Holds:
		return fmt.Sprintf("it does not hold %s: %s", l.rateText(), cell.Load.Reason)
	case cell.Trials >= j.o.MinReps && cell.Latency.P99 == 0 && j.objective() == string(workload.Latency):
		return fmt.Sprintf("its p99 is not known: %d ops are needed, %s at %s, and its %d trials have %d",
			j.o.MinP99Ops, quantity.Duration(float64(l.window(j.o.MinP99Ops))), l.rateText(), cell.Trials, cell.Ops)
	}
	return ""
}

// settleLoad says what would settle a load under which no cell may be
// recommended.
func (j *judgement) settleLoad() {
	l := j.load
	if !l.open() {
		return
	}
	var best *Cell
	least := int64(0)
	for i := range j.out.Cells {
		c := &j.out.Cells[i]
		if c.Load == nil {
			continue
		}
		if c.Load.Holds && c.Latency.P99 == 0 {
			if n := j.o.MinP99Ops - c.Ops; least == 0 || n < least {
				least = n
			}
		}
		if best == nil || c.OpsPerSec.Median > best.OpsPerSec.Median {
			best = c
		}
	}
	switch {
	case least > 0 && j.objective() == string(workload.Latency):
		// One more cell is compared with it.
		j.settle("a budget of about %s: %d more ops of two cells at %s", setting(l.w.BudgetNs+2*l.window(least)), least, l.rateText())
		if need := l.window(j.tailOps(l)); need > j.longest(l) {
			j.settle("a timeout of %s, for %d ops take %s to arrive (measure: timeout)", setting(int64(float64(need)/j.o.WindowShare)), j.tailOps(l), quantity.Duration(float64(need)))
		}
	case best != nil && !best.Load.Holds:
		j.settle("a lower rate, or more in flight if the op waits: the most that was reached is %s/s, by %s", quantity.Rate(best.OpsPerSec.Median), setupOf(best))
	}
}

// floorOf returns the noise floor that a workload's trials show, and which cell
// showed it: the baseline's throughput against itself or, where ops arrive at a
// rate, which says nothing of noise, the score of the best cell that holds it,
// for that is what others are held against. Near to what it can do a cell waits
// now and then, and its p99 wanders: that is its own.
func (v *view) floorOf(l *load) (floor float64, cell plan.Cell, trials int) {
	seed := seedOf(v.plan.Seed, "floor "+l.w.Name)
	if !l.open() {
		fs := l.counted(l.baseline(), plan.Timing, v.o)
		return v.o.floor(fs, seed), l.baseline(), len(fs)
	}
	opNs, score := v.guess(l).wallNs, v.worth(l)
	var scores []float64
	for _, c := range l.w.Cells {
		fs := l.counted(c, plan.Timing, v.o)
		if len(fs) < v.o.MinBlocks || !v.o.kept(fs, opNs).Holds {
			continue
		}
		if own := values(fs, score); len(scores) == 0 || stats.Median(own) > stats.Median(scores) {
			scores, cell = own, c
		}
	}
	if len(scores) == 0 {
		return 0, plan.Cell{}, 0
	}
	return stats.SelfDifference(scores, seed, v.o.NoiseSplits, v.o.NoiseQuantile), cell, len(scores)
}

// held says what the recommended cell makes of the rate, and whether one op
// after another would do.
func (j *judgement) held(c *Cell) string {
	s := fmt.Sprintf("it holds %s", j.load.rateText())
	if c.Latency.P99 > 0 {
		s += fmt.Sprintf(" with a p99 of %s from when an op was due (%d ops in %d trials)", quantity.Duration(float64(c.Latency.P99)), c.Ops, c.Trials)
	}
	base := j.cell(j.load.baseline())
	switch {
	case base == nil || base.Load == nil || c.Model == base.Model:
	case !base.Load.Holds:
		s += fmt.Sprintf("; sequential reaches %s/s of it", quantity.Rate(base.OpsPerSec.Median))
	case base.Latency.P99 > 0:
		s += fmt.Sprintf("; sequential holds it with a p99 of %s", quantity.Duration(float64(base.Latency.P99)))
	}
	return s
}
