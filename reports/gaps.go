package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A gap is cells or models without numbers, or with something broken, that
// ended alike for one reason.
type gap struct {
	What   string // "pool, goroutines at 1, 4"
	Status record.Status
	Reason string
	Errors []record.ErrorCount
	Output string // of the first of them
	More   int    // how many others have an output
}

func (g gap) String() string {
	s := g.What + ": " + string(g.Status)
	if g.Reason != "" {
		s += ", " + g.Reason
	}
	return s
}

// where names the folders of the output, "trials/t0015 and 6 more".
func (g gap) where() string {
	if g.Output != "" && g.More > 0 {
		return fmt.Sprintf("%s and %d more", g.Output, g.More)
	}
	return g.Output
}

// plain is g as printable text.
func (g gap) plain() gap {
	g.What, g.Reason, g.Output, g.Status = plain(g.What), plain(g.Reason), plain(g.Output), record.Status(plain(string(g.Status)))
	g.Errors = slices.Clone(g.Errors)
	for i, e := range g.Errors {
		g.Errors[i] = record.ErrorCount{Type: plain(e.Type), Message: plain(e.Message), Count: e.Count}
	}
	return g
}

// gaps returns the skipped and broken cells, those that were eliminated before
// they gave a number, and those some of whose ops failed: grouped by status and
// reason, in the order of the first of each group.
func gaps(w *analyzer.Workload) []gap {
	groups := map[string][]*analyzer.Cell{}
	var order []string
	for _, c := range ordered(w) {
		if counted(c) && !failing(c) {
			continue
		}
		key := string(c.Status) + "\x00" + skeleton(c.Reason)
		for _, e := range c.Errors {
			key += "\x00" + e.Type + "\x00" + e.Message
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], c)
	}
	out := make([]gap, 0, len(order))
	for _, key := range order {
		cells := groups[key]
		g := gap{What: cellNames(w, cells), Status: cells[0].Status}
		var reasons []string
		for _, c := range cells {
			reasons = append(reasons, reasonOf(c))
			switch {
			case c.Output == "":
			case g.Output == "":
				g.Output = c.Output
			default:
				g.More++
			}
			if g.Errors == nil {
				g.Errors = slices.Clone(c.Errors)
				continue
			}
			for i, e := range c.Errors {
				g.Errors[i].Count += e.Count
			}
		}
		g.Reason = merged(reasons)
		out = append(out, g)
	}
	return out
}

// additions returns the levels that the plan does not have, grouped as gaps by
// why they were added.
func additions(w *analyzer.Workload) []gap {
	groups := map[string][]*analyzer.Cell{}
	var order []string
	for _, c := range ordered(w) {
		if c.Added == "" {
			continue
		}
		key := skeleton(c.Added)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], c)
	}
	out := make([]gap, 0, len(order))
	for _, key := range order {
		var why []string
		for _, c := range groups[key] {
			why = append(why, c.Added)
		}
		out = append(out, gap{What: cellNames(w, groups[key]), Status: "added", Reason: merged(why)})
	}
	return out
}

// failing reports whether a cell that may have numbers has broken ops or
// trials as well.
func failing(c *analyzer.Cell) bool {
	return c.Status == record.Partial || len(c.Errors) > 0 || c.FailedOps > 0
}

// reasonOf is the cell's reason, and how many of its ops failed.
func reasonOf(c *analyzer.Cell) string {
	s := c.Reason
	if c.FailedOps > 0 {
		if s != "" {
			s += "; "
		}
		s += fmt.Sprintf("%d of %d ops failed", c.FailedOps, c.Ops)
	}
	return s
}

// someLevels is the number of levels from which all of a model's are called
// that instead of listed.
const someLevels = 4

// cellNames names cells in words, models with the same levels together:
// "pool, goroutines at 1, 4; threads at 4".
func cellNames(w *analyzer.Workload, cells []*analyzer.Cell) string {
	total := map[model.Model]int{}
	for i := range w.Cells {
		total[w.Cells[i].Model]++
	}
	var models []model.Model
	levels := map[model.Model][]string{}
	for _, c := range cells {
		if _, ok := levels[c.Model]; !ok {
			models = append(models, c.Model)
			levels[c.Model] = nil
		}
		if c.Concurrency > 0 && c.Model != model.Sequential {
			levels[c.Model] = append(levels[c.Model], strconv.Itoa(c.Concurrency))
		}
	}
	var at []string
	names := map[string][]string{}
	for _, m := range models {
		l := strings.Join(levels[m], ", ")
		if n := len(levels[m]); n >= someLevels && n == total[m] {
			l = "every level"
		}
		if names[l] == nil {
			at = append(at, l)
		}
		names[l] = append(names[l], string(m))
	}
	for i, l := range at {
		at[i] = strings.Join(names[l], ", ")
		if l != "" {
			at[i] += " at " + l
		}
	}
	return strings.Join(at, "; ")
}
