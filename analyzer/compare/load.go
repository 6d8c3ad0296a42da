package compare

import (
	"fmt"
	"math"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// CellLoad is what a cell made of ops that arrive at a rate in both runs. If it
// holds the rate in both, what is compared are the p99s of its trials; if in one,
// the ops per second that they reached; if in neither, nothing is.
type CellLoad struct {
	Base Arrivals `json:"base"`
	Head Arrivals `json:"head"`
}

// Arrivals is what a cell made of the rate in one run.
type Arrivals struct {
	Holds bool `json:"holds"`
	// P99 is the median of the p99s of its trials, from when an op was due, 0 where
	// it does not hold the rate or has too few ops.
	P99    analyzer.Quartile `json:"p99_ns"`
	Reason string            `json:"reason,omitempty"` // why it does not hold the rate
}

// turns reports whether the cell holds the rate in one of the runs only.
func (l *CellLoad) turns() bool { return l != nil && l.Base.Holds != l.Head.Holds }

// neither reports whether it holds the rate in neither.
func (l *CellLoad) neither() bool { return l != nil && !l.Base.Holds && !l.Head.Holds }

// arrivals is what a cell made of the rate in one run.
func (o Options) arrivals(c *analyzer.Cell) Arrivals {
	if c.Load == nil {
		return Arrivals{}
	}
	a := Arrivals{Holds: c.Load.Holds, Reason: c.Load.Reason}
	if len(c.Load.P99s) > 0 {
		in := stats.MedianInterval(c.Load.P99s, o.Level)
		a.P99 = analyzer.Quartile{Median: in.Value, Low: in.Low, High: in.High, Level: in.Level}
	}
	return a
}

// offered returns what is compared of a cell whose ops arrive at a rate, a value
// for each trial, or why nothing is.
func (o Options) offered(l *CellLoad, b, h *analyzer.Cell) (base, head []float64, why string) {
	switch {
	case b.Load == nil || h.Load == nil:
		return nil, nil, "ops arrive at a rate in one of the runs only"
	case l.neither():
		return nil, nil, "it holds the rate in neither run"
	case l.turns():
		return b.Samples, h.Samples, ""
	case b.Latency.P99 == 0 || h.Latency.P99 == 0 || !hasTails(b) || !hasTails(h):
		return nil, nil, fmt.Sprintf("its p99 is not known: its trials have %d and %d ops", b.Ops, h.Ops)
	}
	x, y := float64(b.Ops)/float64(len(b.Load.P99s)), float64(h.Ops)/float64(len(h.Load.P99s))
	if max(x, y) > o.LikeOps*min(x, y) {
		return nil, nil, fmt.Sprintf("its trials have %.0f ops and %.0f: their p99s would differ by that", x, y)
	}
	return b.Load.P99s, h.Load.P99s, ""
}

// tailFloor is the noise floor of p99s: what those of a cell differ from
// themselves by, or of the first that has any, in the run where that is more, and
// no less than the histograms resolve that they are read off.
func (o Options) tailFloor(at plan.Cell, seed uint64, b, h *analyzer.Workload) float64 {
	floor := record.Resolution
	for _, w := range []*analyzer.Workload{b, h} {
		c := cellOf(w, &analyzer.Cell{Model: at.Model, Concurrency: at.Concurrency})
		for i := 0; !hasTails(c) && i < len(w.Cells); i++ {
			c = &w.Cells[i]
		}
		if hasTails(c) {
			floor = max(floor, stats.SelfDifference(c.Load.P99s, seed, o.NoiseSplits, o.NoiseQuantile))
		}
	}
	return floor
}

// hasTails reports whether the p99s of a cell's trials are known.
func hasTails(c *analyzer.Cell) bool { return c != nil && c.Load != nil && len(c.Load.P99s) > 0 }

// slowdown answers a condition on a regression where ops arrive at a rate: by how
// much the p99 of a cell has grown, relative. One that no longer holds the rate
// has grown without bound, and one that only now does has not.
func (w *Workload) slowdown(a *analyzer.Answer, cond workload.Condition, x *Cell) {
	rate := workload.Rate(w.Load.RatePerSec)
	name := cellName(x.Model, x.Concurrency)
	decide := func(grown float64) {
		if a.Outcome = analyzer.NotMet; cond.Admits(grown) {
			a.Outcome = analyzer.Met
		}
	}
	switch x.Verdict {
	case Behind:
		a.Found = fmt.Sprintf("%s no longer holds %s: it reached %.3g/s", name, rate, x.Head.Median)
		decide(math.Inf(1))
		return
	case Keeps:
		a.Found = fmt.Sprintf("%s now holds %s, and reached %.3g/s before", name, rate, x.Base.Median)
		decide(math.Inf(-1))
		return
	case Untested, Neither:
		a.Why = fmt.Sprintf("%s: %s", name, x.Why)
		return
	case Same:
		if x.Load.turns() {
			a.Why = fmt.Sprintf("%s: %s", name, x.Why)
			return
		}
	}
	a.Value, a.Low, a.High = x.Change.Value, x.Change.Low, x.Change.High
	a.Found = fmt.Sprintf("p99 %s (%s to %s) in %s", longer(a.Value), signed(a.Low), signed(a.High), name)
	within(a, cond, x)
}

// longer writes the growth of a time: "12 % longer".
func longer(growth float64) string {
	if growth < 0 {
		return percent(-growth) + " shorter"
	}
	return percent(growth) + " longer"
}
