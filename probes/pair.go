package probes

import (
	"context"
	"errors"

	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
)

// A Side is one of two runs that are measured side by side.
type Side struct {
	Prepared *Prepared
	Dir      *rundir.Dir
	Plan     *plan.Plan
}

// A PairPlanner decides which of two runs measures next, 0 or 1, and what.
// What is said of a Planner holds for it too. A run is done with a decision
// that is Done, and its planner is asked until both are.
type PairPlanner interface {
	Next([2]plan.History) (side int, d plan.Decision)
}

// PairOptions say how two runs go.
type PairOptions struct {
	Planner PairPlanner
	// Progress is called as that of Options, with the sum of both runs.
	Progress   func(Progress)
	NoHostLock bool
}

// RunPair measures the same workloads at two revisions, trial by trial as the
// planner interleaves them: first the run of the head, then that of its base.
// Both use the servers of the head, which are started once.
//
// It journals, and ends, as Run does. What it leaves when it is interrupted is
// not resumed: the trials that are still to come would be of another hour than
// those that they are compared with.
func RunPair(ctx context.Context, head, base Side, o PairOptions) error {
	p := &pair{planner: o.Planner}
	for i, s := range []Side{head, base} {
		r := &run{prepared: s.Prepared, history: plan.History{Plan: s.Plan}}
		r.options = Options{Dir: s.Dir, NoHostLock: o.NoHostLock}
		if o.Progress != nil {
			side := []rundir.RunSide{rundir.SideHead, rundir.SideBase}[i]
			r.options.Progress = func(at Progress) {
				at.Side = side
				o.Progress(p.sum(at))
			}
		}
		p.runs[i] = r
	}
	if err := proc.Adopt(); err != nil {
		return err
	}
	first := p.runs[0]
	l, err := first.lockHost(ctx)
	if err != nil {
		return err
	}
	defer l.Release() //nolint:errcheck // the kernel frees it in any case
	defer first.stopServers()
	if err := first.startServers(ctx); err != nil {
		return err
	}
	p.runs[1].servers, p.runs[1].hosts, p.runs[1].head = first.servers, first.hosts, first
	err = p.loop(ctx)
	return errors.Join(first.noteInterrupt(ctx, err), p.runs[1].noteInterrupt(ctx, err))
}

// pair is the state of RunPair.
type pair struct {
	planner PairPlanner
	runs    [2]*run
}

// loop carries out decisions until both runs are done.
func (p *pair) loop(ctx context.Context) error {
	var done [2]bool
	for !done[0] || !done[1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		side, d := p.planner.Next([2]plan.History{p.runs[0].history, p.runs[1].history})
		if done[side] {
			return errors.New("run: the planner goes on with a run that is done")
		}
		r := p.runs[side]
		if err := r.decided(d); err != nil {
			return err
		}
		for _, t := range d.Trials {
			if err := r.trial(ctx, t); err != nil {
				return err
			}
		}
		done[side] = d.Done
	}
	return nil
}

// sum is the progress of both runs, as one of them tells it.
func (p *pair) sum(at Progress) Progress {
	all := Progress{Trial: at.Trial, Record: at.Record, Side: at.Side, Decision: at.Decision, Note: at.Note}
	for _, r := range p.runs {
		own := r.position()
		all.Planned += own.Planned
		all.Finished += own.Finished
		all.Spent += own.Spent
		all.Budget += own.Budget
	}
	return all
}
