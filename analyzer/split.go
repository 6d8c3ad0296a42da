package analyzer

import (
	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// splitOf returns what the wall time of an op consists of, from the
// sequential trials: medians of each share, clamped and normalised so that
// they sum to 1.
func splitOf(fs []plan.Finished) Split {
	if len(fs) == 0 {
		return Split{}
	}
	on := stats.Median(values(fs, func(r *record.Record) float64 {
		cpu, _ := opCPU(r)
		return min((cpu+float64(r.CPU.ChildrenNs))/opsNs(r), 1)
	}))
	ready := stats.Median(values(fs, func(r *record.Record) float64 {
		_, runnable := opCPU(r)
		return min(runnable/opsNs(r), 1)
	}))
	if sum := on + ready; sum > 1 {
		on, ready = on/sum, ready/sum
	}
	return Split{OnCPU: on, Runnable: ready, Blocked: max(1-on-ready, 0)}
}
