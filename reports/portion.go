package reports

import (
	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
)

// A portion is a part of an op's wall time.
type portion struct {
	Name  string
	Share float64
}

// The names of the parts that are not waits.
const (
	onCPU    = "on-CPU"
	runnable = "runnable"
)

// portions returns the parts of an op's wall time in the sequential cell, in
// the order of reports: on-CPU, runnable, then the waits. Blocked time whose
// reason is unknown is "other". They sum to 1 as the split does.
func portions(w *analyzer.Workload) []portion {
	ps := []portion{{onCPU, w.Split.OnCPU}, {runnable, w.Split.Runnable}}
	named := 0.0
	for _, k := range record.Waits() {
		if k != record.Other {
			named += w.Waits[k]
			ps = append(ps, portion{string(k), w.Waits[k]})
		}
	}
	other := max(w.Waits[record.Other], w.Split.Blocked-named)
	return append(ps, portion{string(record.Other), other})
}

// cellPortions is portions for the profiled trial of one cell.
func cellPortions(c *analyzer.Cell) []portion {
	if len(c.Waits) == 0 {
		return nil
	}
	ps := []portion{{onCPU, c.Waits["on_cpu"]}, {runnable, c.Waits[runnable]}}
	for _, k := range record.Waits() {
		ps = append(ps, portion{string(k), c.Waits[string(k)]})
	}
	return ps
}

// counted reports whether the cell has numbers to show: they come only from
// trials that finished and passed their checks, so a cell whose results were
// wrong has none, however fast it was.
func counted(c *analyzer.Cell) bool {
	switch c.Status {
	case record.OK, record.Partial, record.Eliminated:
		return c.Trials > 0 && c.OpsPerSec.Median > 0
	}
	return false
}
