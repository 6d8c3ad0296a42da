package reports

import (
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
)

// A gap is a cell or model without numbers, or with something broken.
type gap struct {
	What   string
	Status record.Status
	Reason string
	Errors []record.ErrorCount
	Output string
}

func (g gap) String() string {
	s := g.What + ": " + string(g.Status)
	if g.Reason != "" {
		s += ", " + g.Reason
	}
	return s
}

// gaps returns the skipped and broken cells, and those that were eliminated
// before they gave a number. Cells of one model that ended alike for one reason
// are one gap; unless every reason is asked for, all eliminated ones are.
func gaps(w *analyzer.Workload, every bool) []gap {
	var out []gap
	var eliminated []string
	var last, dropped *analyzer.Cell
	for _, c := range ordered(w) {
		if counted(c) && c.Status != record.Partial && len(c.Errors) == 0 {
			continue
		}
		if c.Status == record.Eliminated && !every {
			if dropped != nil && dropped.Model == c.Model {
				eliminated[len(eliminated)-1] += ", " + at(dropped, c)
			} else {
				eliminated = append(eliminated, at(nil, c))
			}
			dropped = c
			continue
		}
		plainly := len(c.Errors) == 0 && c.Output == ""
		if n := len(out); n > 0 && plainly && last != nil && last.Model == c.Model && last.Status == c.Status && last.Reason == c.Reason &&
			out[n-1].Output == "" && len(out[n-1].Errors) == 0 {
			out[n-1].What += ", " + at(last, c)
		} else {
			out = append(out, gap{What: at(nil, c), Status: c.Status, Reason: c.Reason, Errors: c.Errors, Output: c.Output})
		}
		last = c
	}
	if len(eliminated) > 0 {
		out = append(out, gap{
			What:   strings.Join(eliminated, "; "),
			Status: record.Eliminated, Reason: "could not win or did not fit into the budget (--verbose says which)",
		})
	}
	return out
}

// at names a cell, the model only where it differs from that of the one before.
func at(before, c *analyzer.Cell) string {
	switch {
	case c.Concurrency == 0:
		return string(c.Model)
	case before != nil && before.Model == c.Model:
		return fmt.Sprint(c.Concurrency)
	}
	return fmt.Sprintf("%s at %d", c.Model, c.Concurrency)
}

// A doubt is a warning and the workload that it is about, "" for the run.
type doubt struct {
	Workload string
	analyzer.Warning
}

// doubts returns every warning, the run's first.
func doubts(res *analyzer.Result) []doubt {
	var out []doubt
	for _, w := range res.Warnings {
		out = append(out, doubt{"", w})
	}
	for _, l := range res.Workloads {
		for _, w := range l.Warnings {
			out = append(out, doubt{l.Name, w})
		}
	}
	return out
}
