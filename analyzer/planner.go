package analyzer

import (
	"fmt"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A Planner decides what a run measures next. It is a pure function of the
// history, so a journal replays to the same decisions.
//
// In order: a dry op of every workload and control; the controls; then for
// each workload the classifying trials, the contention probe, an execution trace,
// a pilot of every cell and of the levels that these call for, blocks of timing
// trials over the cells that can still win, and a profiled trial per model. It
// decides one trial at a time, because only then
// can a run end within its budget and one trial, whatever the trials cost.
type Planner struct{ o Options }

// NewPlanner returns a Planner with these thresholds.
func NewPlanner(o Options) *Planner { return &Planner{o: o} }

// A step is the next trial of a phase, with the cells that the phase puts in
// and takes out on the way. A nil trial ends the phase.
type step struct {
	trial *plan.Trial
	added []plan.Addition
	out   []plan.Elimination
	why   string
}

// Next returns what to measure next.
func (p *Planner) Next(h plan.History) plan.Decision {
	d, _ := p.next(h, newView(h, p.o))
	return d
}

// next returns what to measure next, and in which phase that is.
func (p *Planner) next(h plan.History, v *view) (plan.Decision, phase) {
	if d, ok := leftOver(h); ok {
		return d, phase{}
	}
	var added []plan.Addition
	var out []plan.Elimination
	for _, ph := range v.phases() {
		s := ph.next()
		added, out = append(added, s.added...), append(out, s.out...)
		v.apply(s.out)
		if s.trial == nil {
			continue
		}
		n := distinct(h)
		s.trial.ID = fmt.Sprintf("t%04d", n+1)
		return plan.Decision{
			Trials: []plan.Trial{*s.trial}, Added: added, Eliminated: out, Why: s.why,
			Expected: n + max(v.ahead(), 1),
		}, ph
	}
	return plan.Decision{Added: added, Eliminated: out, Done: true, Why: v.summary(), Expected: distinct(h)}, phase{stage: atEnd}
}

// A phase of a run. Asked for its next step it says by a nil trial that it has
// nothing left to do.
type phase struct {
	workload string // "" before the first
	stage    int    // within the workload, rising
	next     func() step
}

// atEnd is the stage after all others.
const atEnd = 1 << 30

// phases returns the phases of the whole run in order. Each is asked anew at
// every decision.
func (v *view) phases() []phase {
	ps := []phase{{"", 0, v.dryRuns}, {"", 1, func() step { return v.controlRound(0) }}}
	middle := len(v.loads) / 2
	for i, l := range v.loads {
		ps = append(ps,
			phase{l.w.Name, 2, func() step { return v.classify(l) }},
			phase{l.w.Name, 3, func() step { return v.probe(l) }},
			phase{l.w.Name, 4, func() step { return v.races(l) }},
			phase{l.w.Name, 5, func() step { return v.traces(l) }},
			phase{l.w.Name, 6, func() step { return v.pilots(l) }},
		)
		if i == middle {
			ps = append(ps, phase{l.w.Name, 7, func() step { return v.controlRound(1) }})
		}
		ps = append(ps,
			phase{l.w.Name, 8, func() step { return v.checks(l) }},
			phase{l.w.Name, 9, func() step { return v.blocks(l) }},
			phase{l.w.Name, 10, func() step { return v.profiles(l) }},
		)
	}
	return ps
}

func (v *view) apply(out []plan.Elimination) {
	for _, e := range out {
		for _, l := range v.loads {
			if l.w.Name == e.Cell.Workload {
				l.eliminated[e.Cell] = e.Reason
			}
		}
	}
}

// leftOver returns trials that were decided but have not finished, once: a
// run that was interrupted carries them out first.
func leftOver(h plan.History) (plan.Decision, bool) {
	if len(h.Decisions) == 0 {
		return plan.Decision{}, false
	}
	finished := make(map[string]bool, len(h.Finished))
	for _, f := range h.Finished {
		finished[f.Trial.ID] = true
	}
	decided := make(map[string]int)
	for _, d := range h.Decisions {
		for _, t := range d.Trials {
			decided[t.ID]++
		}
	}
	var again []plan.Trial
	for _, t := range h.Decisions[len(h.Decisions)-1].Trials {
		if !finished[t.ID] && decided[t.ID] == 1 {
			again = append(again, t)
		}
	}
	return plan.Decision{Trials: again, Why: "decided before, but not finished", Expected: distinct(h)}, len(again) > 0
}

// distinct returns how many trials were decided so far.
func distinct(h plan.History) int {
	seen := make(map[string]bool)
	for _, d := range h.Decisions {
		for _, t := range d.Trials {
			seen[t.ID] = true
		}
	}
	return len(seen)
}

// attempt says whether a slot wants a trial: the first, or one more because
// the host disturbed the first or it broke. A trial that ran into its deadline
// is not repeated, for that would cost as much again; nor is any when the host
// disturbs most trials, for the next would be no better.
func (v *view) attempt(l *load, s slot) bool {
	attempts := l.slots[s]
	if len(attempts) == 0 {
		return true
	}
	// At once or not at all: going back later would change what was concluded
	// meanwhile.
	if len(attempts) > 1 || attempts[0].Trial.ID != v.last {
		return false
	}
	r := &attempts[0].Record
	if !usable(r) {
		return r.Status != record.TimedOut
	}
	return v.o.disturbance(r) != "" && (v.trials < v.o.MinReps || 2*v.disturbed <= v.trials)
}

// dryRuns runs one op of every workload and control: what fails here fails
// once and not in every cell.
func (v *view) dryRuns() step {
	for _, l := range v.loads {
		s := slot{cell: l.baseline(), pass: plan.Dry}
		if len(l.slots[s]) == 0 {
			return step{trial: &plan.Trial{Cell: s.cell, Pass: plan.Dry, Ops: 1}, why: fmt.Sprintf("%s: one op dry, before anything is measured", l.w.Name)}
		}
	}
	if v.ended() {
		return step{}
	}
	for _, c := range controls() {
		s := controlSlot(c, plan.Dry, 0)
		if v.attempt(v.controls, s) && v.leftNs() > 0 {
			return step{trial: &plan.Trial{Cell: s.cell, Pass: plan.Dry, Control: c, Ops: 1}, why: fmt.Sprintf("control %s: one op dry, which calibrates it", c)}
		}
	}
	return step{}
}

func controls() []plan.Control { return []plan.Control{plan.ControlCPU, plan.ControlWait} }

func controlSlot(c plan.Control, p plan.Pass, rep int) slot {
	return slot{cell: plan.Cell{Model: model.Sequential, Concurrency: 1}, pass: p, rep: rep, control: c}
}

// ended reports whether no workload can be measured.
func (v *view) ended() bool {
	for _, l := range v.loads {
		if _, ended := l.ended(); !ended {
			return false
		}
	}
	return true
}

// ended says why a workload cannot be measured: its dry op failed.
func (l *load) ended() (string, bool) {
	f, ok := l.dry()
	if !ok || !f.Record.Status.Broken() && f.Record.FailedOps == 0 {
		return "", false
	}
	reason := f.Record.Reason
	if reason == "" && len(f.Record.Errors) > 0 {
		reason = f.Record.Errors[0].Type + ": " + f.Record.Errors[0].Message
	}
	if reason == "" {
		reason = string(f.Record.Status)
	}
	return "the dry op failed: " + reason, true
}

// controlRound runs a few short trials of each control: round 0 before the
// workloads, round 1 among them if the first one's cost leaves room for it.
func (v *view) controlRound(round int) step {
	if v.ended() || round > 0 && v.controlsLeft() == 0 {
		return step{}
	}
	for rep := round * v.o.ControlReps; rep < (round+1)*v.o.ControlReps; rep++ {
		for _, c := range controls() {
			if f, ok := v.controls.countDry(c, v.o); !ok || f.Record.FailedOps > 0 {
				continue // it cannot run here; Analyze says so
			}
			s := controlSlot(c, plan.ControlRun, rep)
			if !v.attempt(v.controls, s) || v.leftNs() <= 0 {
				continue
			}
			total := int64(v.o.ControlShare * float64(v.budgetNs()))
			forNs := clamp(total/int64(4*v.o.ControlReps)-v.overhead(v.controls, true), int64(v.o.MinControl), int64(v.o.MinProfiled))
			return step{
				trial: &plan.Trial{Cell: s.cell, Pass: plan.ControlRun, Rep: rep, Control: c, ForNs: forNs, MinOps: 1},
				why:   fmt.Sprintf("control %s, trial %d of %d", c, rep+1, 2*v.o.ControlReps),
			}
		}
	}
	return step{}
}

// controlsLeft is what the second round of controls will cost, 0 if it is
// left out or done.
func (v *view) controlsLeft() int64 {
	first, second := int64(0), 0
	for _, c := range controls() {
		for rep := range 2 * v.o.ControlReps {
			attempts := v.controls.slots[controlSlot(c, plan.ControlRun, rep)]
			switch {
			case rep >= v.o.ControlReps:
				second += btoi(len(attempts) == 0)
			default:
				for _, f := range attempts {
					first += f.Record.ElapsedNs
				}
			}
		}
	}
	if second == 0 || float64(first) > v.o.ControlShare*float64(v.budgetNs()) {
		return 0
	}
	return first * int64(second) / int64(2*v.o.ControlReps)
}

func (l *load) countDry(c plan.Control, o Options) (plan.Finished, bool) {
	for _, f := range l.slots[controlSlot(c, plan.Dry, 0)] {
		if !f.Record.Status.Broken() || f.Record.Status == record.Disturbed {
			return f, true
		}
	}
	return plan.Finished{}, false
}

// summary says in words how the run ended.
func (v *view) summary() string {
	if v.ended() {
		return "no workload can be measured: every dry op failed"
	}
	if v.leftNs() <= 0 {
		return "the budget is used up"
	}
	return "every cell that can still win has its repetitions"
}
