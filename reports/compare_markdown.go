package reports

import (
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer/compare"
)

// comparisonMarkdown is a comparison for a comment on a pull request.
func comparisonMarkdown(c *compare.Comparison) []byte {
	head := "## concprof: " + prose(c.Base.Label) + " and " + prose(c.Head.Label) + "\n\n**" + prose(summary(c)) + "**\n"
	sections := append([]section{{rankVerdict, head}}, comparedSections(c, "")...)
	foot := "\n<sub>" + prose(c.Base.Label) + ": " + prose(sourceLine(&c.Base)) + "<br>" + prose(c.Head.Label) + ": " + prose(sourceLine(&c.Head)) + "</sub>\n"
	return assemble(append(sections, section{rankFoot, foot}), MarkdownLimit)
}

// sinceSections tell in the report of a run what changed since the revision
// that it was measured against.
func sinceSections(c *compare.Comparison) []section {
	base := prose(short(c.Base.Label, 40))
	head := "\n**Since " + base + ": " + prose(summary(c)) + "**\n"
	return append([]section{{rankVerdict, head}}, comparedSections(c, " since "+base)...)
}

// comparedSections are what changed; the title of each workload's table ends
// with suffix.
func comparedSections(c *compare.Comparison, suffix string) []section {
	var sections []section
	var b strings.Builder
	for _, s := range turns(c) {
		b.WriteString("- **" + prose(s) + "**\n")
	}
	for _, s := range absent(c) {
		b.WriteString("- " + prose(s) + "\n")
	}
	if line := sideBySide(c); line != "" {
		b.WriteString("\n<sub>" + prose(line) + "</sub>\n")
	}
	if b.Len() > 0 {
		sections = append(sections, section{rankVerdict, "\n" + b.String()})
	}
	if len(c.Differences) > 0 {
		b.Reset()
		b.WriteString("\n**Measured differently**\n\n")
		for _, d := range c.Differences {
			b.WriteString("- " + prose(d.String()) + "\n")
		}
		sections = append(sections, section{rankVerdict, b.String()})
	}
	for i := range c.Workloads {
		sections = append(sections, comparedSection(c, &c.Workloads[i], suffix))
	}
	if len(c.Warnings) > 0 {
		b.Reset()
		fmt.Fprintf(&b, "\n**Warnings**\n\n")
		for _, w := range c.Warnings {
			b.WriteString("- " + prose(w.Message))
			if w.Remedy != "" {
				b.WriteString("  \n  **Remedy**: " + prose(w.Remedy))
			}
			b.WriteString("\n")
		}
		sections = append(sections, section{rankWhy, b.String()})
	}
	return sections
}

// comparedSection is the table of one workload.
func comparedSection(c *compare.Comparison, w *compare.Workload, suffix string) section {
	var b strings.Builder
	b.WriteString("\n### " + code(w.Name) + suffix + "\n")
	left := 0
	for i := range w.Cells {
		x := &w.Cells[i]
		if x.Verdict == compare.Untested {
			left++
			continue
		}
		if i == left {
			fmt.Fprintf(&b, "\n| model | in flight | %s %s | ± | %s %s | ± | change | p | n |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
				prose(c.Base.Label), unit(w), prose(c.Head.Label), unit(w))
		}
		base, head := readings(x)
		change := prose(changeText(x))
		if s := changeSpan(x); s != "" {
			change = "**" + change + "** (" + prose(s) + ")"
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %s | %s | %s |\n", prose(string(x.Model)), x.Concurrency,
			prose(base.value), base.spread, prose(head.value), head.spread, change, prose(pText(x)), trialsText(x))
	}
	if left < len(w.Cells) {
		b.WriteString("\n" + prose(compareLegend(c, w)) + "\n")
	} else {
		b.WriteString("\n" + prose(fewTrials(c, w.Load != nil)) + "\n")
	}
	if left > 0 && w.Load == nil {
		fmt.Fprintf(&b, "\n%s with too few trials to be compared.\n", plural(int64(left), "cell"))
	}
	for i := range w.Gate {
		b.WriteString("\n- gate " + prose(gateLine(&w.Gate[i])) + "\n")
	}
	for _, s := range append(untold(w), onlyCells(c, w, w.Load != nil)...) {
		b.WriteString("\n" + prose(s) + "\n")
	}
	return section{rankTable, b.String()}
}
