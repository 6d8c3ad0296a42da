package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/probes/model"
)

// ComparisonFormats returns the formats that a comparison can be told in.
func ComparisonFormats() []Format { return []Format{Text, Markdown, JSON, HTML} }

// WriteComparison writes what changed between two runs. It is pure, as Write.
func WriteComparison(w io.Writer, format Format, c *compare.Comparison, o Options) error {
	var out []byte
	var err error
	switch format {
	case Text:
		out = comparisonText(c, o)
	case Markdown:
		out = comparisonMarkdown(c)
	case HTML:
		out, err = comparisonPage(c)
	case JSON:
		if out, err = json.MarshalIndent(c, "", "  "); err != nil {
			return fmt.Errorf("encode the comparison: %w", err)
		}
		out = visible(out)
	default:
		err = fmt.Errorf("a comparison has no format %q: want text, markdown, json or html", format)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// firstLineOf is the first line of a text, with an ellipsis for the others.
func firstLineOf(s string) string {
	line, rest, _ := strings.Cut(s, "\n")
	if rest != "" {
		line += " …"
	}
	return line
}

// summary is a comparison in a sentence.
func summary(c *compare.Comparison) string {
	tested := plural(int64(c.Tested), "cell")
	switch {
	case len(c.Workloads) == 0 && c.Against != nil:
		return "nothing is compared: no workload can run at " + c.Base.Label
	case c.Tested == 0:
		return fewTrials(c, slices.ContainsFunc(c.Workloads, func(w compare.Workload) bool { return w.Load != nil }))
	case c.Changed == 0:
		return "no difference can be told in " + tested
	}
	counts := map[compare.Verdict]int{}
	for _, w := range c.Workloads {
		for _, x := range w.Cells {
			counts[x.Verdict]++
		}
	}
	var parts []string
	for _, v := range []struct {
		verdict compare.Verdict
		words   string
	}{{compare.Behind, "no longer holding the rate"}, {compare.Slower, "slower"}, {compare.Keeps, "holding the rate now"}, {compare.Faster, "faster"}} {
		if n := counts[v.verdict]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v.words))
		}
	}
	return fmt.Sprintf("%s in %s, of %s", listOf(parts), c.Head.Label, tested)
}

