package analyzer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// pilots runs a short trial of every cell that the guess does not call
// hopeless: how many ops a trial needs, and which cells are far behind.
func (v *view) pilots(l *load) step {
	var s step
	if _, ended := l.ended(); ended || v.timingBegan(l) {
		return s
	}
	g := v.guess(l)
	cells := slices.Clone(l.w.Cells)
	// The most promising first, the baseline and what a gate or a claim asks for
	// before all: if the pilots' share of the budget ends early, what is left out
	// was expected to lose.
	asked := l.firstAsked(g)
	hold := g.bounded(l)
	if c, ok := v.predicted(l); ok && !l.gone(c) {
		asked[c] = true // what is predicted is put to the test
	}
	slices.SortStableFunc(cells, func(a, b plan.Cell) int {
		return cmp.Or(
			-cmp.Compare(btoi(a == l.baseline()), btoi(b == l.baseline())),
			-cmp.Compare(btoi(asked[a]), btoi(asked[b])),
			-cmp.Compare(hold(a), hold(b)),
			cmp.Compare(a.Concurrency, b.Concurrency),
			cmp.Compare(a.Model.Rank(), b.Model.Rank()),
		)
	})
	share := v.o.PilotShare / float64(max(len(cells), 1))
	forNs := clamp(int64(share*float64(l.w.BudgetNs))-v.overhead(l, false), int64(v.o.MinPilot), int64(v.o.MaxPilot))
	allowance := int64(v.o.PilotShare * float64(l.w.BudgetNs))
	spent := l.spentOn(plan.Pilot)
	piloted := 0
	for _, c := range cells {
		if l.gone(c) {
			continue
		}
		if len(l.counted(c, plan.Pilot, v.o)) > 0 {
			piloted++
		}
		if c.Model == model.Hybrid && len(l.w.Steps) > 1 && v.offload(l) == nil {
			s.out = append(s.out, plan.Elimination{Cell: c, Reason: "no step of the op, or every one, is CPU-bound by itself: nothing to tell apart"})
			continue
		}
		if why, hangs := v.hangs(l, c); hangs && !l.w.Exhaustive {
			s.out = append(s.out, plan.Elimination{Cell: c, Reason: why})
			continue
		}
		rep, wanted := v.pilotRep(l, c)
		if !wanted {
			continue
		}
		r := v.rateOf(l, c)
		lasts := max(rounds(1, c, r), forNs)
		if l.open() {
			lasts = v.lasts(l, l.arrivals(forNs), r)
		}
		cost := lasts + v.overhead(l, false)
		left := v.left(l)
		// The reserve is for cells that have a pilot, so some must get one.
		must := c == l.baseline() || (piloted < reserved || asked[c]) && rep == 0
		switch {
		case left <= 0:
			return s
		case l.w.Exhaustive && cost <= left: // every cell has its pilot
		case c != l.baseline() && lasts > allowance/4 && lasts > forNs:
			s.out = append(s.out, plan.Elimination{Cell: c, Reason: fmt.Sprintf("one round of %d ops is expected to take %s; a pilot may take %s", c.Concurrency, seconds(lasts), seconds(allowance/4))})
			continue
		case !must && rep > 0 && spent+cost > allowance:
			continue // a further warm-up is not worth more than timing trials
		case !must && (spent+cost > allowance+allowance/2 || cost > left-v.reserve(l)):
			s.out = append(s.out, plan.Elimination{Cell: c, Reason: "the budget holds no pilot of it: it was expected to do no better than those that were tried"})
			continue
		}
		t, ok := l.timed(plan.Trial{Cell: c, Pass: plan.Pilot, Rep: rep}, r, forNs, max(int64(c.Concurrency), 2), share)
		if !ok || c != l.baseline() && l.opsLeft()-t.Ops < int64(v.o.MinReps)*int64(c.Concurrency) {
			s.out = append(s.out, plan.Elimination{Cell: c, Reason: fmt.Sprintf("max_ops %d leaves %d ops, too few for %d trials of %d in flight", l.w.MaxOps, l.opsLeft(), v.o.MinReps, c.Concurrency)})
			continue
		}
		t.TimeoutNs = v.hang(l, max(lasts, int64(float64(max(t.MinOps, t.Ops))*g.wallNs))+v.overhead(l, false), left-v.reserve(l))
		t.Offload = v.offloadFor(l, c)
		s.trial, s.why = t, fmt.Sprintf("%s: pilot of %s at %d", l.w.Name, c.Model, c.Concurrency)
		return s
	}
	return s
}

// firstAsked returns, of each model that a gate or a claim is about, the cell
// that is expected to do best; of equals the one with the lowest concurrency.
func (l *load) firstAsked(g guess) map[plan.Cell]bool {
	first := make(map[plan.Cell]bool)
	for _, m := range l.asked {
		var best *plan.Cell
		for i := range l.w.Cells {
			c := &l.w.Cells[i]
			if c.Model == m && !l.gone(*c) && (best == nil || g.rate(*c, l) > g.rate(*best, l)) {
				best = c
			}
		}
		if best != nil {
			first[*best] = true
		}
	}
	return first
}

// pilotRep returns the next pilot that a cell wants. The first calibrates; as
// many as the plan's warm-ups follow.
func (v *view) pilotRep(l *load, c plan.Cell) (int, bool) {
	for rep := range max(l.w.Warmup, 1) {
		if v.attempt(l, slot{cell: c, pass: plan.Pilot, rep: rep}) {
			return rep, true
		}
	}
	return 0, false
}

// gone reports whether a cell is not measured any more: it was eliminated, or
// its trials broke twice, or ran into their deadline.
func (l *load) gone(c plan.Cell) bool {
	if _, out := l.eliminated[c]; out {
		return true
	}
	_, ended := l.brokenDown(c)
	return ended
}

// brokenDown returns the trial that ended a cell: the second one to break, or
// the first to run into its deadline.
func (l *load) brokenDown(c plan.Cell) (plan.Finished, bool) {
	bad := append(l.broken(c, plan.Pilot), l.broken(c, plan.Timing)...)
	for i, f := range bad {
		if i > 0 || !repeatable(&f) {
			return f, true
		}
	}
	return plan.Finished{}, false
}

func (v *view) timingBegan(l *load) bool { return len(l.planned) > 0 }

func (l *load) spentOn(p plan.Pass) int64 {
	var sum int64
	for s, attempts := range l.slots {
		if s.pass == p {
			for _, f := range attempts {
				sum += f.Record.ElapsedNs
			}
		}
	}
	return sum
}

// rateOf is the throughput to expect of a cell: measured by its trials, else
// by its pilot, else guessed.
func (v *view) rateOf(l *load, c plan.Cell) float64 {
	for _, p := range []plan.Pass{plan.Timing, plan.Pilot} {
		if fs := l.counted(c, p, v.o); len(fs) > 0 {
			return rate(&fs[len(fs)-1].Record)
		}
	}
	return v.guess(l).rate(c, l)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func seconds(ns int64) string { return fmt.Sprintf("%.3gs", float64(ns)/1e9) }

// repeatable reports whether a broken trial is worth another: not one that
// ran into its deadline.
func repeatable(f *plan.Finished) bool { return f.Record.Status != record.TimedOut }
