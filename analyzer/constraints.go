package analyzer

import (
	"fmt"

	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/workload"
)

// constraints parses what a recommended cell must keep to. One that cannot be
// read is said; nothing keeps to it.
func (j *judgement) constraints() []workload.Constraint {
	var cs []workload.Constraint
	for _, text := range j.load.w.Constraints {
		c, err := workload.ParseConstraint(text)
		if err != nil {
			j.warnOf(WarnConstraint, "correct it in the workload file", "a constraint that cannot be read is left out", "%q, %v", text, err)
			continue
		}
		cs = append(cs, c)
	}
	return cs
}

// unmet returns the first constraint that a cell does not keep to, "" if it
// keeps to all, and whether that is known: what could not be measured is not
// kept to either.
func unmet(cs []workload.Constraint, cell *Cell) (reason string, known bool) {
	for _, c := range cs {
		v := valueOf(c.Metric, cell)
		switch {
		case v == 0 && c.Metric == workload.MetricP99:
			return "its p99 is not known: that needs 1,000 timed ops", false
		case v == 0:
			return fmt.Sprintf("its %s is not known", c.Metric), false
		case v > c.Limit || c.Strict && v == c.Limit:
			return fmt.Sprintf("it breaks %s with %s", c, inUnit(c, v)), true
		}
	}
	return "", true
}

func valueOf(m workload.Metric, cell *Cell) float64 {
	switch m {
	case workload.MetricP50:
		return float64(cell.Latency.P50)
	case workload.MetricP95:
		return float64(cell.Latency.P95)
	case workload.MetricP99:
		return float64(cell.Latency.P99)
	case workload.MetricCPU:
		return cell.CPUNsPerOp
	case workload.MetricRSS:
		return float64(cell.PeakRSSBytes)
	case workload.MetricThreads:
		return float64(cell.Threads)
	}
	return 0
}

func inUnit(c workload.Constraint, v float64) string {
	switch c.Metric {
	case workload.MetricRSS:
		return quantity.Digits(v/1e6) + " MB"
	case workload.MetricThreads:
		return fmt.Sprintf("%.0f", v)
	}
	return quantity.Duration(v)
}
