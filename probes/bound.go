package probes

import (
	"fmt"

	"github.com/concprof/concprof/probes/internal/runner"
	"github.com/concprof/concprof/probes/plan"
)

// bound holds a trial to what is left of its workload's max_ops, which counts
// the ops of the whole run; a trial that broke off counts with what it was to
// run. It returns why the trial may not run at all, or "".
func (r *run) bound(j *runner.Job, t plan.Trial) string {
	if t.Control != "" {
		return ""
	}
	var most int64
	for _, w := range r.history.Plan.Workloads {
		if w.Name == t.Cell.Workload {
			most = w.MaxOps
		}
	}
	if most == 0 {
		return ""
	}
	left := most
	for _, f := range r.history.Finished {
		if f.Trial.Control != "" || f.Trial.Cell.Workload != t.Cell.Workload {
			continue
		}
		ran := f.Record.Ops
		if f.Record.Status.Broken() {
			ran = max(ran, f.Trial.Ops)
		}
		left -= ran
	}
	if left <= 0 {
		return fmt.Sprintf("max_ops: all of %d ops have been run", most)
	}
	if j.Spec.Ops > 0 {
		j.Spec.Ops = min(j.Spec.Ops, left)
	}
	j.Spec.MaxOps = left
	j.Spec.MinOps = min(j.Spec.MinOps, left)
	return ""
}
