package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
)

// Settle answers those conditions of the head's verdict that are about a
// regression, which no single run answers.
func (c *Comparison) Settle(head *analyzer.Result) {
	for i := range head.Workloads {
		w := &head.Workloads[i]
		for k, a := range w.Gate {
			if cond, err := workload.ParseCondition(a.Condition); err == nil && cond.Subject == workload.SubjectRegression {
				w.Gate[k] = c.regression(w.Name, cond)
			}
		}
	}
}

// Tell shows the answers of the head's verdict in the comparison.
func (c *Comparison) Tell(head *analyzer.Result) {
	for i := range c.Workloads {
		if h := find(head, c.Workloads[i].Name); h != nil {
			c.Workloads[i].Gate = h.Gate
		}
	}
}

// regression answers a condition on what share of its throughput a workload
// has lost: 0.1 where the head reaches 90 % of the base. Where ops arrive at a
// rate it is by how much the p99 has grown: 0.1 where it is a tenth longer.
//
// It is met if the whole interval of the loss is. It is not met if the whole
// interval is not and the difference itself can be told, which the corrected
// test and the noise floor decide. Between them it is undecided.
func (c *Comparison) regression(name string, cond workload.Condition) analyzer.Answer {
	a := analyzer.Answer{Condition: cond.String(), Outcome: analyzer.Undecided}
	i := slices.IndexFunc(c.Workloads, func(w Workload) bool { return w.Name == name })
	if i < 0 {
		a.Why = c.missing(name)
		return a
	}
	w := &c.Workloads[i]
	x, why := w.standing(cond.Model)
	if x == nil {
		a.Why = why
		return a
	}
	if x.Load != nil {
		w.slowdown(&a, cond, x)
		return a
	}
	a.Value, a.Low, a.High = -x.Change.Value, -x.Change.High, -x.Change.Low
	a.Found = fmt.Sprintf("%s (%s to %s) in %s", told(a.Value), signed(a.Low), signed(a.High), cellName(x.Model, x.Concurrency))
	within(&a, cond, x)
	return a
}

// within holds the interval of a loss against a bound.
func within(a *analyzer.Answer, cond workload.Condition, x *Cell) {
	low, high := cond.Admits(a.Low), cond.Admits(a.High)
	switch {
	case x.Verdict == Untested:
		a.Why = x.Why
	case x.Change.Level == 0:
		a.Why = "there is no interval"
	case low && high:
		a.Outcome = analyzer.Met
	case low != high:
		a.Why = "the interval contains the bound"
	case x.Verdict == Same:
		a.Why = "the difference cannot be told from noise"
	default:
		a.Outcome = analyzer.NotMet
	}
}

// missing says why the comparison does not have a workload.
func (c *Comparison) missing(name string) string {
	if c.Against != nil {
		for _, x := range c.Against.Absent {
			if x.Workload == name {
				reason, _, _ := strings.Cut(x.Reason, "\n")
				return fmt.Sprintf("it cannot run at %s: %s", c.Base.Label, reason)
			}
		}
	}
	return fmt.Sprintf("%s does not have it", c.Base.Label)
}

// standing returns the cell that a condition is about: of a model the one that
// was the fastest in the base, else the usual one.
func (w *Workload) standing(m model.Model) (*Cell, string) {
	var best *Cell
	for i := range w.Cells {
		x := &w.Cells[i]
		switch {
		case m == "" && x.Model == w.Usual.Model && x.Concurrency == w.Usual.Concurrency:
			return x, ""
		case m != x.Model:
		case best == nil || sooner(x, best):
			best = x
		}
	}
	if best != nil {
		return best, ""
	}
	for _, x := range w.Only {
		at := plan.Cell{Workload: w.Name, Model: x.Model, Concurrency: x.Concurrency}
		if m == "" && at == w.Usual || m == x.Model {
			return nil, fmt.Sprintf("only %s has numbers of %s; in the other run: %s", x.In, cellName(x.Model, x.Concurrency), x.Why)
		}
	}
	if m == "" {
		m = w.Usual.Model
	}
	return nil, fmt.Sprintf("neither run has numbers of %s", m)
}

// sooner prefers cells that were tested, then those that were faster: that hold
// the rate at which ops arrive, with a shorter p99.
func sooner(a, b *Cell) bool {
	if x, y := a.tested(), b.tested(); x != y {
		return x
	}
	if a.Load == nil || b.Load == nil || !a.Load.Base.Holds && !b.Load.Base.Holds {
		return a.Base.Median > b.Base.Median
	}
	if x, y := a.Load.Base.Holds, b.Load.Base.Holds; x != y {
		return x
	}
	return a.Load.Base.P99.Median < b.Load.Base.P99.Median
}

// told writes a loss: "12 % slower".
func told(loss float64) string {
	if loss < 0 {
		return percent(-loss) + " faster"
	}
	return percent(loss) + " slower"
}

// signed writes a loss with its sign, "-1.2 %" where something was gained.
func signed(loss float64) string {
	if loss < 0 {
		return "-" + percent(-loss)
	}
	return percent(loss)
}

func percent(v float64) string {
	if v *= 100; v >= 10 {
		return fmt.Sprintf("%.0f %%", v)
	}
	return fmt.Sprintf("%.1f %%", math.Abs(v))
}

func cellName(m model.Model, n int) string {
	if m == model.Sequential {
		return string(m)
	}
	return fmt.Sprintf("%s at %d", m, n)
}
