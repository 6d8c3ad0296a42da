package reports

import (
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
)

// traceLine says where the time of one op goes by its execution trace, or why
// there is none; "" where none was asked for.
func traceLine(w *analyzer.Workload) string {
	t := w.Trace
	switch {
	case t == nil:
		return ""
	case t.Skipped != "":
		return "no execution trace: " + t.Skipped
	}
	ps := []portion{{"running", t.Running}, {runnable, t.Runnable}, {"in system calls", t.SystemCall}}
	for _, k := range record.Waits() {
		ps = append(ps, portion{string(k), t.Resolved[k]})
	}
	var parts []string
	for _, p := range ps {
		if p.Share >= minPart {
			parts = append(parts, p.Name+" "+percent(p.Share))
		}
	}
	return "by its execution trace, over " + duration(float64(t.WindowNs)) + ": " + strings.Join(parts, ", ")
}
