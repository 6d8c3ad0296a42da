package analyzer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
)

// narrow takes cells out before a block begins, unless the run is exhaustive: those far behind in their
// pilots, those whose whole range lies below the best's, and, the worst first,
// those that the budget cannot hold.
//
// The range rule errs rarely: that all of n trials of a cell that is truly no
// worse fall below all n of the best has probability 1/C(2n, n), 1 in 20 at
// n = 3 and 1 in 924 at 6, and the noise margin comes on top.
func (v *view) narrow(l *load, cs []candidate, block int) ([]candidate, []plan.Elimination) {
	if l.w.Exhaustive {
		return cs, nil
	}
	var out []plan.Elimination
	lead := leader(cs)
	drop := func(c candidate, reason string) {
		out = append(out, plan.Elimination{Cell: c.cell, Reason: reason})
	}
	noise := v.margin(l)
	stays := v.staying(l, cs)
	keep := cs[:0:0]
	leadWorst, leadBest := stats.Range(lead.scores)
	for _, c := range cs {
		_, best := stats.Range(c.scores)
		switch {
		case stays(c):
			keep = append(keep, c)
		case v.fellBehind(l, c.cell) != "":
			drop(c, v.fellBehind(l, c.cell))
		case block == 0 && best*v.o.PilotFactor < leadBest && !l.open(): // whose pilots are too short for a p99
			drop(c, fmt.Sprintf("its pilot reached %.0f %% of the best one's, %s at %d", 100*best/leadBest, lead.cell.Model, lead.cell.Concurrency))
		case block >= v.o.MinBlocks && best*(1+noise) < leadWorst:
			drop(c, fmt.Sprintf("after %d trials its best is %.0f %% of the worst of %s at %d", c.reps, 100*best/leadWorst, lead.cell.Model, lead.cell.Concurrency))
		default:
			keep = append(keep, c)
		}
	}
	keep, full := v.fit(l, keep, lead, stays, block)
	return keep, append(out, full...)
}

// fit drops cells, the worst first, until the budget holds the least number of
// repetitions of those that are left. The predicted cell stays, for only so is the
// prediction put to the test. What has that number is not dropped: it can be
// recommended as it is, and what the budget holds beyond is shared by all.
func (v *view) fit(l *load, cs []candidate, lead candidate, stays func(candidate) bool, block int) ([]candidate, []plan.Elimination) {
	want := v.o.MinReps - block
	if want <= 0 {
		return cs, nil
	}
	left := v.left(l) - v.profileReserve(l, v.profileCells(l))
	worst := slices.Clone(cs)
	slices.SortStableFunc(worst, func(a, b candidate) int { return v.worse(a, b, lead) })
	var out []plan.Elimination
	gone := make(map[plan.Cell]bool)
	predicted, _ := v.predicted(l)
	for _, c := range worst {
		if v.need(l, cs, gone, block == 0)*int64(want) <= left {
			break
		}
		if stays(c) || c.cell == predicted {
			continue
		}
		gone[c.cell] = true
		seen := "in its pilot"
		if c.reps > 0 {
			seen = fmt.Sprintf("after %d trials", c.reps)
		}
		out = append(out, plan.Elimination{Cell: c.cell, Reason: fmt.Sprintf(
			"the budget of %s does not hold %d more trials of every cell; %s this one was at %.0f %% of the best",
			setting(l.w.BudgetNs), want, seen, 100*c.score/max(lead.score, 1e-9))})
	}
	return slices.DeleteFunc(cs, func(c candidate) bool { return gone[c.cell] }), out
}

// need is what one block of the cells that are left costs. Before the first
// block a trial costs at least the shortest time that is worth measuring.
func (v *view) need(l *load, cs []candidate, gone map[plan.Cell]bool, first bool) int64 {
	var sum int64
	for _, c := range cs {
		if gone[c.cell] {
			continue
		}
		cost := c.cost
		if first {
			cost = max(cost, int64(v.o.MinTiming)+v.overhead(l, false))
		}
		sum += cost
	}
	return sum
}

// worse orders cells for leaving. Below the tie margin scores say nothing, so
// there a cell leaves first if it is less simple, for it could not be
// recommended before its equal.
func (v *view) worse(a, b, lead candidate) int {
	band := func(c candidate) int {
		if lead.score <= 0 {
			return 0
		}
		return int((1 - c.score/lead.score) / (2 * v.o.Tie))
	}
	return cmp.Or(
		-cmp.Compare(btoi(a.barred), btoi(b.barred)),
		-cmp.Compare(band(a), band(b)),
		-cmp.Compare(a.cell.Model.Rank(), b.cell.Model.Rank()),
		-cmp.Compare(a.cell.Concurrency, b.cell.Concurrency),
	)
}
