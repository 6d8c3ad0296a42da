package analyzer

import (
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A Race is what came of the trial under Go's race detector that was asked for.
type Race struct {
	// Skipped says why there was none, or why it tells nothing; "" if it ran.
	Skipped     string      `json:"skipped,omitempty"`
	Model       model.Model `json:"model,omitempty"`
	Concurrency int         `json:"concurrency,omitempty"`
	Ops         int64       `json:"ops"`
	Found       int64       `json:"found"` // data races, each pair of places once
	// Accesses are the two of the first race; Trial is whose folder has the
	// detector's whole report, in stderr.
	Accesses []Access `json:"accesses,omitempty"`
	Trial    string   `json:"trial,omitempty"`
}

// An Access is one side of a data race: "write" or "previous read", at a line of
// the user's code where there is one, with the stack down to where the op
// begins.
type Access struct {
	What  string  `json:"what"`
	At    Place   `json:"at"`
	Stack []Place `json:"stack"`
}

// races runs ops under the race detector, where that was asked for.
func (v *view) races(l *load) step {
	cells := l.probeCells(v.o)
	if _, ended := l.ended(); ended || !l.w.Race || l.w.NoRace != "" || len(cells) == 0 {
		return step{}
	}
	s := slot{cell: cells[0], pass: plan.Race}
	if len(l.slots[s]) > 0 {
		return step{} // what disturbs a trial takes no race away
	}
	g := v.guess(l)
	forNs := clamp(int64(v.o.RaceShare*float64(l.w.BudgetNs))-v.overhead(l, false), int64(v.o.MinProfiled), int64(v.o.MaxProfiled))
	t, ok := l.timed(plan.Trial{Cell: s.cell, Pass: plan.Race}, g.rate(s.cell, l), forNs, 2*int64(s.cell.Concurrency), v.o.RaceShare)
	left := v.left(l) - v.reserve(l)
	if _, hung := l.hung(v.o); !ok || hung || max(forNs, rounds(2, s.cell, g.rate(s.cell, l))) > left {
		return step{}
	}
	// What is slowed down may hang too, within what the reserve leaves.
	slowed := int64(v.o.RaceSlowdown * float64(rounds(2, s.cell, g.rate(s.cell, l))))
	t.TimeoutNs = v.hang(l, slowed+forNs+v.overhead(l, false), left)
	return step{trial: t, why: fmt.Sprintf("%s: %d in flight under %s, built with the race detector", l.w.Name, s.cell.Concurrency, s.cell.Model)}
}

// raceTrial returns the trial under the race detector.
func (l *load) raceTrial() (plan.Finished, bool) {
	for s, attempts := range l.slots {
		if s.pass == plan.Race && len(attempts) > 0 {
			return attempts[0], true
		}
	}
	return plan.Finished{}, false
}

// racy reports whether a data race was found among ops that share a process.
func (l *load) racy() bool {
	f, ok := l.raceTrial()
	return ok && f.Record.Race != nil && f.Record.Race.Found > 0
}

// sharesRaces reports whether ops of a cell run side by side in one process,
// where a data race is one.
func sharesRaces(c plan.Cell) bool {
	return c.Model != model.Sequential && !apart(c.Model) && c.Concurrency > 1
}

// judgeRace tells what the race detector found.
func (j *judgement) judgeRace() {
	l := j.load
	if !l.w.Race {
		return
	}
	r := &Race{}
	j.out.Race = r
	f, ran := l.raceTrial()
	_, hung := l.hung(j.o)
	if ran {
		r.Model, r.Concurrency, r.Ops, r.Trial = f.Trial.Cell.Model, f.Trial.Cell.Concurrency, f.Record.Ops, f.Trial.ID
		if f.Record.Race != nil {
			r.Found = f.Record.Race.Found
			r.Accesses = l.accesses(f.Record.Race.Accesses)
		}
	}
	switch {
	case l.w.NoRace != "":
		r.Skipped = l.w.NoRace
	case !ran && hung:
		r.Skipped = "the contention probe did not end, and as many would be in flight"
	case !ran && len(l.probeCells(j.o)) == 0:
		r.Skipped = "no model of the plan has several ops in flight in one process"
	case !ran:
		r.Skipped = "the run, or its budget, ended before it"
	case r.Found == 0 && !usable(&f.Record):
		r.Skipped = "its trial did not finish: " + j.o.reasonOf(&f.Record)
	}
	switch {
	case r.Found > 0:
		j.warn(WarnRace, "mend them first: a data race makes results of models that share memory undefined, also where they agreed here; the whole report is trials/"+r.Trial+"/stderr",
			"the race detector found %s with %d in flight%s: models that run ops side by side in one process are not recommended",
			races(r.Found), r.Concurrency, between(r.Accesses))
	case r.Skipped != "":
		remedy := "run the package's own tests with go test -race"
		if strings.Contains(r.Skipped, "cgo") || strings.Contains(r.Skipped, "gcc") {
			remedy = "install a C compiler and set CGO_ENABLED=1, or " + remedy
		}
		j.warn(WarnNoRace, remedy, "the race detector was asked for and has not run: %s", r.Skipped)
	default:
		j.say(ofLimits, "the race detector found no data race in %d ops with %d in flight, which does not show that there is none", r.Ops, r.Concurrency)
	}
}

// races counts data races in words.
func races(n int64) string {
	if n == 1 {
		return "1 data race"
	}
	return fmt.Sprintf("%d data races", n)
}

// between names the two places of a race.
func between(as []Access) string {
	if len(as) != 2 {
		return ""
	}
	return fmt.Sprintf(", the first between a %s in %v and a %s in %v", as[0].What, as[0].At, as[1].What, as[1].At)
}

// accesses are the stacks of a race as people are told them.
func (l *load) accesses(as []record.Access) []Access {
	var out []Access
	for _, a := range as {
		b := Access{What: a.What, Stack: []Place{}}
		own := -1
		for i, f := range a.Frames {
			told := l.told(profile.Place{Function: f.Function, File: f.File, Line: f.Line})
			b.Stack = append(b.Stack, Place{Function: told.function, File: told.file, Line: told.line})
			if own < 0 && profile.UserCode(profile.Frame{Function: f.Function, File: f.File, Line: int64(f.Line)}) {
				own = i
			}
		}
		switch {
		case own >= 0:
			b.At = b.Stack[own]
		case len(b.Stack) > 0:
			b.At = b.Stack[0]
		default:
			b.At = Place{Function: "a place that the detector did not keep"}
		}
		out = append(out, b)
	}
	return out
}
