package analyzer

import (
	"cmp"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// A candidate is a cell that can still win, with what its trials scored.
type candidate struct {
	cell   plan.Cell
	scores []float64 // of its timing trials, else of its pilots; more is better
	score  float64   // their median
	reps   int       // timing trials that count
	cost   int64     // of one more timing trial
	barred bool      // it could not be recommended even if it were best
}

// candidates returns the cells that have shown something and are not gone.
func (v *view) candidates(l *load) []candidate {
	return slices.DeleteFunc(v.shown(l), func(c candidate) bool { return l.gone(c.cell) })
}

// shown returns the cells that have shown something and did not break down.
func (v *view) shown(l *load) []candidate {
	if l.memo.shown != nil {
		return slices.Clone(l.memo.shown)
	}
	cs := []candidate{}
	score := v.score(l)
	over := v.overhead(l, false)
	limits, reference := v.limits(l), (*record.Digest)(nil)
	if d, stable := v.reference(l); stable {
		reference = d
	}
	for _, c := range l.w.Cells {
		if _, ended := l.brokenDown(c); ended {
			continue
		}
		fs := l.counted(c, plan.Timing, v.o)
		reps := len(fs)
		if reps == 0 {
			fs = l.counted(c, plan.Pilot, v.o)
		}
		if len(fs) == 0 {
			continue
		}
		scores := values(fs, score)
		ops := int64(c.Concurrency)
		if l.open() {
			ops = v.opened(l, c, int64(v.o.MinTiming))
		}
		if t, ok := l.planned[c]; ok {
			ops = t.Ops
		}
		cs = append(cs, candidate{
			cell: c, scores: scores, score: stats.Median(scores), reps: reps,
			barred: v.barred(l, c, fs, limits, reference),
			cost:   v.lasts(l, ops, v.rateOf(l, c)) + over,
		})
	}
	l.memo.shown = cs
	return slices.Clone(cs)
}

// margin is the relative difference below which cells are ties, as far as it
// is known.
func (v *view) margin(l *load) float64 {
	if l.memo.margin == 0 {
		l.memo.margin = v.marginOf(l)
	}
	return l.memo.margin
}

func (v *view) marginOf(l *load) float64 {
	floor, _, trials := v.floorOf(l)
	if trials < v.o.MinBlocks {
		return v.o.Tie
	}
	return max(v.o.Tie, floor, v.scoreFloor(l))
}

// barred reports whether a cell may turn out not to be recommendable whatever
// it scores. Such a cell is measured, but none is eliminated on its account.
// Go's event loop is among them, for only profiles can tell that its ops block
// it, and a planner sees records. asyncio's is measured for what it is.
func (v *view) barred(l *load, c plan.Cell, fs []plan.Finished, limits []workload.Constraint, reference *record.Digest) bool {
	return c.Model == model.EventLoop && l.w.Target.Kind != model.Python || apart(c.Model) && !l.w.Private ||
		v.spoiled(l, c, fs, limits, reference)
}

// unfit reports whether what the trials of a cell did bars it.
func (v *view) unfit(l *load, c plan.Cell) bool {
	fs := l.counted(c, plan.Timing, v.o)
	if len(fs) == 0 {
		fs = l.counted(c, plan.Pilot, v.o)
	}
	reference, stable := v.reference(l)
	if !stable {
		reference = nil
	}
	return v.spoiled(l, c, fs, v.limits(l), reference)
}

// spoiled reports whether what trials of a cell did bars it, whatever its model:
// wrong results, data races, failures, a rate that is not held, a constraint that
// is not kept.
func (v *view) spoiled(l *load, c plan.Cell, fs []plan.Finished, limits []workload.Constraint, reference *record.Digest) bool {
	if v.fellBehind(l, c) != "" {
		return true
	}
	if _, wrong := v.wrong(l, c, reference); wrong || l.racy() && sharesRaces(c) {
		return true
	}
	var failed, ops int64
	for _, f := range fs {
		failed, ops = failed+f.Record.FailedOps, ops+f.Record.Ops
	}
	if !v.failsLikeBaseline(l, failed, ops) {
		return true
	}
	if len(limits) == 0 {
		return false
	}
	var cell Cell
	v.o.costs(&cell, fs)
	broken, known := unmet(limits, &cell)
	return known && broken != ""
}

// apart reports whether the workers of a model share no state, which changes
// what ops mean to each other: each has its own locks, caches and limiters.
func apart(m model.Model) bool { return m == model.Processes || m == model.Subinterpreters }

func (v *view) limits(l *load) []workload.Constraint {
	var cs []workload.Constraint
	for _, text := range l.w.Constraints {
		if c, err := workload.ParseConstraint(text); err == nil {
			cs = append(cs, c)
		}
	}
	return cs
}

// leader returns the best cell of those that can be recommended, or of all if
// none can.
func leader(cs []candidate) candidate {
	best := cs[0]
	for _, c := range cs[1:] {
		if best.barred != c.barred {
			if best.barred {
				best = c
			}
			continue
		}
		if c.score > best.score {
			best = c
		}
	}
	return best
}

// staying returns which cells are not taken out for want of budget: the
// baseline, the simplest of those that may equal the leader, and the like of
// those that are not sequential, for a verdict compares at least two. Under a
// GIL the best of processes and of subinterpreters stays too where it leads: the answer may be that it
// wins and what to declare. And so does the best of each model that a gate or a
// claim asks for. Of a run that is measured beside another, what stays there
// stays here too: what wins on one side is compared on both.
func (v *view) staying(l *load, cs []candidate) func(candidate) bool {
	stay := v.needed(l, cs)
	for c := range v.peerNeeds(l) {
		stay[c] = true
	}
	return func(c candidate) bool { return stay[c.cell] }
}

// needed returns the cells that a workload's own verdict needs.
func (v *view) needed(l *load, cs []candidate) map[plan.Cell]bool {
	margin := v.margin(l)
	stay := map[plan.Cell]bool{l.baseline(): true, heir(cs, leader(cs), margin).cell: true}
	others := slices.DeleteFunc(slices.Clone(cs), func(c candidate) bool { return c.cell == l.baseline() })
	if len(others) > 0 {
		stay[heir(others, leader(others), margin).cell] = true
	}
	lead := leader(cs).score
	for _, m := range model.All() {
		asked := slices.Contains(l.asked, m)
		if !asked && !(apart(m) && l.hasGIL() && !l.w.Private) {
			continue
		}
		own := slices.DeleteFunc(slices.Clone(cs), func(c candidate) bool { return c.cell.Model != m })
		if len(own) == 0 {
			continue
		}
		best := own[0]
		for _, c := range own[1:] {
			if c.score > best.score {
				best = c
			}
		}
		if asked || best.score > lead*(1+margin) {
			for _, c := range own { // of equals the lowest concurrency
				if c.score*(1+margin) >= best.score && c.cell.Concurrency < best.cell.Concurrency {
					best = c
				}
			}
			stay[best.cell] = true
		}
	}
	return stay
}

// heir returns the simplest cell that is within a margin of the leader: the
// one that would be recommended if they turn out to be equal.
func heir(cs []candidate, lead candidate, margin float64) candidate {
	pick := lead
	for _, c := range cs {
		if !c.barred && c.score*(1+margin) >= lead.score && cmp.Or(
			cmp.Compare(c.cell.Model.Rank(), pick.cell.Model.Rank()), cmp.Compare(c.cell.Concurrency, pick.cell.Concurrency)) < 0 {
			pick = c
		}
	}
	return pick
}

func find(cs []candidate, c plan.Cell) (candidate, bool) {
	i := slices.IndexFunc(cs, func(x candidate) bool { return x.cell == c })
	if i < 0 {
		return candidate{}, false
	}
	return cs[i], true
}
