package bench

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// ErrNotMet is returned when a target that is required was not met.
var ErrNotMet = errors.New("not every required target is met")

// report prints what came out, in all and of each op.
func (b *bench) report(w io.Writer) error {
	columns := b.columns()
	var scored [][]row
	head := []string{"asked", "target"}
	for _, c := range columns {
		scored = append(scored, b.score(c.kinds).rows())
		head = append(head, c.name)
	}
	t := b.table(w)
	t.line(append(head, "")...)
	t.rule(len(head) + 1)
	met := true
	for i, r := range scored[len(scored)-1] { // of all
		line := []string{r.what, r.target}
		for _, rows := range scored {
			line = append(line, rows[i].measured)
		}
		t.line(append(line, r.verdict)...)
		switch {
		case i == 0: // the class: where none was decided nothing is shown
			met = r.verdict == "met"
		case b.o.Require == "all":
			met = met && r.verdict != "not met"
		}
	}
	t.end()
	fmt.Fprintln(w)
	t = b.table(w)
	t.line("op", "truth", "verdict", "demand", "limits", "recommended", "of the best", "predicted", "runs like it", "doubt")
	t.rule(10)
	for _, l := range b.labels {
		if o, ok := b.outcomes.values[b.outcomeKey(l, 0)]; ok {
			t.line(b.opLine(l, o)...)
		}
	}
	t.end()
	if !met {
		return ErrNotMet
	}
	return nil
}

// A column is what the table says of some kinds of targets.
type column struct {
	name  string
	kinds []model.Kind
}

// columns are one for each kind of target and one for all; the last is judged.
func (b *bench) columns() []column {
	has := func(kind model.Kind) bool {
		return slices.ContainsFunc(b.labels, func(l Label) bool { return l.Target == kind })
	}
	switch both := []model.Kind{model.Go, model.Python}; {
	case !has(model.Python):
		return []column{{"Go", both[:1]}}
	case !has(model.Go):
		return []column{{"Python", both[1:]}}
	default:
		return []column{{"Go", both[:1]}, {"Python", both[1:]}, {"all", both}}
	}
}

// repeats says of an op that was run more than once how many runs gave the
// class and the recommended model of the first.
func (b *bench) repeats(l Label, first Outcome) string {
	var class, models tally
	for rep := range b.o.runs(l) {
		if o, ok := b.outcomes.values[b.outcomeKey(l, rep)]; ok {
			class.add(o.Class == first.Class)
			models.add(o.Recommended == nil && first.Recommended == nil ||
				o.Recommended != nil && first.Recommended != nil && o.Recommended.Model == first.Recommended.Model)
		}
	}
	if class.of < 2 {
		return ""
	}
	return fmt.Sprintf("class %d/%d, model %d/%d", class.right, class.of, models.right, models.of)
}

// opLine is the line of the first run of an op.
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
		strings.Join(limits, " "), o.Recommended.String(), best, predicted, b.repeats(l, o), cut(o.Undecided, 60),
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