// listOf joins words: "a, b and c".
func listOf(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// fewTrials says why nothing is compared, and what would help; where ops arrive at
// a rate each cell says why itself.
func fewTrials(c *compare.Comparison, load bool) string {
	if load {
		return "nothing can be compared"
	}
	return fmt.Sprintf("no cell has %d trials in both runs, which a comparison needs: measure with a larger budget", c.MinTrials)
}

// turns are the classes and recommendations that are not what they were.
func turns(c *compare.Comparison) []string {
	var out []string
	for i := range c.Workloads {
		w := &c.Workloads[i]
		for _, x := range []struct {
			what string
			compare.Change
		}{{"class", w.Class}, {"recommendation", w.Recommendation}} {
			if !x.Changed {
				continue
			}
			s := fmt.Sprintf("%s: %s %s, was %s", w.Name, x.what, x.Head, x.Base)
			if x.Note != "" {
				s += " (" + x.Note + ")"
			}
			out = append(out, s)
		}
		out = append(out, loadTurns(w)...)
	}
	return out
}

// sideBySide says how two runs were measured whose trials were interleaved, ""
// for others.
func sideBySide(c *compare.Comparison) string {
	a := c.Against
	if a == nil {
		return ""
	}
	tree := "this tree"
	if a.Modified {
		tree += " with what was not committed"
	}
	s := fmt.Sprintf("%s and %s (%s) were measured side by side, their trials interleaved, with the workload file and inputs of this tree",
		tree, c.Base.Label, a.Commit[:min(len(a.Commit), 12)])
	for _, note := range a.Notes {
		s += "; " + note
	}
	return s
}

// absent tells of workloads and cells that one run alone has.
func absent(c *compare.Comparison) []string {
	var out []string
	if c.Against != nil {
		for _, x := range c.Against.Absent {
			out = append(out, fmt.Sprintf("%s cannot run at %s: %s", x.Workload, c.Base.Label, firstLineOf(x.Reason)))
		}
		return out
	}
	for _, s := range []struct {
		label string
		names []string
	}{{c.Base.Label, c.OnlyBase}, {c.Head.Label, c.OnlyHead}} {
		if len(s.names) > 0 {
			out = append(out, fmt.Sprintf("only in %s: %s", s.label, strings.Join(s.names, ", ")))
		}
	}
	return out
}

// onlyCells tells of the cells of a workload that one run alone has numbers
// of, a line for each run, or, with reasons, for each cell.
func onlyCells(c *compare.Comparison, w *compare.Workload, reasons bool) []string {
	var out []string
	for _, label := range []string{c.Base.Label, c.Head.Label} {
		other := c.Head.Label
		if label == c.Head.Label {
			other = c.Base.Label
		}
		var names []string
		for _, x := range w.Only {
			if x.In != label {
				continue
			}
			name := cellText(x.Model, x.Concurrency)
			if reasons {
				out = append(out, fmt.Sprintf("only %s has numbers of %s; in %s: %s", label, name, other, x.Why))
			}
			names = append(names, name)
		}
		if len(names) > 0 && !reasons {
			out = append(out, fmt.Sprintf("only %s has numbers of %s", label, strings.Join(names, ", ")))
		}
		if c.Base.Label == c.Head.Label {
			break
		}
	}
	return out
}

func cellText(m model.Model, n int) string {
	if m == model.Sequential {
		return string(m)
	}
	return fmt.Sprintf("%s at %d", m, n)
}

// changeText is the change of a cell: "~" where none can be told.
func changeText(x *compare.Cell) string {
	switch x.Verdict {
	case compare.Faster, compare.Slower:
		return signed(x.Change.Value)
	case compare.Behind:
		return "behind"
	case compare.Keeps:
		return "holds"
	case compare.Neither:
		return dash
	case compare.Untested:
		return "?"
	}
	return "~"
}

// signed is a relative number with its sign, "+12 %".
func signed(v float64) string {
	s := percent(v)
	if v > 0 && s != dash {
		s = "+" + s
	}
	return s
}

// changeSpan is the interval of a change that can be told, "+9.1 to +14 %".
func changeSpan(x *compare.Cell) string {
	if x.Verdict != compare.Faster && x.Verdict != compare.Slower || x.Change.Level == 0 {
		return ""
	}
	return strings.TrimSuffix(signed(x.Change.Low), " %") + " to " + signed(x.Change.High)
}

// pText is a corrected p-value; "*" follows where the noise floor stands
// against it.
func pText(x *compare.Cell) string {
	if x.Verdict == compare.Untested || x.Verdict == compare.Neither {
		return dash
	}
	s := fmt.Sprintf("%.3f", x.Corrected)
	if x.Corrected < 0.0005 {
		s = "<0.001"
	}
	if x.Verdict == compare.Same && x.Why == compare.BelowFloor {
		s += "*"
	}
	return s
}

// trialsText are the numbers of trials, "10+9", as benchstat has n.
func trialsText(x *compare.Cell) string {
	if x.Base.Trials == x.Head.Trials {
		return fmt.Sprint(x.Base.Trials)
	}
	return fmt.Sprintf("%d+%d", x.Base.Trials, x.Head.Trials)
}

// compareLegend says what stands for what in a table.
func compareLegend(c *compare.Comparison, w *compare.Workload) string {
	s := "medians of ops/s"
	if w.Load != nil {
		s = fmt.Sprintf("medians of the p99s of trials at %s, so + is longer; < does not hold that: the ops/s that it reached", rateOf(w.Load))
	}
	s += "; ~ no difference can be told at " + share(c.Alpha)
	if c.Tested > 1 {
		s += fmt.Sprintf(", p corrected for %d cells", c.Tested)
	}
	s += fmt.Sprintf("; noise floor %s", percent(w.Floor))
	for i := range w.Cells {
		if strings.HasSuffix(pText(&w.Cells[i]), "*") {
			return s + "; * less than that"
		}
	}
	return s
}
