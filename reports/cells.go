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

// allCells is the number of compared cells up to which text shows them all; of
// more it shows, unless verbose, the baseline, the recommendation and the best
// level of each model.
const allCells = 8

// cellColumns are the columns of the table of cells. A terminal of 80 columns
// has those up to RSS, a wider one more, always in this order and the same for
// every workload of a report. Narrower ones lose the last of them first.
func cellColumns() []column {
	return []column{
		{"", false, 0, 1, false}, // mark
		{"model", false, 0, 10, false},
		{"conc", true, 0, 4, false},
		{"ops/s", true, 0, 5, false},
		{"±%", true, 9, 4, false},
		{"speedup", true, 0, 7, false},
		{"p50", true, 8, 7, false},
		{"p95", true, 3, 7, true},
		{"p99", true, 7, 7, false},
		{"CPU/op", true, 6, 7, false},
		{"RSS", true, 5, 8, false},
		{"threads", true, 2, 7, true},
		{"n", true, 4, 2, true},
		{"by level", false, 1, 8, true},
	}
}

// trendColumn is the index of the trend in a row.
const trendColumn = 13

// cellsOf makes the table of a workload's cells and the words under it: first
// the cells that are compared, then those that were eliminated with numbers.
func cellsOf(w *analyzer.Workload, verbose bool) (table, string) {
	all := ordered(w)
	var compared, early []*analyzer.Cell
	for _, c := range all {
		switch {
		case !counted(c):
		case c.Status == record.Eliminated:
			early = append(early, c)
		default:
			compared = append(compared, c)
		}
	}
	left := 0
	keep := func(cells []*analyzer.Cell, when func(*analyzer.Cell) bool) []*analyzer.Cell {
		var out []*analyzer.Cell
		for _, c := range cells {
			if verbose || when(c) {
				out = append(out, c)
			} else {
				left++
			}
		}
		return out
	}
	few := len(compared) <= allCells
	shown := keep(compared, func(c *analyzer.Cell) bool { return few || matters(w, c) })
	tab := table{columns: cellColumns()}
	named := map[model.Model]bool{}
	for _, c := range shown {
		named[c.Model] = true
	}
	// Of an eliminated model its best level tells what it came to.
	early = keep(early, func(c *analyzer.Cell) bool { return !named[c.Model] && bestOf(early, c.Model) == c })
	if len(early) > 0 {
		tab.aside, tab.said = len(shown), "eliminated before the end, so not in the comparison:"
		if len(shown) == 0 {
			tab.said = ""
		}
	}
	shown = append(shown, early...)
	var best, tied, doubtful, broken, late bool
	trends := map[model.Model]bool{}
	marks := make([]mark, len(shown))
	for i, c := range shown {
		m := markOf(w, c)
		if m == markNone && failing(c) {
			m = markBroken
		}
		marks[i] = m
		best, tied, broken = best || m == markBest, tied || m == markTie, broken || m == markBroken
		late = late || m == markBehind
		row := cellRow(c)
		row[0] = string(m)
		if !trends[c.Model] {
			trends[c.Model] = true
			row[trendColumn] = trend(all, c.Model)
		}
		doubtful = doubtful || strings.HasSuffix(row[4], "?")
		tab.rows = append(tab.rows, row)
	}
	tab.style = func(i int) style {
		switch {
		case marks[i] == markBest:
			return goodStyle
		case marks[i] == markBroken:
			return badStyle
		case shown[i].Status == record.Eliminated:
			return dimStyle
		}
		return plainStyle
	}
	var legend []string
	if best {
		legend = append(legend, "* recommended")
	}
	if tied {
		legend = append(legend, "= tie")
	}
	if late {
		legend = append(legend, "< does not hold the rate: ops/s is what it reached")
	}
	if broken {
		legend = append(legend, "! see below")
	}
	if doubtful {
		legend = append(legend, "? fewer trials than an interval at 95 % needs")
	}
	if left > 0 {
		legend = append(legend, plural(int64(left), "more cell")+" with --verbose")
	}
	return tab, strings.Join(legend, "; ")
}

