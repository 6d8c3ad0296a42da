package bench

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/concprof/concprof/analyzer"
)

// ErrNotMet is returned when a target that is required was not met.
var ErrNotMet = errors.New("not every required target is met")

// report prints what came out, in all and of each op.
func (b *bench) report(w io.Writer) error {
	rows := b.score().rows()
	t := b.table(w)
	t.line("asked", "target", "measured", "")
	t.rule(4)
	met := true
	for i, r := range rows {
		t.line(r.what, r.target, r.measured, r.verdict)
		required := i == 0 || b.o.Require == "all" // the first is the class
		met = met && (r.verdict != "not met" || !required)
	}
	t.end()
	fmt.Fprintln(w)
	t = b.table(w)
	t.line("op", "truth", "verdict", "demand", "limits", "recommended", "of the best", "predicted", "doubt")
	t.rule(9)
	for _, l := range b.labels {
		for rep := range b.o.Repeat {
			if o, ok := b.outcomes.values[b.outcomeKey(l, rep)]; ok {
				t.line(b.opLine(l, o)...)
			}
		}
	}
	t.end()
	if !met {
		return ErrNotMet
	}
	return nil
}

// opLine is the line of one run of an op.
func (b *bench) opLine(l Label, o Outcome) []string {
	truth := string(l.Class)
	if l.Ambiguous {
		truth = "(" + truth + ")"
	}
	class := string(o.Class)
	if o.Class != l.Class && o.Class != analyzer.Inconclusive && !l.Ambiguous {
		class += " WRONG"
	}
	best := ""
	if sweep, ok := b.sweeps.values[b.sweepKey(l)]; ok && o.Recommended != nil {
		if v, ok := sweep.worth(l, *o.Recommended); ok {
			best = fmt.Sprintf("%.2f (%.2f-%.2f)", v.value, v.low, v.high)
		}
	}
	var limits []string
	for _, k := range o.Limits {
		limits = append(limits, string(k))
	}
	if faults := l.faults(o.Limits); len(faults) > 0 {
		limits = append(limits, "("+strings.Join(faults, " ")+")")
	}
	predicted := o.Predicted.String()
	if o.Recommended != nil && !o.Agrees {
		predicted += ", no"
	}
	if o.Recommended != nil && !slices.Contains(l.Models, o.Recommended.Model) {
		best += " UNSUITED"
	}
	return []string{
		l.Name, truth, class, fmt.Sprintf("%.2f (%.2f-%.2f)", o.Demand, o.Interval[0], o.Interval[1]),
		strings.Join(limits, " "), o.Recommended.String(), best, predicted, cut(o.Undecided, 60),
	}
}

// String names a setup, "-" if there is none.
func (s *Setup) String() string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%s/%d", s.Model, s.Concurrency)
}

// cut shortens a text to so many characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// A table is text in columns, or Markdown.
type table struct {
	w        *tabwriter.Writer
	markdown bool
}

func (b *bench) table(w io.Writer) *table {
	if b.o.Format == "markdown" {
		return &table{tabwriter.NewWriter(w, 0, 8, 0, ' ', 0), true}
	}
	return &table{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0), false}
}

func (t *table) line(cells ...string) {
	if t.markdown {
		fmt.Fprintf(t.w, "| %s |\n", strings.Join(cells, " | "))
		return
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

// rule separates the head of a Markdown table.
func (t *table) rule(columns int) {
	if t.markdown {
		fmt.Fprintf(t.w, "|%s\n", strings.Repeat(" --- |", columns))
	}
}

func (t *table) end() { t.w.Flush() }
