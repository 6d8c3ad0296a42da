package analyzer

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/concprof/concprof/probes/plan"
)

// tried returns how many repetitions of a cell were tried, counted or not.
func (l *load) tried(c plan.Cell, p plan.Pass) int {
	n := 0
	for len(l.slots[slot{cell: c, pass: p, rep: n}]) > 0 {
		n++
	}
	return n
}

// blocks runs the timing trials: all cells that can still win, once a block,
// in an order drawn anew for each block, so that drift hits all alike.
func (v *view) blocks(l *load) step {
	var s step
	cs := v.candidates(l)
	if len(cs) == 0 || len(l.counted(l.baseline(), plan.Pilot, v.o)) == 0 {
		return s
	}
	if block, begins := v.block(l, cs); begins && block < l.w.Runs {
		cs, s.out = v.narrow(l, cs, block)
		v.apply(s.out)
	}
	block, _ := v.block(l, cs)
	if block >= l.w.Runs {
		return s
	}
	stays := v.staying(l, cs)
	left := v.left(l)
	spare := left - v.profileReserve(l, v.profileCells(l))
	order := v.order(l, block)
	if v.short(l, cs, stays, block, left) {
		// What is left does not hold the block: those go first without which
		// nothing is decided, the baseline before all.
		slices.SortStableFunc(order, func(a, b int) int {
			return cmp.Compare(v.weight(l, l.w.Cells[b], stays), v.weight(l, l.w.Cells[a], stays))
		})
	}
	for _, i := range order {
		c, ok := find(cs, l.w.Cells[i])
		if !ok || !v.attempt(l, slot{cell: c.cell, pass: plan.Timing, rep: block}) {
			continue
		}
		t, cost, ok := v.sized(l, cs, c, block)
		needed := block < v.o.MinReps && (stays(c) || l.w.Exhaustive)
		if !ok || cost > left || cost > spare && !needed {
			continue
		}
		s.trial, s.why = t, fmt.Sprintf("%s: block %d of %d, %s at %d, %d cells can still win", l.w.Name, block+1, l.w.Runs, c.cell.Model, c.cell.Concurrency, len(cs))
		return s
	}
	return s
}

// short reports whether what is left does not hold the trials of a block that
// must be made.
func (v *view) short(l *load, cs []candidate, stays func(candidate) bool, block int, left int64) bool {
	var sum int64
	for _, c := range cs {
		if stays(c) && v.attempt(l, slot{cell: c.cell, pass: plan.Timing, rep: block}) {
			sum += c.cost
		}
	}
	return sum > left
}

// weight orders cells by how much a verdict needs them.
func (v *view) weight(l *load, c plan.Cell, stays func(candidate) bool) int {
	if c == l.baseline() {
		return 2
	}
	return btoi(stays(candidate{cell: c}))
}

// block returns the number of the block that is being run, and whether it has
// yet to begin.
func (v *view) block(l *load, cs []candidate) (block int, begins bool) {
	least, most := -1, 0
	for _, c := range cs {
		n := l.tried(c.cell, plan.Timing)
		if n > 0 && v.attempt(l, slot{cell: c.cell, pass: plan.Timing, rep: n - 1}) {
			n-- // its last trial is to be repeated
		}
		if least < 0 || n < least {
			least = n
		}
		most = max(most, n)
	}
	return max(least, 0), least == most
}

// order is the order of a block: a permutation of the plan's cells, drawn
// from the seed, the workload and the block only, so that it does not matter
// which cells are left.
func (v *view) order(l *load, block int) []int {
	rng := rand.New(rand.NewPCG(seedOf(v.plan.Seed, "order "+l.w.Name), uint64(block)))
	return rng.Perm(len(l.w.Cells))
}

// sized makes the timing trial of a cell. All repetitions of a cell run the
// same number of ops: what its pilot did in the time that the budget has for
// one trial, but enough that its start and end do not dominate.
func (v *view) sized(l *load, cs []candidate, c candidate, rep int) (*plan.Trial, int64, bool) {
	t := &plan.Trial{Cell: c.cell, Pass: plan.Timing, Rep: rep, Offload: v.offloadFor(l, c.cell)}
	over := v.overhead(l, false)
	r := max(v.rateOf(l, c.cell), 1e-6)
	if first, ok := l.planned[c.cell]; ok {
		t.Ops = first.Ops
	} else {
		n := int64(c.cell.Concurrency)
		forNs := v.trialTime(l, cs)
		if l.open() {
			t.Ops = v.opened(l, c.cell, forNs)
		} else {
			t.Ops = v.closed(n, r, forNs)
		}
		if l.w.MaxOps > 0 {
			most := l.opsLeft() * 9 / 10 / int64(l.w.Runs*len(cs))
			t.Ops = min(t.Ops, max(most, n))
		}
		t.Ops = v.likePeer(l, c.cell, t.Ops)
	}
	return t, v.lasts(l, t.Ops, r) + over, t.Ops <= l.opsLeft()
}

// closed is how many ops a trial of n in flight has that start as fast as they
// can, at a rate of r a second, in a time.
func (v *view) closed(n int64, r float64, forNs int64) int64 {
	most := forNs + forNs/4
	if forNs <= int64(v.o.MinTiming) {
		most = forNs // the budget holds no more
	}
	ops := max(int64(r*float64(forNs)/1e9), 1)
	for _, least := range []int64{max(v.o.MinOps, v.o.Rounds*n), v.o.Rounds * n, n} {
		ops = max(ops, n)
		if int64(float64(least)*1e9/r) <= most {
			return max(ops, least)
		}
	}
	return ops
}

// trialTime is the time for which a timing trial should run, so that every
// cell gets all its repetitions out of what is left.
func (v *view) trialTime(l *load, cs []candidate) int64 {
	avail := v.left(l) - v.profileReserve(l, v.profileCells(l))
	avail -= avail / 10 // some trials are repeated, some last longer than thought
	trials := int64(0)
	for _, c := range cs {
		if _, fixed := l.planned[c.cell]; fixed {
			avail -= int64(max(l.w.Runs-c.reps, 0)) * c.cost
		} else {
			trials += int64(l.w.Runs)
		}
	}
	return clamp(avail/max(trials, 1)-v.overhead(l, false), int64(v.o.MinTiming), int64(v.o.MaxTiming))
}
