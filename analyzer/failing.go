package analyzer

import (
	"cmp"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// judgeErrors gathers what failed under each model, and what the model made of
// it beyond failing the op, from all of its trials: also from those that broke,
// for that is where it shows. The dry op is told by itself.
func (j *judgement) judgeErrors() {
	byModel := make(map[model.Model][]plan.Finished)
	for s, attempts := range j.load.slots {
		if s.pass != plan.Dry {
			byModel[s.cell.Model] = append(byModel[s.cell.Model], attempts...)
		}
	}
	for _, m := range model.All() {
		fs := byModel[m]
		slices.SortFunc(fs, func(a, b plan.Finished) int {
			return cmp.Or(compareIDs(a.Trial.ID, b.Trial.ID), cmp.Compare(a.Record.StartedNs, b.Record.StartedNs))
		})
		h := ErrorHandling{Model: m, Errors: []record.ErrorCount{}, Notes: []string{}}
		errors := make(map[[2]string]int64)
		for i := range fs {
			r := &fs[i].Record
			h.FailedOps, h.Ops = h.FailedOps+r.FailedOps, h.Ops+r.Ops
			for _, e := range r.Errors {
				errors[[2]string{e.Type, e.Message}] += e.Count
			}
			for _, n := range r.Notes {
				if len(h.Notes) < record.MaxNotes && !slices.Contains(h.Notes, n) {
					h.Notes = append(h.Notes, n)
				}
			}
		}
		h.Errors = append(h.Errors, mostFrequent(errors)...)
		if h.FailedOps > 0 || len(h.Notes) > 0 {
			j.out.ErrorHandling = append(j.out.ErrorHandling, h)
		}
	}
}
