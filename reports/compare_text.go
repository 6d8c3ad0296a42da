package reports

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
)

// comparisonText lays a comparison out for a terminal: what it comes to, the
// changes of class and recommendation, a table for each workload, the doubts.
func comparisonText(c *compare.Comparison, o Options) []byte {
	t := &terminal{width: o.width(), verbose: o.Verbose, palette: palette{o.Color}}
	t.prose = min(t.width, proseWidth)
	t.hang("", plain(summary(c)), boldStyle)
	for _, s := range turns(c) {
		t.hang("! ", plain(s), doubtStyle)
	}
	if line := sideBySide(c); line != "" {
		t.hang("", plain(line), plainStyle)
	}
	t.changes(c, "")
	for i, w := range c.Warnings {
		if i == 0 {
			t.b.WriteString("\n")
		}
		t.doubted(w)
	}
	t.b.WriteString("\n")
	labels := []string{short(c.Base.Label, 20), short(c.Head.Label, 20)}
	for i, s := range []compare.Source{c.Base, c.Head} {
		pad := strings.Repeat(" ", max(columns(labels[0]), columns(labels[1]))-columns(labels[i]))
		t.hang(labels[i]+pad+"  ", plain(sourceLine(&s)), plainStyle)
	}
	return []byte(t.b.String())
}

// since tells in the report of a run what changed since the revision that it
// was measured against.
func (t *terminal) since(c *compare.Comparison) {
	base := plain(short(c.Base.Label, 40))
	t.hang("since "+base+": ", plain(summary(c)), boldStyle)
	for _, s := range turns(c) {
		t.hang("! ", plain(s), doubtStyle)
	}
	if line := sideBySide(c); line != "" {
		t.hang(indent, plain(line), plainStyle)
	}
	t.changes(c, ", since "+base)
	for _, w := range c.Warnings {
		t.doubted(w)
	}
}

// changes writes what only one of the runs has, and the table of each
// workload, whose title ends with suffix.
func (t *terminal) changes(c *compare.Comparison, suffix string) {
	for _, s := range absent(c) {
		t.hang("", plain(s), plainStyle)
	}
	tables, left := make([]table, len(c.Workloads)), make([]int, len(c.Workloads))
	for i := range c.Workloads {
		tables[i], left[i] = compareTable(c, &c.Workloads[i], t.verbose)
	}
	t.grid = newGrid(tables, t.width-len(indent))
	for i := range c.Workloads {
		t.compared(c, &c.Workloads[i], tables[i], left[i], suffix)
	}
	if len(c.Differences) > 0 {
		t.heading("measured differently")
		for _, d := range c.Differences {
			t.hang(indent+"- ", plain(d.String()), doubtStyle)
		}
	}
}

func (t *terminal) doubted(w analyzer.Warning) {
	t.hang("warning: ", plain(w.Message)+" ["+plain(w.ID)+"]", doubtStyle)
	if w.Remedy != "" {
		t.hang("   hint: ", plain(w.Remedy), plainStyle)
	}
}

func sourceLine(s *compare.Source) string {
	line := s.Dir
	if line == "" {
		line = s.ID
	}
	if !s.Created.IsZero() {
		line += s.Created.UTC().Format(" (2006-01-02 15:04 UTC")
		line += fmt.Sprintf(", concprof %s, %s)", s.Tool.Version, s.Tool.Go)
	}
	return line
}

// compared writes the section of one workload.
func (t *terminal) compared(c *compare.Comparison, w *compare.Workload, tab table, left int, suffix string) {
	title := "── " + short(w.Name, t.prose-8-columns(suffix)) + suffix + " "
	title += strings.Repeat("─", max(0, t.prose-columns(title)))
	t.b.WriteString("\n" + t.palette.bold(title) + "\n")
	if len(tab.rows) > 0 {
		tab.write(&t.b, t.palette, indent, t.width, t.grid)
		t.note(plain(compareLegend(c, w)))
	} else {
		t.note(fewTrials(c, w.Load != nil))
	}
	if left > 0 && w.Load == nil {
		t.note(plural(int64(left), "more cell") + " with too few trials, with --verbose")
	}
	for i := range w.Gate {
		t.hang(indent+"gate: ", plain(gateLine(&w.Gate[i])), plainStyle)
	}
	for _, s := range append(untold(w), onlyCells(c, w, t.verbose || w.Load != nil)...) {
		t.hang(indent, plain(s), plainStyle)
	}
}

// compareTable makes the table of a workload; cells that are not tested are
// in it only if verbose, else it says how many there are.
func compareTable(c *compare.Comparison, w *compare.Workload, verbose bool) (table, int) {
	tab := table{columns: []column{
		{"", false, 0, 1, false}, // mark
		{"model", false, 0, 10, false},
		{"conc", true, 0, 4, false},
		{fit(plain(c.Base.Label), 12), true, 0, 5, false},
		{"±%", true, 4, 4, false},
		{fit(plain(c.Head.Label), 12), true, 0, 5, false},
		{"±%", true, 4, 4, false},
		{"change", true, 0, 7, false},
		{"interval", true, 1, 8, true},
		{"p", true, 3, 6, false},
		{"n", true, 2, 2, false},
	}}
	left := 0
	var marks []string
	for i := range w.Cells {
		x := &w.Cells[i]
		if x.Verdict == compare.Untested && !verbose {
			left++
			continue
		}
		mark := ""
		switch x.Verdict {
		case compare.Faster, compare.Keeps:
			mark = "+"
		case compare.Slower, compare.Behind:
			mark = "-"
		}
		base, head := readings(x)
		marks = append(marks, mark)
		tab.rows = append(tab.rows, []string{
			mark, plain(string(x.Model)), strconv.Itoa(x.Concurrency),
			base.value, digitsOf(base.spread), head.value, digitsOf(head.spread),
			changeText(x), changeSpan(x), pText(x), trialsText(x),
		})
	}
	tab.style = func(i int) style {
		switch marks[i] {
		case "+":
			return goodStyle
		case "-":
			return badStyle
		}
		return plainStyle
	}
	return tab, left
}

// digitsOf is a spread without its unit, which the column's title has.
func digitsOf(spread string) string { return strings.ReplaceAll(spread, " %", "") }
