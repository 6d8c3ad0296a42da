package reports

import (
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
)

// tracePortions is portions by the execution trace, nil where there is none:
// how much of the time is blocked comes from clocks in both, so the bars end
// where the others do.
func tracePortions(w *analyzer.Workload) []portion {
	t := w.Trace
	if t == nil || len(t.Resolved) == 0 {
		return nil
	}
	ps := []portion{{onCPU, w.Split.OnCPU}, {runnable, w.Split.Runnable}}
	for _, k := range record.Waits() {
		ps = append(ps, portion{string(k), t.Resolved[k]})
	}
	return ps
}

// trace writes what the execution trace says of the time of one op.
func (t *terminal) trace(w *analyzer.Workload) {
	switch {
	case w.Trace == nil:
	case w.Trace.Skipped != "":
		t.note(plain("no execution trace: " + w.Trace.Skipped))
	default:
		var parts []string
		for _, p := range tracePortions(w) {
			if p.Share >= minRow || p.Name == onCPU {
				parts = append(parts, p.Name+" "+percent(p.Share))
			}
		}
		t.note(plain("by its execution trace over " + duration(float64(w.Trace.WindowNs)) + ": " + strings.Join(parts, ", ")))
	}
}
