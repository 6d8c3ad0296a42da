package analyzer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// pilots runs a short trial of every cell that the guess does not call
// hopeless: how many ops a trial needs, which cells are far behind, and which
// levels the plan lacks.
func (v *view) pilots(l *load) step {
	if _, ended := l.ended(); ended || v.timingBegan(l) {
		return step{}
	}
	var s step
	for add := v.rise(l); add != nil; add = v.rise(l) {
		if !l.extend(*add) {
			break
		}
		s.added = append(s.added, *add)
	}
	v.nextPilot(l, &s)
	if s.trial != nil {
		return s
	}
	v.apply(s.out)
	for _, add := range v.knee(l) {
		if l.extend(add) {
			s.added = append(s.added, add)
		}
	}
	if len(s.added) > 0 {
		v.nextPilot(l, &s)
	}
	return s
}

// A purse is what the pilots of a workload may take of its budget.
type purse struct {
	share            float64 // of the budget, each
	forNs            int64   // that a pilot lasts, at least
	allowance, spent int64   // of all
}

func (v *view) purse(l *load) purse {
	share := v.o.PilotShare / float64(max(len(l.w.Cells), 1))
	return purse{
		share:     share,
		forNs:     clamp(int64(share*float64(l.w.BudgetNs))-v.overhead(l, false), int64(v.o.MinPilot), int64(v.o.MaxPilot)),
		allowance: int64(v.o.PilotShare * float64(l.w.BudgetNs)),
		spent:     l.spentOn(plan.Pilot),
	}
}

// lasts is how long a pilot is expected to take: one round of ops at least.
func (p purse) lasts(c plan.Cell, rate float64) int64 { return max(rounds(1, c, rate), p.forNs) }

// tooLong reports whether one pilot would take too much of what all may.
func (p purse) tooLong(lasts int64) bool { return lasts > p.allowance/4 && lasts > p.forNs }

// over reports whether a pilot would pass what all may take by more than half.
func (p purse) over(cost int64) bool { return p.spent+cost > p.allowance+p.allowance/2 }

// pilotOrder returns the cells in the order of their pilots, the most promising
// first: the baseline, what is predicted and what a gate or a claim asks for, the
// neighbours of what is predicted, then by the guess. If the pilots' share of the
// budget ends early, what is left out was expected to lose.
func (v *view) pilotOrder(l *load) (cells []plan.Cell, asked map[plan.Cell]bool) {
	g := v.guess(l)
	asked = l.firstAsked(g)
	hold := g.bounded(l)
	near := func(plan.Cell) int { return 0 }
	if p, ok := v.predicted(l); ok {
		// A predicted level beyond the plan's is reached by doubling.
		first := l.nearest(p)
		if !l.gone(first) {
			asked[first] = true // what is predicted is put to the test
		}
		near = func(c plan.Cell) int {
			return btoi(c.Model == first.Model && c.Concurrency <= 2*first.Concurrency && 2*c.Concurrency >= first.Concurrency)
		}
	}
	cells = slices.Clone(l.w.Cells)
	slices.SortStableFunc(cells, func(a, b plan.Cell) int {
		return cmp.Or(
			-cmp.Compare(btoi(a == l.baseline()), btoi(b == l.baseline())),
			-cmp.Compare(btoi(asked[a]), btoi(asked[b])),
			-cmp.Compare(near(a), near(b)),
			-cmp.Compare(hold(a), hold(b)),
			cmp.Compare(a.Concurrency, b.Concurrency),
			cmp.Compare(a.Model.Rank(), b.Model.Rank()),
		)
	})
	return cells, asked
}

// nearest is the cell of the plan's own that is nearest to another of its model.
func (l *load) nearest(c plan.Cell) plan.Cell {
	best, least := c, math.Inf(1)
	for _, x := range l.w.Cells {
		if _, added := l.added[x]; x.Model != c.Model || added && x != c {
			continue
		}
		if d := math.Abs(math.Log2(float64(x.Concurrency) / float64(c.Concurrency))); d < least {
			best, least = x, d
		}
	}
	return best
}