// cellRow returns the cell's texts in the order of cellColumns.
func cellRow(c *analyzer.Cell) []string {
	row := []string{"", plain(string(c.Model)), strconv.Itoa(c.Concurrency), dash, dash, dash, dash, dash, dash, dash, dash, dash, dash, ""}
	if !counted(c) {
		return row
	}
	row[3] = rate(c.OpsPerSec.Median)
	row[4] = strings.ReplaceAll(spread(c.OpsPerSec), " %", "") // its column says %
	row[5] = ratio(c.Speedup.Value)
	if c.Model == model.Sequential && c.Speedup.Value == 0 && c.Load == nil {
		row[5] = ratio(1)
	}
	row[6], row[7], row[8] = duration(float64(c.Latency.P50)), duration(float64(c.Latency.P95)), duration(float64(c.Latency.P99))
	row[9], row[10] = duration(c.CPUNsPerOp), size(c.PeakRSSBytes)
	if c.Threads > 0 {
		row[11] = strconv.Itoa(c.Threads)
	}
	row[12] = strconv.Itoa(c.Trials)
	return row
}

// statusText is the status, whether the cell keeps up with its load, and how
// many ops failed.
func statusText(c *analyzer.Cell) string {
	s := plain(string(c.Status))
	if behind(c) {
		s += ", does not hold the rate"
	}
	if c.FailedOps > 0 {
		s += fmt.Sprintf(", %s of %s ops failed", count(c.FailedOps), count(c.Ops))
	}
	return s
}

// sureLevel is the least level that the interval of a median is shown with
// unquestioned. Six values give 0.97, five 0.94, four 0.88: the nominal 0.95
// cannot be had from fewer than six (golang.org/x/perf/benchmath).
const sureLevel = 0.95

// spread is half the interval of a median relative to it; a question mark
// says that there were too few trials for an interval.
func spread(q analyzer.Quartile) string {
	if q.Median == 0 || q.Low == q.High {
		return dash
	}
	s := percent((q.High - q.Low) / 2 / q.Median)
	if q.Level < sureLevel {
		s += "?"
	}
	return s
}

// matters reports whether a cell is shown where space is dear.
func matters(w *analyzer.Workload, c *analyzer.Cell) bool {
	switch {
	case c.Model == model.Sequential, markOf(w, c) == markBest, failing(c):
		return true
	}
	best := bestOf(ordered(w), c.Model)
	return best == c || best == nil
}

// bestOf returns the model's counted cell with the highest throughput or, where
// ops arrive at a rate, the one that holds it with the least p99; nil if none was
// counted.
func bestOf(cells []*analyzer.Cell, m model.Model) *analyzer.Cell {
	var best *analyzer.Cell
	for _, c := range cells {
		if c.Model == m && counted(c) && (best == nil || surpasses(c, best)) {
			best = c
		}
	}
	return best
}

// surpasses compares two levels of a model.
func surpasses(a, b *analyzer.Cell) bool {
	if a.Load == nil || b.Load == nil || !a.Load.Holds && !b.Load.Holds {
		return a.OpsPerSec.Median > b.OpsPerSec.Median
	}
	if a.Load.Holds != b.Load.Holds {
		return a.Load.Holds
	}
	return a.Latency.P99 > 0 && (b.Latency.P99 == 0 || a.Latency.P99 < b.Latency.P99)
}

// sparks are the eight heights of a trend.
var sparks = []rune("▁▂▃▄▅▆▇█")

// trend draws a model's throughput over its levels, scaled to the fastest cell
// of the workload so that the models' trends compare; a level without numbers
// is a dot. Models of one level have no trend.
func trend(all []*analyzer.Cell, m model.Model) string {
	var top float64
	var levels []*analyzer.Cell
	for _, c := range all {
		if counted(c) {
			top = max(top, c.OpsPerSec.Median)
		}
		if c.Model == m {
			levels = append(levels, c)
		}
	}
	if len(levels) < 2 || top == 0 || !slices.ContainsFunc(levels, counted) {
		return ""
	}
	var b strings.Builder
	for _, c := range levels {
		if !counted(c) {
			b.WriteRune('·')
			continue
		}
		b.WriteRune(sparks[min(int(c.OpsPerSec.Median/top*8), 7)])
	}
	return b.String()
}
