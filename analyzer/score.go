package analyzer

import (
	"fmt"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// scoreOf returns what an objective makes of a trial; more is better. Latency is
// the quantile that all cells are compared by.
func scoreOf(objective string, quantile float64) func(*record.Record) float64 {
	return func(r *record.Record) float64 {
		switch objective {
		case string(workload.Latency):
			return inverse(float64(r.Latency.Quantile(quantile)))
		case string(workload.CPUTime):
			return inverse(cpuPerOp(r))
		case string(workload.MemoryUse):
			return inverse(float64(r.Memory.PeakRSSBytes))
		}
		return rate(r)
	}
}

func inverse(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return 1e9 / x
}

// compared is the quantile of latency that cells are compared by: the p99 where
// every trial has so many ops that the least number of repetitions shows one,
// else the median. One quantile is compared with itself only: of a cell whose
// trials have few ops the median is no match for the p99 of another.
func (v *view) compared(l *load) float64 {
	for _, pass := range []plan.Pass{plan.Timing, plan.Pilot} {
		trials, least := 0, int64(0)
		for _, c := range l.w.Cells {
			for _, f := range l.counted(c, pass, v.o) {
				n := int64(0)
				if f.Record.Latency != nil {
					n = f.Record.Latency.N
				}
				if trials++; trials == 1 || n < least {
					least = n
				}
			}
		}
		if trials > 0 && least >= v.o.tailOps() {
			return 0.99
		} else if trials > 0 {
			return 0.5
		}
	}
	return 0.5
}

// tailOps is how many ops of each trial the least number of repetitions needs to
// show a p99.
func (o Options) tailOps() int64 {
	n := int64(o.MinReps)
	return (o.MinP99Ops + n - 1) / n
}

// toldQuantile says by which quantile latencies are compared, and why.
func (j *judgement) toldQuantile() string {
	if j.compared(j.load) > 0.5 {
		return "latencies are compared by the p99 of each trial"
	}
	return fmt.Sprintf("latencies are compared by the median of each trial, for a p99 needs at least %d timed ops in every trial, and some have fewer", j.o.tailOps())
}
