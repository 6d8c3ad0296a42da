package analyzer

import "github.com/concprof/concprof/probes/rundir"

// Illustrate gives each limit its excerpt of those that a run keeps. Analyze
// does so itself: this is for excerpts that were read after it.
func (r *Result) Illustrate(all []rundir.Excerpt) {
	for i := range r.Workloads {
		w := &r.Workloads[i]
		for j := range w.Limits {
			l := &w.Limits[j]
			for k := range all {
				if e := &all[k]; l.Line > 0 && e.Workload == w.Name && e.File == l.File && e.Line == l.Line {
					l.Excerpt = e
				}
			}
		}
	}
}
