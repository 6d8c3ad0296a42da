package reports

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/probes/model"
)

// MarkdownLimit is the most bytes of a Markdown report. A comment on GitHub
// holds 65,536 characters and is refused whole above that; the rest is room
// for a marker that the sender puts in front.
const MarkdownLimit = 65000

// A section is a piece of a Markdown report that is left out whole or not at
// all. When the report is too long, sections of the highest rank go first and
// of one rank the last.
type section struct {
	rank int
	body string
}

// The ranks of sections.
const (
	rankVerdict = iota
	rankFoot
	rankTable
	rankWhy
	rankDetails
)

// markdown is the result for a comment on a pull request or a step summary.
func markdown(res *analyzer.Result, against *compare.Comparison) []byte {
	sections := []section{{rankVerdict, "## concprof\n"}}
	if !res.Complete {
		sections = append(sections, section{rankVerdict, "\n**The run did not finish: this is partial.**\n"})
	}
	if len(res.Workloads) == 0 {
		sections = append(sections, section{rankVerdict, "\nNo workload was judged.\n"})
	}
	for i := range res.Workloads {
		lead := "\n"
		if i > 0 {
			lead = ""
		}
		sections = append(sections, section{rankVerdict, lead + verdictLine(&res.Workloads[i])})
	}
	if against != nil {
		sections = append(sections, sinceSections(against)...)
	}
	for i := range res.Workloads {
		sections = append(sections, workloadSections(&res.Workloads[i])...)
	}
	sections = append(sections, warningSection(res)...)
	sections = append(sections, footSection(&res.Run))
	return assemble(sections, MarkdownLimit)
}

// assemble joins the sections that fit, and says how many did not.
func assemble(sections []section, limit int) []byte {
	const note = "\n_%d sections left out to fit into a comment; the HTML report has them all._\n"
	keep := make([]bool, len(sections))
	used, left := len(note)+8, 0
	for rank := rankVerdict; rank <= rankDetails; rank++ {
		full := false
		for i, s := range sections {
			switch {
			case s.rank != rank:
			case full || used+len(s.body) > limit:
				full = true
				left++
			default:
				keep[i] = true
				used += len(s.body)
			}
		}
	}
	var b bytes.Buffer
	for i, s := range sections {
		if keep[i] {
			b.WriteString(s.body)
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, note, left)
	}
	return b.Bytes()
}

func verdictLine(w *analyzer.Workload) string {
	v := judge(w)
	s := fmt.Sprintf("- %s is **%s**", code(w.Name), prose(v.Class))
	if v.Demand != "" {
		s += " (" + prose(v.Demand) + ")"
	}
	s += ": **" + prose(v.Advice) + "**"
	if v.Speedup != "" {
		s += ", " + prose(v.Speedup)
	}
	if v.Undeclared != "" {
		s += "; " + prose(v.Undeclared)
	}
	if v.Because != "" {
		s += ": " + prose(v.Because)
	}
	s += "\n"
	if w.Claim != nil {
		s += "  - claim " + prose(claimLine(w.Claim)) + "\n"
	}
	for i := range w.Gate {
		a := &w.Gate[i]
		s += "  - gate " + code(a.Condition) + ": **" + outcome(a) + "**" + prose(found(a)) + "\n"
	}
	return s
}

