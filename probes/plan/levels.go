package plan

import (
	"slices"

	"github.com/concprof/concprof/probes/model"
)

// MaxAdded is the greatest level that a planner may add by itself: three
// doublings beyond the default ones. More in flight is a step that the user
// takes, by naming levels: what an op calls may not be made for it.
const MaxAdded = 512

// KneeLevels is how many levels a planner may add between others, around the
// least level of the leading model that is as good as its best.
const KneeLevels = 4

// Ceiling returns the greatest level of a model that may occur in a run, of the
// plan's cells or added, 0 if the plan does not have the model. Where each op in
// flight is a process, none is added above the plan's.
func (w *Workload) Ceiling(m model.Model) int {
	top := w.top(m)
	if top == 0 || w.Target.Kind == model.Command || m == model.Sequential || m == model.Processes || m == model.Subinterpreters {
		return top
	}
	return max(top, w.MaxLevel)
}

// top is the highest level of a model.
func (w *Workload) top(m model.Model) int {
	top := 0
	for _, c := range w.Cells {
		if c.Model == m {
			top = max(top, c.Concurrency)
		}
	}
	return top
}

// Doublings returns the levels that may be added above the highest one of a
// model, ascending: each doubles the one before, and the last is the ceiling.
func (w *Workload) Doublings(m model.Model) []int {
	var ns []int
	for n, most := w.top(m), w.Ceiling(m); n < most; {
		n = min(2*n, most)
		ns = append(ns, n)
	}
	return ns
}

// Level returns the greatest level that may occur in a run.
func (w *Workload) Level() int {
	level := 1
	for _, m := range w.models() {
		level = max(level, w.Ceiling(m))
	}
	return level
}

// models returns the models of the plan's cells, in their order.
func (w *Workload) models() []model.Model {
	var ms []model.Model
	for _, c := range w.Cells {
		if !slices.Contains(ms, c.Model) {
			ms = append(ms, c.Model)
		}
	}
	return ms
}

// Addable is how many cells may be added at most.
func (w *Workload) Addable() int {
	if w.MaxLevel == 0 || len(w.Cells) < 2 {
		return 0
	}
	n := KneeLevels
	for _, m := range w.models() {
		n += len(w.Doublings(m))
	}
	return n
}
