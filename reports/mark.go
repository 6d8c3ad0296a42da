package reports

import (
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// mark says what a cell is to the verdict.
type mark string

const (
	markNone mark = ""
	markBest mark = "*" // the recommendation
	markTie  mark = "=" // not distinguishable from it
	// markBroken is for what has numbers though some of its ops or trials
	// failed.
	markBroken mark = "!"
	// markBehind is for what does not hold the rate at which ops arrive.
	markBehind mark = "<"
)

func (m mark) word() string {
	switch m {
	case markBest:
		return "recommended"
	case markTie:
		return "tie"
	}
	return ""
}

func markOf(w *analyzer.Workload, c *analyzer.Cell) mark {
	r := w.Recommendation
	if r == nil {
		return markUnchosen(c)
	}
	if r.Model == c.Model && (r.Concurrency == c.Concurrency || c.Model == model.Sequential) {
		return markBest
	}
	for _, t := range r.Ties {
		if t.Model == c.Model && t.Concurrency == c.Concurrency {
			return markTie
		}
	}
	return markUnchosen(c)
}

// markUnchosen is the mark of a cell that is not recommended.
func markUnchosen(c *analyzer.Cell) mark {
	if behind(c) {
		return markBehind
	}
	return markNone
}

// behind reports whether ops arrive at a rate that the cell does not hold.
func behind(c *analyzer.Cell) bool { return c.Load != nil && !c.Load.Holds }

// ordered returns the cells in the order of reports: by model, the simplest
// first, then by concurrency.
func ordered(w *analyzer.Workload) []*analyzer.Cell {
	cells := make([]*analyzer.Cell, len(w.Cells))
	for i := range w.Cells {
		cells[i] = &w.Cells[i]
	}
	slices.SortStableFunc(cells, func(a, b *analyzer.Cell) int {
		if d := a.Model.Rank() - b.Model.Rank(); d != 0 {
			return d
		}
		if d := strings.Compare(string(a.Model), string(b.Model)); d != 0 {
			return d
		}
		return a.Concurrency - b.Concurrency
	})
	return cells
}
