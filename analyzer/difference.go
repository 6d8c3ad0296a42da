package analyzer

import (
	"fmt"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A Difference is the first op whose result under a model is not sequential's,
// found in a pair of trials that keep what each op returned.
type Difference struct {
	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
	// Compared is how many ops both trials ran and kept, from op 0 on.
	Compared int64 `json:"compared"`
	// Found says that one of these differed. Results that are wrong by chance
	// may agree when they are looked at again; what follows is then empty.
	Found bool  `json:"found"`
	Op    int64 `json:"op"` // its number, from 0
	// Sequential and Returned are what the op returned under sequential and
	// under the model: the beginning of a text, a value as its language prints
	// it, at most record.MaxShown bytes; "nothing"; or "digest 1f…" of what
	// cannot be read or looks alike.
	Sequential string `json:"sequential,omitempty"`
	Returned   string `json:"returned,omitempty"`
	Trial      string `json:"trial"` // that ran it under the model
}

// checkCells are the cells whose results are looked at op by op: of each model
// the first whose results differ.
func (v *view) checkCells(l *load) []plan.Cell {
	reference, stable := v.reference(l)
	if reference == nil || !stable {
		return nil
	}
	var cells []plan.Cell
	seen := map[model.Model]bool{}
	for _, c := range l.w.Cells {
		if seen[c.Model] {
			continue
		}
		if _, _, wrong := v.wrongTrial(l, c, reference); wrong {
			seen[c.Model] = true
			cells = append(cells, c)
		}
	}
	return cells
}

// checks runs, once results of a model differ, the ops again under sequential
// and under that model, with what each returned kept.
func (v *view) checks(l *load) step {
	if _, ended := l.ended(); ended {
		return step{}
	}
	cells := v.checkCells(l)
	if len(cells) == 0 {
		return step{}
	}
	for _, c := range append([]plan.Cell{l.baseline()}, cells...) {
		if !v.attempt(l, slot{cell: c, pass: plan.Check}) {
			continue
		}
		r := v.rateOf(l, c)
		most := int64(v.o.CheckShare * float64(l.w.BudgetNs) * r / 1e9)
		t := plan.Trial{Cell: c, Pass: plan.Check, Ops: clamp(most, int64(c.Concurrency), record.MaxResults), Offload: v.offloadFor(l, c)}
		cost := int64(float64(t.Ops)*1e9/max(r, 1e-6)) + v.overhead(l, false)
		if t.Ops > l.opsLeft() || cost > v.left(l) {
			continue
		}
		return step{trial: &t, why: fmt.Sprintf("%s: %s, keeping what each op returns, to find the first that differs", l.w.Name, c.Model)}
	}
	return step{}
}

// findDifferences compares the results of check trials, op by op.
func (j *judgement) findDifferences() {
	l := j.load
	base := l.counted(l.baseline(), plan.Check, j.o)
	if len(base) == 0 {
		return
	}
	for _, c := range j.checkCells(l) {
		fs := l.counted(c, plan.Check, j.o)
		if len(fs) == 0 {
			continue
		}
		own, other := &base[0].Record, &fs[0].Record
		d := Difference{
			Model: c.Model, Concurrency: c.Concurrency, Trial: fs[0].Trial.ID,
			Compared: min(own.Ops, other.Ops, record.MaxResults),
		}
		if op, a, b, differ := record.FirstDifference(own.Results, other.Results, d.Compared); differ {
			d.Found, d.Op = true, op
			d.Sequential, d.Returned = shownResult(a, b), shownResult(b, a)
		}
		j.out.Differences = append(j.out.Differences, d)
	}
}

// shownResult tells a result apart from another: by its text, or where that is
// the other's too, by its digest.
func shownResult(r, other *record.Result) string {
	switch {
	case r == nil:
		return "nothing"
	case r.Shown == "" || other != nil && other.Shown == r.Shown:
		return fmt.Sprintf("digest %016x", r.Hash)
	}
	return r.Shown
}
