package probes

import "github.com/concprof/concprof/probes/plan"

// A Planner decides what to measure next from what has been measured so far.
// It is a pure function of its argument: no clock, no random source but the
// plan's seed, so that a journal replays to the same decisions.
//
// The analyzer implements it; Run asks it, journals its answer and carries
// the answer out.
type Planner interface {
	Next(plan.History) plan.Decision
}
