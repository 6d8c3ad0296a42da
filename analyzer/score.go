package analyzer

import "github.com/concprof/concprof/probes/record"

// scoreOf returns what an objective makes of a trial; more is better.
func scoreOf(objective string, o Options) func(*record.Record) float64 {
	return func(r *record.Record) float64 {
		switch objective {
		case "latency":
			return inverse(float64(latencyScore(r.Latency, o)))
		case "cpu":
			return inverse(cpuPerOp(r))
		case "memory":
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

// latencyScore is the p99 where there are ops enough for it, else the p50.
func latencyScore(h *record.Histogram, o Options) int64 {
	if h != nil && h.N >= o.MinP99Ops {
		return h.Quantile(0.99)
	}
	return h.Quantile(0.5)
}