// nextPilot makes the next pilot, if any is wanted, and takes out cells that
// cannot have one.
func (v *view) nextPilot(l *load, s *step) {
	g := v.guess(l)
	cells, asked := v.pilotOrder(l)
	p := v.purse(l)
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
		lasts := p.lasts(c, r)
		if l.open() {
			lasts = v.lasts(l, l.arrivals(p.forNs), r)
		}
		cost := lasts + v.overhead(l, false)
		left := v.left(l)
		// The reserve is for cells that have a pilot, so some must get one.
		must := c == l.baseline() || (piloted < reserved || asked[c]) && rep == 0
		switch {
		case left <= 0:
			return
		case l.w.Exhaustive && cost <= left: // every cell has its pilot
		case c != l.baseline() && p.tooLong(lasts):
			s.out = append(s.out, plan.Elimination{Cell: c, Reason: fmt.Sprintf("one round of %d ops is expected to take %s; a pilot may take %s", c.Concurrency, quantity.Duration(float64(lasts)), quantity.Duration(float64(p.allowance)/4))})
			continue
		case !must && rep > 0 && p.spent+cost > p.allowance:
			continue // a further warm-up is not worth more than timing trials
		case !must && (p.over(cost) || cost > left-v.reserve(l)):
			s.out = append(s.out, plan.Elimination{Cell: c, Reason: "the budget holds no pilot of it: it was expected to do no better than those that were tried"})
			continue
		}
		t, ok := l.timed(plan.Trial{Cell: c, Pass: plan.Pilot, Rep: rep}, r, p.forNs, max(int64(c.Concurrency), 2), p.share)
		if !ok || c != l.baseline() && !l.holdsReps(c, t.Ops, v.o.MinReps) {
			s.out = append(s.out, plan.Elimination{Cell: c, Reason: fmt.Sprintf("max_ops %d leaves %d ops, too few for %d trials of %d in flight", l.w.MaxOps, l.opsLeft(), v.o.MinReps, c.Concurrency)})
			continue
		}
		if c != l.baseline() { // without which nothing can be said
			// When its time is up a pool has as many ops in flight as it has
			// workers, and as many again waiting for one.
			ops := max(t.MinOps, t.Ops) + 2*int64(c.Concurrency)
			t.TimeoutNs = v.hang(l, max(lasts, int64(float64(ops)*v.turn(l, c, g)))+v.starting(l, c), left-v.reserve(l))
		}
		t.Offload = v.offloadFor(l, c)
		s.trial, s.why = t, fmt.Sprintf("%s: pilot of %s at %d", l.w.Name, c.Model, c.Concurrency)
		if why, added := l.added[c]; added && rep == 0 {
			s.why += ", a level that was added: " + why
		}
		return
	}
}

// turn is the time, in ns, that each op of a cell adds at worst: all of it where
// ops run one after another. A level that was added above another does as well as
// that one at least, or is of no use.
func (v *view) turn(l *load, c plan.Cell, g guess) float64 {
	ns := g.wallNs
	if _, added := l.added[c]; !added {
		return ns
	}
	for _, x := range v.shown(l) {
		if x.cell.Model == c.Model && x.cell.Concurrency < c.Concurrency {
			ns = min(ns, 1e9/max(v.rateOf(l, x.cell), 1e-6))
		}
	}
	return ns
}

// holdsReps reports whether max_ops holds the least repetitions of a cell beside
// so many ops more.
func (l *load) holdsReps(c plan.Cell, ops int64, reps int) bool {
	return l.opsLeft()-ops >= int64(reps)*int64(c.Concurrency)
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

// setting writes a budget or a bound as a workload file has it, to whole seconds:
// it is there to be copied.
func setting(ns int64) string {
	return workload.Duration(time.Duration(math.Ceil(float64(ns)/1e9)) * time.Second).String()
}

// repeatable reports whether a broken trial is worth another: not one that
// ran into its deadline.
func repeatable(f *plan.Finished) bool { return f.Record.Status != record.TimedOut }
