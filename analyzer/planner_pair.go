package analyzer

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/concprof/concprof/probes/plan"
)

// A PairPlanner decides what two runs measure next that are made on one host
// at the same time: the same workloads at two revisions. Each of them is
// planned as a Planner plans it, by its own records and within its own budget,
// but for three things:
//
//   - They stay together. Whichever run is behind, by workload, phase,
//     repetition and trial, goes on; of equals a coin decides, drawn from the
//     seed. So the trials that are compared with each other are made within
//     moments of each other, in random order, and what changes on the machine
//     meanwhile changes both.
//   - A cell that one of them needs for its verdict stays in the other too.
//   - A trial has as many ops as its like in the other run, unless that run's
//     ops take a very different time.
//
// It is a pure function of both histories.
type PairPlanner struct{ Planner }

// NewPairPlanner returns a PairPlanner with these thresholds.
func NewPairPlanner(o Options) *PairPlanner { return &PairPlanner{Planner{o: o}} }

// Next returns which of the two runs measures next, 0 or 1, and what. Its
// decision is Done only when both are; a run that is done before the other is
// not asked again.
func (p *PairPlanner) Next(h [2]plan.History) (side int, d plan.Decision) {
	views := [2]*view{newView(h[0], p.o), newView(h[1], p.o)}
	views[0].peer, views[1].peer = views[1], views[0]
	var next [2]plan.Decision
	var at [2]position
	for i := range h {
		if n := len(h[i].Decisions); n > 0 && h[i].Decisions[n-1].Done {
			at[i].over = true
			continue
		}
		var ph phase
		next[i], ph = p.next(h[i], views[i])
		at[i] = positionOf(next[i], ph, views[i], order(h))
	}
	switch c := at[0].compare(at[1]); {
	case c < 0:
		return 0, next[0]
	case c > 0:
		return 1, next[1]
	}
	n := len(h[0].Finished) + len(h[1].Finished)
	side = rand.New(rand.NewPCG(seedOf(h[0].Plan.Seed, "side"), uint64(n))).IntN(2)
	return side, next[side]
}

// order are the names of the workloads of both runs, one of which may lack
// some.
func order(h [2]plan.History) []string {
	long := h[0].Plan
	if len(h[1].Plan.Workloads) > len(long.Workloads) {
		long = h[1].Plan
	}
	var names []string
	for _, w := range long.Workloads {
		names = append(names, w.Name)
	}
	return names
}

// A position is how far a run has come.
type position struct {
	over                        bool // it is done, and has said so
	workload, stage, rep, tried int
}

func (p position) compare(q position) int {
	over := func(b bool) int { return btoi(b) }
	return cmp.Or(
		cmp.Compare(over(p.over), over(q.over)), cmp.Compare(p.workload, q.workload), cmp.Compare(p.stage, q.stage),
		cmp.Compare(p.rep, q.rep), cmp.Compare(p.tried, q.tried),
	)
}

// positionOf returns where a run stands that would make a decision.
func positionOf(d plan.Decision, ph phase, v *view, names []string) position {
	if d.Done {
		return position{workload: len(names), stage: ph.stage}
	}
	p := position{workload: slices.Index(names, ph.workload), stage: ph.stage}
	t := d.Trials[0]
	p.rep = t.Rep
	loads := append(slices.Clone(v.loads), v.controls)
	for _, l := range loads {
		for s, attempts := range l.slots {
			if s.pass == t.Pass && s.rep == t.Rep && s.cell.Workload == t.Cell.Workload {
				p.tried += len(attempts)
			}
		}
	}
	return p
}

// peerNeeds returns the cells of a workload that the verdict of the run beside
// this one needs.
func (v *view) peerNeeds(l *load) map[plan.Cell]bool {
	other := v.peerLoad(l)
	if other == nil {
		return nil
	}
	cs := v.peer.candidates(other)
	if len(cs) == 0 {
		return nil
	}
	return v.peer.needed(other, cs)
}

func (v *view) peerLoad(l *load) *load {
	if v.peer == nil {
		return nil
	}
	for _, other := range v.peer.loads {
		if other.w.Name == l.w.Name {
			return other
		}
	}
	return nil
}

// likePeer returns the number of ops that trials of a cell have in the run
// beside this one, if ops is near it: trials that are compared should not
// differ in what their start and end weigh.
func (v *view) likePeer(l *load, c plan.Cell, ops int64) int64 {
	other := v.peerLoad(l)
	if other == nil {
		return ops
	}
	t, planned := other.planned[c]
	if !planned || t.Ops <= 0 || t.Ops > l.opsLeft() ||
		float64(max(t.Ops, ops)) > v.o.LikePeer*float64(min(t.Ops, ops)) {
		return ops
	}
	return t.Ops
}
