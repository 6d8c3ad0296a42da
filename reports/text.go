package reports

import (
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer"
)

// text lays a result out for a terminal: the verdicts first, then each
// workload, then the doubts, then where the run is and what to do next.
func text(res *analyzer.Result, o Options) []byte {
	t := &terminal{width: o.width(), verbose: o.Verbose, palette: palette{o.Color}}
	for i := range res.Workloads {
		w := &res.Workloads[i]
		t.hang(plain(w.Name)+": ", plain(judge(w).String()), boldStyle)
	}
	if len(res.Workloads) == 0 {
		t.hang("", "no workload was judged", boldStyle)
	}
	if !res.Complete {
		t.hang("! ", "the run did not finish: what follows is partial; resume it with concprof analyze --resume "+quoted([]string{plain(res.Run.Dir)}), doubtStyle)
	}
	for i := range res.Workloads {
		t.workload(&res.Workloads[i])
	}
	t.warnings(res)
	t.foot(res)
	return []byte(t.b.String())
}

// terminal builds the text. Every string that it is given is escaped already.
type terminal struct {
	b       strings.Builder
	width   int
	verbose bool
	palette palette
}

const indent = "  "

// hang writes a paragraph whose lines after the first stand under its text;
// the label is bold.
func (t *terminal) hang(label, s string, st style) {
	margin := columns(label)
	if margin > t.width/3 {
		// A label that would push its text aside gets lines of its own.
		margin = 2 * len(indent)
		for _, l := range wrap(label, t.width) {
			t.b.WriteString(t.palette.bold(l) + "\n")
		}
		label = strings.Repeat(" ", margin)
	}
	for _, l := range wrap(s, t.width-margin) {
		t.b.WriteString(t.palette.bold(label) + t.palette.paint(st, l) + "\n")
		label = strings.Repeat(" ", margin)
	}
}

func (t *terminal) heading(s string) {
	t.b.WriteString("\n" + t.palette.bold(indent+s) + "\n")
}

func (t *terminal) items(lines []string) {
	for _, l := range lines {
		t.hang(indent+"- ", plain(l), plainStyle)
	}
}

func (t *terminal) workload(w *analyzer.Workload) {
	title := plain(w.Name)
	if w.Target != "" {
		title += " · " + plain(w.Target)
	}
	lines := wrap(title, t.width-4)
	t.b.WriteString("\n")
	for i, l := range lines {
		if i == 0 {
			l = "── " + l + " "
			l += strings.Repeat("─", max(0, t.width-columns(l)))
		} else {
			l = "   " + l
		}
		t.b.WriteString(t.palette.bold(l) + "\n")
	}
	t.split(w)
	t.cells(w)
	t.causes(w)
	t.code(w)
	t.missing(w)
}

