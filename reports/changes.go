package reports

import (
	"fmt"
	"math"
	"strings"

	"github.com/concprof/concprof/analyzer"
)

// changes says what the recommended cell changes against the baseline, number
// by number. What differs by less than the noise is said to be the same. It is ""
// where nothing else is recommended.
func changes(w *analyzer.Workload) string {
	base, best := baseAndBest(w)
	if base == nil || best == nil || base == best {
		return ""
	}
	var parts []string
	add := func(name string, was, is float64, format func(float64) string) {
		if was <= 0 || is <= 0 {
			return
		}
		if math.Abs(is/was-1) <= w.NoiseFloor {
			parts = append(parts, "the same "+name)
			return
		}
		parts = append(parts, fmt.Sprintf("%s the %s (%s to %s)", ratio(is/was), name, format(was), format(is)))
	}
	if w.Load == nil { // else it is given
		add("throughput", base.OpsPerSec.Median, best.OpsPerSec.Median, func(v float64) string { return rate(v) + "/s" })
	}
	add("median op time", float64(base.Latency.P50), float64(best.Latency.P50), duration)
	add("p99", float64(base.Latency.P99), float64(best.Latency.P99), duration)
	add("CPU per op", base.CPUNsPerOp, best.CPUNsPerOp, duration)
	add("peak memory", float64(base.PeakRSSBytes), float64(best.PeakRSSBytes), func(v float64) string { return size(int64(v)) })
	return strings.Join(parts, ", ")
}
