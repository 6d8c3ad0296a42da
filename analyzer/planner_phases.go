package analyzer

import (
	"cmp"
	"fmt"

	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// reserved is how many cells must be able to have their least number of
// repetitions: the baseline, the best, and the simplest that may equal it.
// What gates and claims ask for comes on top.
const reserved = 3

// reserve is what must stay unspent for that, and for one profile.
func (v *view) reserve(l *load) int64 {
	g := v.guess(l)
	trial := max(int64(max(g.wallNs, g.cpuNs)), int64(v.o.MinTiming)) + v.overhead(l, false)
	controls := v.controlsLeft() / int64(len(v.loads))
	if l.open() { // one cell at least must have trials that are long enough
		controls += int64(v.o.MinReps) * max(v.lasts(l, v.tailOps(l), 0)-int64(v.o.MinTiming), 0)
	}
	return int64((reserved+len(l.asked))*v.o.MinReps)*trial + int64(v.o.MinProfiled) + v.overhead(l, true) + controls
}

// classify runs the sequential, profiled trials that the class rests on.
func (v *view) classify(l *load) step {
	if _, ended := l.ended(); ended {
		return step{}
	}
	c, n := l.baseline(), v.classifyReps(l)
	if len(l.broken(c, plan.Classify)) > 1 {
		return step{}
	}
	g := v.guess(l)
	share := v.o.ClassifyShare / float64(v.o.MinReps)
	forNs := clamp(int64(share*float64(l.w.BudgetNs))-v.overhead(l, true), int64(v.o.MinProfiled), int64(v.o.MaxProfiled))
	for rep := range n {
		s := slot{cell: c, pass: plan.Classify, rep: rep}
		if !v.attempt(l, s) {
			continue
		}
		minOps := int64(1)
		if 3*g.wallNs <= 2*float64(forNs) {
			minOps = 3
		}
		t, ok := l.timed(plan.Trial{Cell: c, Pass: plan.Classify, Rep: rep}, 1e9/g.wallNs, forNs, minOps, share)
		// An op may be so long that its class alone takes the budget; the class
		// is worth most of it.
		if !ok || max(forNs, int64(g.wallNs)) > v.left(l) {
			return step{}
		}
		return step{trial: t, why: fmt.Sprintf("%s: sequential and profiled, trial %d of %d, for the class", l.w.Name, rep+1, n)}
	}
	return step{}
}

// classifyReps is how many classifying trials the class needs: more than the
// least while its interval straddles a band, because from 9 values on the
// interval leaves the extremes out, and one disturbed trial no longer decides.
func (v *view) classifyReps(l *load) int {
	n := v.o.MinReps
	for _, more := range []int{(v.o.MinReps + v.o.MaxClassify) / 2, v.o.MaxClassify} {
		fs := l.counted(l.baseline(), plan.Classify, v.o)
		began := len(l.slots[slot{cell: l.baseline(), pass: plan.Classify, rep: n}]) > 0
		if len(fs) < n || !began && (v.probed(l) || v.o.class(v.o.demand(fs[:n], v.scale()).scaled).class != Inconclusive) {
			break
		}
		n = more
	}
	return n
}

// probed reports whether the workload is past its class.
func (v *view) probed(l *load) bool {
	for s := range l.slots {
		if s.pass != plan.Dry && s.pass != plan.Classify {
			return true
		}
	}
	return false
}

// probeCells are the cells that can show a lock, the most telling first. They
// are of models that the plan has, so that a workload which must not run
// concurrently does not.
func (l *load) probeCells(o Options) []plan.Cell {
	if l.w.Target.Kind == model.Command {
		return nil // every op is a process of its own
	}
	var cells []plan.Cell
	for _, m := range []model.Model{model.Goroutines, model.Pool, model.Threads, model.Hybrid, model.EventLoop} {
		for _, c := range l.w.Cells {
			if c.Model == m && c.Concurrency > 1 {
				cells = append(cells, plan.Cell{Workload: l.w.Name, Model: m, Concurrency: o.ProbeConcurrency})
				break
			}
		}
	}
	return cells
}

// probe runs the contention probe: locks show only with several ops in
// flight.
func (v *view) probe(l *load) step {
	cells := l.probeCells(v.o)
	if _, ended := l.ended(); ended || len(cells) == 0 || len(l.counted(l.baseline(), plan.Classify, v.o)) == 0 {
		return step{}
	}
	s := slot{cell: cells[0], pass: plan.Contention}
	if !v.attempt(l, s) {
		return step{}
	}
	g := v.guess(l)
	n := v.o.ProbeConcurrency
	forNs := clamp(int64(v.o.ProbeShare*float64(l.w.BudgetNs))-v.overhead(l, true), int64(v.o.MinProfiled), int64(v.o.MaxProfiled))
	// Under a lock all of the probe's ops run one after another.
	worst := max(int64(float64(n)*g.wallNs), rounds(1, s.cell, g.rate(s.cell, l)))
	t, ok := l.timed(plan.Trial{Cell: s.cell, Pass: plan.Contention}, g.rate(s.cell, l), forNs, int64(n), v.o.ProbeShare)
	if !ok || max(worst, forNs) > v.left(l)-v.reserve(l) {
		return step{}
	}
	t.TimeoutNs = v.hang(l, worst+forNs+v.overhead(l, true), v.left(l)-v.reserve(l))
	return step{trial: t, why: fmt.Sprintf("%s: %d in flight under %s, profiled, because locks show only so", l.w.Name, n, s.cell.Model)}
}

// hang is the time after which a trial that should take no longer than worst,
// its ops one after another, is ended: within what is left for it, if that is
// more than worst, but not before MinHang, and within the workload's timeout.
func (v *view) hang(l *load, worst, left int64) int64 {
	ns := max(min(int64(v.o.HangFactor*float64(worst)), max(left, worst)), int64(v.o.MinHang))
	if l.w.TimeoutNs > 0 {
		ns = min(ns, l.w.TimeoutNs)
	}
	return ns
}

// starting is what beginning and ending a trial of a cell may take. Of a cell
// with children each of them does as a trial of one process does, as many at a
// time as there are processors.
func (v *view) starting(l *load, c plan.Cell) int64 {
	n := 1
	if apart(c.Model) {
		n += (c.Concurrency + l.cores - 1) / max(l.cores, 1)
	}
	return int64(n) * v.overhead(l, false)
}

// hung returns the contention probe that did not end.
func (l *load) hung(o Options) (plan.Finished, bool) {
	for _, c := range l.probeCells(o) {
		for _, f := range l.slots[slot{cell: c, pass: plan.Contention}] {
			if f.Record.Status == record.TimedOut {
				return f, true
			}
		}
	}
	return plan.Finished{}, false
}

// leastHung is the trial with the fewest ops in flight in one process that did
// not end, where that tells of others: where the contention probe is among them,
// or pilots of two models are, for then it is the op that hangs and no model.
func (l *load) leastHung(o Options) (plan.Finished, bool) {
	f, hung := l.hung(o)
	models := make(map[model.Model]bool)
	for s, attempts := range l.slots {
		if s.pass != plan.Pilot || apart(s.cell.Model) {
			continue
		}
		for _, x := range attempts {
			if x.Record.Status != record.TimedOut {
				continue
			}
			models[s.cell.Model] = true
			n := cmp.Or(cmp.Compare(x.Trial.Cell.Concurrency, f.Trial.Cell.Concurrency), compareIDs(x.Trial.ID, f.Trial.ID))
			if f.Trial.ID == "" || n < 0 {
				f = x
			}
		}
	}
	return f, hung || len(models) > 1
}

// hangs says why a cell is not tried: as many in flight, in one process, did
// not end.
func (v *view) hangs(l *load, c plan.Cell) (string, bool) {
	f, hung := l.leastHung(v.o)
	if !hung || c.Concurrency < f.Trial.Cell.Concurrency || apart(c.Model) || c == l.baseline() {
		return "", false
	}
	return fmt.Sprintf("%d in flight under %s did not end within %s, in which as many ops one after another would have", f.Trial.Cell.Concurrency, f.Trial.Cell.Model, quantity.Duration(float64(f.Record.ElapsedNs))), true
}

// profiles runs one profiled trial of every model but sequential, whose
// classifying trials serve, at the best level that was seen.
func (v *view) profiles(l *load) step {
	cells := v.profileCells(l)
	if len(cells) == 0 {
		return step{}
	}
	todo := int64(0) // how many are still to be profiled
	for i, c := range cells {
		s := slot{cell: c, pass: plan.Profiling}
		if !v.attempt(l, s) {
			continue
		}
		if todo == 0 {
			for _, o := range cells[i:] {
				todo += int64(btoi(v.attempt(l, slot{cell: o, pass: plan.Profiling})))
			}
		}
		share := min(v.left(l), int64(v.o.ProfileShare*float64(l.w.BudgetNs))) / todo
		forNs := clamp(share-v.overhead(l, true), int64(v.o.MinProfiled), int64(v.o.MaxProfiled))
		r := v.rateOf(l, c)
		t, ok := l.timed(plan.Trial{Cell: c, Pass: plan.Profiling}, r, forNs, int64(c.Concurrency), v.o.ProfileShare/float64(len(cells)))
		if !ok || max(forNs, rounds(1, c, r)) > v.left(l) {
			continue
		}
		t.Offload = v.offloadFor(l, c)
		return step{trial: t, why: fmt.Sprintf("%s: profile of %s at its best level, %d", l.w.Name, c.Model, c.Concurrency)}
	}
	return step{}
}

// profileCells returns, by model in the plan's order, the cell to profile: of
// the levels that are as good as the model's best, the lowest, which is the
// one that may be recommended. Cells that were eliminated count too, so that
// every model can be looked at.
func (v *view) profileCells(l *load) []plan.Cell {
	margin := v.margin(l)
	all := v.shown(l)
	if len(all) == 0 {
		return nil
	}
	lead := leader(all).score
	var order []model.Model
	byModel := make(map[model.Model][]candidate)
	for _, c := range all {
		m := c.cell.Model
		if m == model.Sequential {
			continue
		}
		if byModel[m] == nil {
			order = append(order, m)
		}
		byModel[m] = append(byModel[m], c)
	}
	cells := make([]plan.Cell, 0, len(order))
	for _, m := range order {
		best := leader(byModel[m]).score
		if best*(1+margin) >= lead {
			best = lead
		}
		var pick *candidate
		for i := range byModel[m] {
			c := &byModel[m][i]
			if c.score*(1+margin) >= best && (pick == nil || c.cell.Concurrency < pick.cell.Concurrency) {
				pick = c
			}
		}
		c := pick.cell
		c.Concurrency = min(c.Concurrency, v.o.ProfileConcurrency)
		cells = append(cells, c)
	}
	return cells
}

func (v *view) offloadFor(l *load, c plan.Cell) []bool {
	if c.Model != model.Hybrid {
		return nil
	}
	return v.offload(l)
}

// profileReserve is what the profiled trials of these cells will cost at
// least, within their share of the budget.
func (v *view) profileReserve(l *load, cells []plan.Cell) int64 {
	var sum int64
	for _, c := range cells {
		sum += max(int64(v.o.MinProfiled), rounds(1, c, v.rateOf(l, c))) + v.overhead(l, true)
	}
	return min(sum, int64(v.o.ProfileShare*float64(l.w.BudgetNs)))
}

// ahead estimates how many trials are still to come, for display: what every
// cell would want, but no more than the budget holds at what trials cost so
// far.
func (v *view) ahead() int {
	cost := int64(v.o.Overhead) + int64(v.o.MinTiming)
	if v.trials > 0 {
		cost = max(v.spentNs/int64(v.trials), 1)
	}
	n := 0
	for _, c := range controls() {
		for rep := range 2 * v.o.ControlReps {
			n += btoi(len(v.controls.slots[controlSlot(c, plan.ControlRun, rep)]) == 0)
		}
	}
	for _, l := range v.loads {
		if _, ended := l.ended(); !ended {
			n += int(min(v.wanted(l), max(v.left(l), 0)/cost))
		}
	}
	return n
}

// wanted is how many trials a workload would have if no more of its cells were
// eliminated.
func (v *view) wanted(l *load) int64 {
	n := max(v.o.MinReps-len(l.counted(l.baseline(), plan.Classify, v.o)), 0)
	models := make(map[model.Model]bool)
	for _, c := range l.w.Cells {
		if l.gone(c) {
			continue
		}
		models[c.Model] = true
		n += btoi(len(l.counted(c, plan.Pilot, v.o)) == 0)
		n += max(l.w.Runs-len(l.counted(c, plan.Timing, v.o)), 0)
	}
	return int64(n + len(models))
}