// split draws where the time of an op goes, a bar per part that matters.
func (t *terminal) split(w *analyzer.Workload) {
	t.heading("time of one op, alone")
	const name = 10
	room := max(t.width-len(indent)-name-2-5-2, 8)
	room = min(room, 60)
	for _, p := range portions(w) {
		if p.Share < 0.005 && p.Name != onCPU {
			continue
		}
		bar := strings.Repeat("█", int(p.Share*float64(room)+0.5))
		if bar == "" && p.Share > 0 {
			bar = "▏"
		}
		line := fmt.Sprintf("%s%-*s  %5s  %s", indent, name, p.Name, share(p.Share), bar)
		t.b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if s := measured(w); s != "" {
		for _, l := range wrap(plain(s), t.width-len(indent)) {
			t.b.WriteString(indent + t.palette.dim(l) + "\n")
		}
	}
}

func (t *terminal) causes(w *analyzer.Workload) {
	if p := predicted(w); p != "" {
		t.heading("prediction")
		t.hang(indent, plain(p), plainStyle)
	}
	if why := reasons(w); len(why) > 0 {
		t.heading("evidence")
		t.items(why)
	}
	if len(w.Limits) > 0 {
		t.heading("limits")
		for _, l := range w.Limits {
			s := fmt.Sprintf("%s, %s of the ops' time", l.Kind, share(l.Share))
			if at := place(l); at != "" {
				s += ", at " + at
			}
			t.hang(indent+"- ", plain(s), plainStyle)
		}
	}
	if len(w.Steps) > 1 {
		t.heading("steps")
		for _, s := range w.Steps {
			line := fmt.Sprintf("%s: %s (demand %s), %s of the op", s.Name, s.Class, demand(s.Demand), share(s.Share))
			if s.Offload {
				line += ", offloaded by hybrid"
			}
			t.hang(indent+"- ", plain(line), plainStyle)
		}
	}
	if t.verbose && len(w.Scaling) > 0 {
		t.heading("scaling (Universal Scalability Law)")
		for _, s := range w.Scaling {
			t.hang(indent+"- ", plain(scalingLine(s)), plainStyle)
		}
	}
	if w.Recommendation != nil {
		if ts := ties(w.Recommendation); len(ts) > 0 {
			t.heading("ties")
			t.hang(indent, plain(strings.Join(ts, ", ")+"; the simplest was chosen"), plainStyle)
		}
	} else if w.Settle != "" {
		t.heading("what would settle it")
		t.hang(indent, plain(w.Settle), plainStyle)
	}
}

func scalingLine(s analyzer.Scaling) string {
	if s.Refused != "" {
		return fmt.Sprintf("%s: no fit, %s", s.Model, s.Refused)
	}
	return fmt.Sprintf("%s: contention %s, coherence %s, peak at %s in flight, R² %s",
		s.Model, digits(s.Sigma), digits(s.Kappa), digits(s.PeakConcurrency), digits(s.R2))
}

func (t *terminal) code(w *analyzer.Workload) {
	if w.Recommendation == nil || len(w.Recommendation.Code) == 0 {
		return
	}
	t.heading("code")
	for _, l := range w.Recommendation.Code {
		// Code is not wrapped: it is there to be pasted.
		t.b.WriteString(indent + indent + strings.ReplaceAll(codeLine(l), "\t", "    ") + "\n")
	}
}

// missing lists what was not measured and what broke.
func (t *terminal) missing(w *analyzer.Workload) {
	first := true
	for _, g := range gaps(w, t.verbose) {
		if first {
			t.heading("not measured, or broken")
			first = false
		}
		t.hang(indent+"- ", plain(g.String()), plainStyle)
		for _, e := range g.Errors {
			t.hang(indent+indent+"  ", plain(fmt.Sprintf("%s × %s: %s", count(e.Count), e.Type, e.Message)), dimStyle)
		}
		if g.Output != "" {
			t.hang(indent+indent+"  ", "output in "+plain(g.Output), dimStyle)
		}
	}
}

func (t *terminal) warnings(res *analyzer.Result) {
	all := doubts(res)
	if len(all) == 0 {
		return
	}
	t.b.WriteString("\n")
	for _, d := range all {
		s := d.Message
		if d.Workload != "" {
			s = d.Workload + ": " + s
		}
		t.hang("warning: ", plain(s)+" ["+plain(d.ID)+"]", doubtStyle)
		if d.Remedy != "" {
			t.hang("   hint: ", plain(d.Remedy), plainStyle)
		}
	}
}

// foot ends the text with the machine, its noise and the next commands.
func (t *terminal) foot(res *analyzer.Result) {
	r := &res.Run
	t.b.WriteString("\n")
	t.hang("host   ", plain(hostLine(r)), plainStyle)
	t.hang("noise  ", plain(noiseLine(r)), plainStyle)
	if r.Dir == "" {
		return
	}
	t.hang("run    ", fmt.Sprintf("%s (%s, %s)", plain(r.Dir), plural(int64(r.Trials), "trial"), duration(float64(r.ElapsedNs))), plainStyle)
	dir := quoted([]string{plain(r.Dir)})
	// Commands are not wrapped: they are there to be pasted.
	t.b.WriteString(t.palette.bold("next   ") + "concprof report " + dir + " -o report.html\n")
	t.b.WriteString("       concprof pprof " + dir + "\n")
}