func workloadSections(w *analyzer.Workload) []section {
	head := "\n### " + code(w.Name) + "\n"
	if w.Target != "" {
		head += "\n" + code(w.Target) + "\n"
	}
	if c := changes(w); c != "" {
		head += "\n**Against sequential**: " + prose(c) + "\n"
	}
	out := []section{{rankTable, head + cellTable(w)}}
	var why strings.Builder
	if rs := reasons(w); len(rs) > 0 {
		why.WriteString("\n**Evidence**\n\n")
		for _, r := range rs {
			why.WriteString("- " + prose(r) + "\n")
		}
	}
	if c := w.Claim; c != nil && c.Because != "" {
		why.WriteString("\n**Claim**: " + prose(claimWhy(c)) + "\n")
	}
	if p := disagreement(w); p != "" {
		why.WriteString("\n**Prediction**: " + prose(p) + "\n")
	}
	if s := settle(w); w.Recommendation == nil && s != "" {
		why.WriteString("\n**What would settle it**: " + prose(s) + "\n")
	}
	if len(w.Limits) > 0 {
		why.WriteString("\n**Limits**\n\n")
		for _, l := range w.Limits {
			why.WriteString("- " + prose(string(l.Kind)))
			if part := limitShare(l); part != "" {
				why.WriteString(", " + prose(part))
			}
			if at := place(l); at != "" {
				why.WriteString(", at " + code(at))
			}
			why.WriteString("\n")
		}
	}
	why.WriteString(raceMarkdown(w) + differencesMarkdown(w))
	if r := w.Recommendation; r != nil {
		if ts := ties(r); len(ts) > 0 {
			why.WriteString("\n**Ties**: " + prose(strings.Join(ts, ", ")) + "\n")
		}
		if len(r.Code) > 0 {
			why.WriteString("\n" + fence(language(w), r.Code))
		}
	}
	if why.Len() > 0 {
		out = append(out, section{rankWhy, why.String()})
	}
	if ls := loopLines(w); len(ls) > 0 {
		var b strings.Builder
		b.WriteString("\n<details><summary>Event loop</summary>\n\n")
		for _, l := range ls {
			b.WriteString("- " + prose(l) + "\n")
		}
		b.WriteString("\n</details>\n")
		out = append(out, section{rankDetails, b.String()})
	}
	if fs := errorHandling(w); len(fs) > 0 {
		var b strings.Builder
		b.WriteString("\n<details><summary>Error handling</summary>\n\n")
		for _, v := range fs {
			b.WriteString("- " + prose(v.Models+": "+v.Failed) + "\n")
			for _, e := range v.Errors {
				fmt.Fprintf(&b, "  - %s × %s\n", count(e.Count), code(errorText(e)))
			}
			for _, n := range v.Notes {
				b.WriteString("  - " + prose(n) + "\n")
			}
		}
		b.WriteString("\n</details>\n")
		out = append(out, section{rankDetails, b.String()})
	}
	out = append(out, foreignSections(w)...)
	if gs := gaps(w); len(gs) > 0 {
		var b strings.Builder
		fmt.Fprintf(&b, "\n<details><summary>Not measured, or broken (%d)</summary>\n\n", len(gs))
		for _, g := range gs {
			b.WriteString("- " + prose(g.String()))
			if out := g.where(); out != "" {
				b.WriteString("; output in " + code(out))
			}
			b.WriteString("\n")
			for _, e := range g.Errors {
				fmt.Fprintf(&b, "  - %s × %s\n", count(e.Count), code(errorText(e)))
			}
		}
		b.WriteString("\n</details>\n")
		out = append(out, section{rankDetails, b.String()})
	}
	return out
}

// language is the info string of the code to paste.
func language(w *analyzer.Workload) string {
	if w.TargetKind == model.Python {
		return "python"
	}
	return "go"
}

// cellTable is the small table: the best level of each model, the
// recommendation, its ties and what broke.
func cellTable(w *analyzer.Workload) string {
	var b strings.Builder
	left := 0
	for _, c := range ordered(w) {
		if !counted(c) {
			continue
		}
		if !matters(w, c) {
			left++
			continue
		}
		if b.Len() == 0 {
			b.WriteString("\n| model | in flight | ops/s | ± | speedup | p50 | p99 | CPU/op | RSS | status |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n")
		}
		row := cellRow(c)
		name, status := prose(row[1]), prose(statusText(c))
		switch m := markOf(w, c); m {
		case markBest:
			name, status = "**"+name+"**", status+", **"+m.word()+"**"
		case markTie:
			status += ", " + m.word()
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
			name, row[2], row[3], spread(c.OpsPerSec), row[5], row[6], row[8], row[9], row[10], status)
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%s in the HTML report.\n", plural(int64(left), "more cell"))
	}
	return b.String()
}

func warningSection(res *analyzer.Result) []section {
	all := doubts(res)
	if len(all) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>Warnings (%d)</summary>\n\n", len(all))
	for _, d := range all {
		b.WriteString("- ")
		if d.Workload != "" {
			b.WriteString(code(d.Workload) + ": ")
		}
		b.WriteString(prose(d.Message))
		if d.Remedy != "" {
			b.WriteString("  \n  **Remedy**: " + prose(d.Remedy))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n</details>\n")
	return []section{{rankDetails, b.String()}}
}

func footSection(r *analyzer.Run) section {
	s := "\n<sub>" + prose(hostLine(r)) + "<br>"
	if l := lacks(r, false); l != "" {
		s += "It lacks: " + prose(l) + ".<br>"
	}
	s += prose(noiseLine(r)) + "<br>" +
		fmt.Sprintf("%s in %s, seed %d.", plural(int64(r.Trials), "trial"), prose(duration(float64(r.ElapsedNs))), r.Seed)
	if len(r.Command) > 0 {
		s += " Reproduce: " + code(quoted(r.Command))
	}
	return section{rankFoot, s + "</sub>\n"}
}
