package analyzer

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
)

// rise returns the level to add above the highest one of a model, nil if there
// is none: twice as many in flight, where throughput, or what else the objective
// asks for, still grew by more than Flat over the last doubling, the model keeps
// pace with the best at its level, and the budget holds a pilot. Of several
// models the simplest goes first.
//
// One level a call: the next rests on the pilot of this one.
func (v *view) rise(l *load) *plan.Addition {
	if l.w.MaxLevel == 0 {
		return nil
	}
	cs := v.shown(l)
	for _, m := range model.All() {
		top, below, ok := v.slope(l, cs, m)
		if !ok || top.score <= below.score*(1+max(v.o.Flat, v.margin(l))) || !v.keepsPace(cs, top) || v.unfit(l, top.cell) {
			continue
		}
		if v.followed(cs, top) {
			continue
		}
		next := top.cell
		next.Concurrency = min(2*top.cell.Concurrency, l.w.Ceiling(m))
		if next.Concurrency <= top.cell.Concurrency || !v.holdsPilot(l, next) {
			continue
		}
		return &plan.Addition{Cell: next, Reason: fmt.Sprintf("it still gained %s from %d to %d in flight",
			times(top.score/below.score), below.cell.Concurrency, top.cell.Concurrency)}
	}
	return nil
}

// slope returns the highest level of a model and the one below it, false
// unless both have shown something and are still in the run.
func (v *view) slope(l *load, cs []candidate, m model.Model) (top, below candidate, ok bool) {
	var of []plan.Cell
	for _, c := range l.w.Cells {
		if c.Model == m {
			of = append(of, c)
		}
	}
	slices.SortFunc(of, func(a, b plan.Cell) int { return cmp.Compare(b.Concurrency, a.Concurrency) })
	if len(of) < 2 || l.gone(of[0]) {
		return top, below, false
	}
	top, highest := find(cs, of[0])
	below, second := find(cs, of[1])
	return top, below, highest && second
}

// followed reports whether a simpler model does as well with as many in flight: of
// equals that one would be recommended, so it alone is followed upwards.
func (v *view) followed(cs []candidate, c candidate) bool {
	return slices.ContainsFunc(cs, func(x candidate) bool {
		return !x.barred && x.cell.Model.Rank() < c.cell.Model.Rank() && x.cell.Concurrency == c.cell.Concurrency && x.score*(1+v.o.Flat) >= c.score
	})
}

// keepsPace reports whether a cell is not far behind those that have at most as
// many in flight.
func (v *view) keepsPace(cs []candidate, c candidate) bool {
	return !slices.ContainsFunc(cs, func(x candidate) bool {
		return !x.barred && x.cell.Concurrency <= c.cell.Concurrency && x.score > v.o.PilotFactor*c.score
	})
}

// knee returns the levels to add between others, once every cell has its pilot:
// beside the least level of the leading model that is as good as its best, half
// way to each neighbour that differs by more than Flat, if that could be as good
// from below, or better from above. So a pool's size is known to better than a
// factor of two.
func (v *view) knee(l *load) []plan.Addition {
	between := 0
	for c := range l.added {
		between += btoi(l.between(c))
	}
	cs := v.candidates(l)
	if l.w.MaxLevel == 0 || len(cs) == 0 {
		return nil
	}
	lead := leader(cs)
	at := heir(cs, lead, v.margin(l))
	if at.cell == l.baseline() || at.barred {
		return nil
	}
	// What is added competes for the budget with all that can still win.
	rivals := slices.DeleteFunc(slices.Clone(cs), func(c candidate) bool { return c.score*v.o.PilotFactor < lead.score && c.cell != l.baseline() })
	spare := v.left(l) - v.profileReserve(l, v.profileCells(l)) - int64(v.o.MinReps)*v.need(l, rivals, nil, true)
	one := int64(v.o.MinReps) * v.need(l, []candidate{at}, nil, true)
	of := slices.DeleteFunc(slices.Clone(cs), func(c candidate) bool { return c.cell.Model != at.cell.Model })
	slices.SortFunc(of, func(a, b candidate) int { return cmp.Compare(a.cell.Concurrency, b.cell.Concurrency) })
	i := slices.IndexFunc(of, func(c candidate) bool { return c.cell == at.cell })
	var add []plan.Addition
	for _, j := range []int{i - 1, i + 1} {
		if j < 0 || j >= len(of) || int64(len(add)+1)*one > spare || between+len(add) >= v.o.KneeLevels || of[j].score*(1+max(v.o.Flat, v.margin(l))) >= lead.score {
			continue
		}
		low, high := of[min(i, j)], of[max(i, j)]
		mid := at.cell
		mid.Concurrency = (low.cell.Concurrency + high.cell.Concurrency) / 2
		could := bound(of, min(i, j), mid.Concurrency)
		switch {
		case mid.Concurrency == low.cell.Concurrency || slices.Contains(l.w.Cells, mid) || !v.holdsPilot(l, mid):
			continue
		case j < i && could*(1+v.o.Flat) < lead.score, j > i && could <= lead.score*(1+v.margin(l)):
			continue
		}
		add = append(add, plan.Addition{Cell: mid, Reason: fmt.Sprintf("at %d in flight it reached %.0f %% of the best, at %d %.0f %%",
			of[j].cell.Concurrency, 100*of[j].score/lead.score, at.cell.Concurrency, 100*at.score/lead.score)})
	}
	return add
}

// bound is the most that a level above the i-th can score: curves of throughput
// bend downwards, as the Universal Scalability Law does before its peak, so none
// passes the line through a level and the one before it, or nothing at 0.
func bound(of []candidate, i, level int) float64 {
	x, y := float64(of[i].cell.Concurrency), of[i].score
	var x0, y0 float64
	if i > 0 {
		x0, y0 = float64(of[i-1].cell.Concurrency), of[i-1].score
	}
	return y + (y-y0)/(x-x0)*(float64(level)-x)
}

// between reports whether an added cell is none of the doublings above the
// levels of the plan.
func (l *load) between(c plan.Cell) bool {
	top := 0
	for _, x := range l.w.Cells {
		if _, added := l.added[x]; x.Model == c.Model && !added {
			top = max(top, x.Concurrency)
		}
	}
	return top == 0 || c.Concurrency%top != 0 || bits.OnesCount(uint(c.Concurrency/top)) != 1
}

// levels returns the levels of a model that the plan has or may add by doubling,
// ascending, whatever was added: what is predicted does not rest on pilots.
func (l *load) levels(m model.Model) []int {
	planned := plan.Workload{Target: l.w.Target, MaxLevel: l.w.MaxLevel}
	var ns []int
	for _, c := range l.w.Cells {
		if _, added := l.added[c]; c.Model == m && !added {
			planned.Cells = append(planned.Cells, c)
			ns = append(ns, c.Concurrency)
		}
	}
	slices.Sort(ns)
	return append(ns, planned.Doublings(m)...)
}

// holdsPilot reports whether a cell that is to be added would get a pilot.
func (v *view) holdsPilot(l *load, c plan.Cell) bool {
	p := v.purse(l)
	r := v.rateOf(l, c)
	lasts := p.lasts(c, r)
	cost := lasts + v.overhead(l, false)
	if _, hangs := v.hangs(l, c); hangs || p.tooLong(lasts) || p.over(cost) || cost > v.left(l)-v.reserve(l) {
		return false
	}
	t, ok := l.timed(plan.Trial{Cell: c, Pass: plan.Pilot}, r, p.forNs, max(int64(c.Concurrency), 2), p.share)
	return ok && l.holdsReps(c, t.Ops, reserved*v.o.MinReps) // others need theirs too
}
