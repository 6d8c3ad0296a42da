package reports

import (
	"fmt"
	"slices"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/probes/workload"
)

// A reading is what a table shows of a cell in one of two runs.
type reading struct{ value, spread string }

// readings are what a cell showed in the base and the head: ops per second or,
// where ops arrive at a rate, the p99, and of one that does not hold the rate the
// ops per second that it reached, "<119/s".
func readings(x *compare.Cell) (base, head reading) {
	if x.Load == nil {
		return reading{rate(x.Base.Median), spread(x.Base.Quartile)}, reading{rate(x.Head.Median), spread(x.Head.Quartile)}
	}
	of := func(a compare.Arrivals, t compare.Throughput) reading {
		if a.Holds {
			return reading{duration(a.P99.Median), spread(a.P99)}
		}
		return reading{"<" + rate(t.Median) + "/s", spread(t.Quartile)}
	}
	return of(x.Load.Base, x.Base), of(x.Load.Head, x.Head)
}

// unit is what a table of a workload has of each run.
func unit(w *compare.Workload) string {
	if w.Load != nil {
		return "p99"
	}
	return "ops/s"
}

// rateOf is the rate at which ops arrive, "200/s".
func rateOf(l *analyzer.Load) string { return workload.Rate(l.RatePerSec).String() }

// told reports whether a cell is known to differ.
func told(x *compare.Cell) bool {
	switch x.Verdict {
	case compare.Faster, compare.Slower, compare.Behind, compare.Keeps:
		return true
	}
	return false
}

// loadTurns tells of the cells of a workload that hold the rate in one run only.
func loadTurns(w *compare.Workload) []string {
	var out []string
	for i := range w.Cells {
		x := &w.Cells[i]
		name := w.Name + ": " + cellText(x.Model, x.Concurrency)
		switch x.Verdict {
		case compare.Behind:
			out = append(out, fmt.Sprintf("%s no longer holds %s: it reached %s/s", name, rateOf(w.Load), rate(x.Head.Median)))
		case compare.Keeps:
			out = append(out, fmt.Sprintf("%s now holds %s: it reached %s/s before", name, rateOf(w.Load), rate(x.Base.Median)))
		}
	}
	return out
}

// untold says, where ops arrive at a rate, why cells are not compared, a line for
// each reason.
func untold(w *compare.Workload) []string {
	var whys []string
	names := map[string]string{}
	for i := range w.Cells {
		x := &w.Cells[i]
		if w.Load == nil || x.Verdict != compare.Untested {
			continue
		}
		if !slices.Contains(whys, x.Why) {
			whys = append(whys, x.Why)
			names[x.Why] = cellText(x.Model, x.Concurrency)
			continue
		}
		names[x.Why] += ", " + cellText(x.Model, x.Concurrency)
	}
	for i, why := range whys {
		whys[i] = "not compared: " + names[why] + ": " + why
	}
	return whys
}
