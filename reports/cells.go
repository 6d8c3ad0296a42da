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

// allCells is the number of cells up to which text shows them all; of more it
// shows, unless verbose, what matters: the best level of each model, the
// recommendation, its ties, the baseline and what broke.
const allCells = 12

// cellColumns are the columns of the table of cells, with the order in which
// they leave a narrow terminal: first the trend and what can be looked up
// elsewhere, at last the interval. Model, concurrency, throughput, speedup and
// status stay.
func cellColumns() []column {
	return []column{
		{"", false, 0}, // mark
		{"model", false, 0},
		{"conc", true, 0},
		{"ops/s", true, 0},
		{"±", true, 9},
		{"speedup", true, 0},
		{"p50", true, 5},
		{"p95", true, 3},
		{"p99", true, 8},
		{"CPU/op", true, 7},
		{"RSS", true, 6},
		{"threads", true, 2},
		{"n", true, 4},
		{"by level", false, 1},
		{"status", false, 0},
	}
}

// cells writes the table of cells.
func (t *terminal) cells(w *analyzer.Workload) {
	all := ordered(w)
	shown := make([]*analyzer.Cell, 0, len(all))
	var left int
	for _, c := range all {
		switch {
		case absent(c):
		case !t.verbose && len(all) > allCells && !matters(w, c):
			left++
		default:
			shown = append(shown, c)
		}
	}
	if len(shown) == 0 {
		return
	}
	t.heading("cells")
	tab := table{columns: cellColumns()}
	marks := make([]mark, len(shown))
	few, best, tied := false, false, false
	for i, c := range shown {
		marks[i] = markOf(w, c)
		best, tied = best || marks[i] == markBest, tied || marks[i] == markTie
		row := cellRow(c)
		row[0] = string(marks[i])
		if i == 0 || shown[i-1].Model != c.Model {
			row[13] = trend(all, c.Model)
		} else if marks[i] == markNone {
			row[1] = ""
		}
		few = few || strings.HasSuffix(row[4], "?")
		tab.rows = append(tab.rows, row)
	}
	tab.style = func(i int) style {
		switch {
		case marks[i] == markBest:
			return goodStyle
		case shown[i].Status.Broken():
			return badStyle
		case shown[i].Status == record.Eliminated:
			return dimStyle
		}
		return plainStyle
	}
	tab.write(&t.b, t.palette, indent, t.width)
	var legend []string
	if best {
		legend = append(legend, "* recommended")
	}
	if tied {
		legend = append(legend, "= tie")
	}
	if few {
		legend = append(legend, "? fewer trials than an interval at 95 % needs")
	}
	if left > 0 {
		legend = append(legend, plural(int64(left), "more cell")+" with --verbose")
	}
	if len(legend) > 0 {
		for _, l := range wrap(strings.Join(legend, "; "), t.width-len(indent)) {
			t.b.WriteString(indent + t.palette.dim(l) + "\n")
		}
	}
}

// absent reports whether a cell has nothing to show in a table: it was left out
// on purpose before it gave a number.
func absent(c *analyzer.Cell) bool {
	return !c.Status.Broken() && !counted(c)
}

// cellRow returns the cell's texts in the order of cellColumns.
func cellRow(c *analyzer.Cell) []string {
	row := []string{"", plain(string(c.Model)), strconv.Itoa(c.Concurrency), dash, dash, dash, dash, dash, dash, dash, dash, dash, dash, "", statusText(c)}
	if !counted(c) {
		return row
	}
	row[3] = rate(c.OpsPerSec.Median)
	row[4] = spread(c.OpsPerSec)
	row[5] = ratio(c.Speedup.Value)
	if c.Model == model.Sequential && c.Speedup.Value == 0 {
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

// statusText is the status, and how many ops failed.
func statusText(c *analyzer.Cell) string {
	s := plain(string(c.Status))
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
	case c.Model == model.Sequential, markOf(w, c) != markNone, c.Status.Broken():
		return true
	}
	best := bestOf(ordered(w), c.Model)
	return best == c || best == nil
}

// bestOf returns the model's counted cell with the highest throughput, nil if
// none was counted.
func bestOf(cells []*analyzer.Cell, m model.Model) *analyzer.Cell {
	var best *analyzer.Cell
	for _, c := range cells {
		if c.Model == m && counted(c) && (best == nil || c.OpsPerSec.Median > best.OpsPerSec.Median) {
			best = c
		}
	}
	return best
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
