package analyzer

import (
	"cmp"
	"math"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// judgeErrors gathers what failed under each model, and what the model made of
// it beyond failing the op, from all of its trials: also from those that broke,
// for that is where it shows. The dry op is told by itself, and a build with the
// race detector is another program.
func (j *judgement) judgeErrors() {
	byModel := make(map[model.Model][]plan.Finished)
	for s, attempts := range j.load.slots {
		if s.pass != plan.Dry && s.pass != plan.Race {
			byModel[s.cell.Model] = append(byModel[s.cell.Model], attempts...)
		}
	}
	var all []ErrorHandling
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
		if h.Ops > 0 {
			all = append(all, h)
		}
		if h.FailedOps > 0 || len(h.Notes) > 0 {
			j.out.ErrorHandling = append(j.out.ErrorHandling, h)
		}
	}
	j.out.Failures = j.o.failures(all)
}

// failures says whether ops failed alike under all models that ran some: so
// often as under the first of them, within FailureSigmas, by the same types of
// error, and nothing else came of it. It is "" where fewer than two models ran.
func (o Options) failures(all []ErrorHandling) string {
	if len(all) < 2 {
		return ""
	}
	first, failed := all[0], false
	types := func(h ErrorHandling) []string {
		var names []string
		for _, e := range h.Errors {
			names = append(names, e.Type)
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	for _, h := range all {
		failed = failed || h.FailedOps > 0
		if len(h.Notes) > 0 && h.Model != model.Hybrid { // its notes say where steps went
			return workload.Different
		}
	}
	if !failed {
		return workload.None
	}
	for _, h := range all[1:] {
		share := float64(first.FailedOps+h.FailedOps) / float64(first.Ops+h.Ops)
		deviation := math.Sqrt(share * (1 - share) * (1/float64(first.Ops) + 1/float64(h.Ops)))
		apart := math.Abs(float64(first.FailedOps)/float64(first.Ops) - float64(h.FailedOps)/float64(h.Ops))
		if apart > o.FailureSigmas*deviation || h.FailedOps > 0 && first.FailedOps > 0 && !slices.Equal(types(first), types(h)) {
			return workload.Different
		}
	}
	return workload.Alike
}
