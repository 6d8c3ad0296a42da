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
	t.prose = min(t.width, proseWidth)
	for i := range res.Workloads {
		w := &res.Workloads[i]
		t.hang(plain(w.Name)+": ", plain(judge(w).String()), boldStyle)
		if w.Claim != nil {
			t.hang(indent+"claim: ", plain(claimLine(w.Claim)), plainStyle)
		}
	}
	if len(res.Workloads) == 0 {
		t.hang("", "no workload was judged", boldStyle)
	}
	switch {
	case res.Complete:
	case o.Against != nil:
		t.hang("! ", "the run did not finish: what follows is partial; what is interleaved is not resumed, so measure both again", doubtStyle)
	case res.Run.Archive:
		t.hang("! ", "the run did not finish when this archive was made: what follows is partial", doubtStyle)
	case res.Run.Dir == "": // it is not said where the run is
		t.hang("! ", "the run did not finish: what follows is partial", doubtStyle)
	default:
		t.hang("! ", "the run did not finish: what follows is partial; resume it with concprof analyze --resume "+quoted([]string{plain(res.Run.Dir)}), doubtStyle)
	}
	if o.Against != nil {
		t.since(o.Against)
	}
	tables := make([]table, len(res.Workloads))
	legends := make([]string, len(res.Workloads))
	for i := range res.Workloads {
		tables[i], legends[i] = cellsOf(&res.Workloads[i], o.Verbose)
	}
	t.grid = newGrid(tables, t.width-len(indent))
	for i := range res.Workloads {
		t.workload(&res.Workloads[i], tables[i], legends[i], len(res.Workloads) > 1)
	}
	t.warnings(res)
	t.foot(res)
	return []byte(Inert(t.b.String()))
}

// proseWidth is the most columns of running text, however wide the terminal
// is: from the end of a longer line the eye does not find the next one.
const proseWidth = 110

// terminal builds the text. Every string that it is given is escaped already.
type terminal struct {
	b       strings.Builder
	width   int // of tables
	prose   int // of everything else
	grid    grid
	verbose bool
	palette palette
}

const indent = "  "

// hang writes a paragraph whose lines after the first stand under its text;
// the label is bold.
func (t *terminal) hang(label, s string, st style) {
	margin := columns(label)
	if margin > t.prose/3 {
		// A label that would push its text aside gets lines of its own.
		margin = 2 * len(indent)
		for _, l := range wrap(label, t.prose) {
			t.b.WriteString(t.palette.bold(l) + "\n")
		}
		label = strings.Repeat(" ", margin)
	}
	for _, l := range wrap(s, t.prose-margin) {
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

// workload writes the section of one workload. Among several its verdict is
// said again in short: they may be screens away from the first lines.
func (t *terminal) workload(w *analyzer.Workload, tab table, legend string, several bool) {
	title := plain(w.Name)
	if w.Target != "" {
		title += " · " + plain(w.Target)
	}
	lines := wrap(title, t.prose-4)
	t.b.WriteString("\n")
	for i, l := range lines {
		if i == 0 {
			l = "── " + l
		} else {
			l = "   " + l
		}
		if i == len(lines)-1 {
			l += " "
			l += strings.Repeat("─", max(0, t.prose-columns(l)))
		}
		t.b.WriteString(t.palette.bold(l) + "\n")
	}
	if several {
		t.hang(indent, plain(judge(w).brief()), boldStyle)
	}
	t.split(w)
	if len(tab.rows) > 0 {
		t.heading("cells")
		tab.write(&t.b, t.palette, indent, t.width, t.grid)
		t.note(legend)
	}
	t.causes(w)
	t.race(w)
	t.differences(w)
	t.code(w)
	t.failures(w)
	t.foreign(w)
	t.missing(w)
}

// failures lists what failed under each model, and what the model made of it.
func (t *terminal) failures(w *analyzer.Workload) {
	for i, v := range errorHandling(w) {
		if i == 0 {
			t.heading("error handling")
		}
		t.hang(indent+"- ", plain(v.Models+": "+v.Failed), plainStyle)
		for _, e := range v.Errors {
			t.hang(indent+indent+"  ", plain(fmt.Sprintf("%s × %s", count(e.Count), errorText(e))), dimStyle)
		}
		for _, n := range v.Notes {
			t.hang(indent+indent+"  ", plain(n), plainStyle)
		}
	}
}

// note writes what explains the lines above it.
func (t *terminal) note(s string) {
	for _, l := range wrap(s, t.prose-len(indent)) {
		t.b.WriteString(indent + t.palette.dim(l) + "\n")
	}
}

// minRow is the share of an op's time under which a part has no bar of its own.
const minRow = 0.02

// split draws where the time of an op goes, a bar per part that matters.
func (t *terminal) split(w *analyzer.Workload) {
	if w.Split == (analyzer.Split{}) {
		// No trial of one op alone was finished: there is nothing to draw.
		if s := measured(w); s != "" {
			t.b.WriteString("\n")
			t.note(plain(s))
		}
		return
	}
	t.heading("time of one op, alone")
	const name = 10
	room := max(t.prose-len(indent)-name-2-5-2, 8)
	room = min(room, 60)
	for _, p := range portions(w) {
		if p.Share < minRow && p.Name != onCPU {
			continue
		}
		bar := strings.Repeat("█", int(p.Share*float64(room)+0.5))
		if bar == "" && p.Share > 0 {
			bar = "▏"
		}
		line := fmt.Sprintf("%s%-*s  %5s  %s", indent, name, p.Name, share(p.Share), bar)
		t.b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	t.note(plain(measured(w)))
	if s := traceLine(w); s != "" && t.verbose {
		t.note(plain(s))
	}
}

func (t *terminal) causes(w *analyzer.Workload) {
	if why := reasons(w); len(why) > 0 {
		t.heading("evidence")
		t.items(why)
	}
	t.findings(w)
	if ls := loopLines(w); len(ls) > 0 && (t.verbose || w.Loop.Stalls) {
		t.heading("event loop")
		t.items(ls)
	}
	if t.verbose && len(w.Scaling) > 0 {
		t.heading("scaling (Universal Scalability Law)")
		t.items(scalingLines(w))
	}
}

// findings writes what has a name of its own, a paragraph each.
func (t *terminal) findings(w *analyzer.Workload) {
	lead := "\n"
	say := func(label, s string) {
		if s != "" {
			t.b.WriteString(lead)
			lead = ""
			t.hang(indent+label+": ", plain(s), plainStyle)
		}
	}
	if w.Claim != nil {
		say("claim", claimWhy(w.Claim))
	}
	for i := range w.Gate {
		say("gate", gateLine(&w.Gate[i]))
	}
	say("prediction", disagreement(w))
	for _, l := range w.Limits {
		say("limit", limitLine(l, t.verbose))
	}
	for _, s := range stepsUntold(w) {
		say("step", s)
	}
	if w.Recommendation != nil {
		say("ties", tiesInShort(w.Recommendation, t.verbose))
	} else {
		say("to settle it", settle(w))
	}
}

// scalingLines tell of the fits, models without one together by the reason.
func scalingLines(w *analyzer.Workload) []string {
	var out []string
	refused := map[string][]string{}
	var why []string
	for _, s := range w.Scaling {
		if s.Refused == "" {
			out = append(out, fitLine(&s))
			continue
		}
		if refused[s.Refused] == nil {
			why = append(why, s.Refused)
		}
		refused[s.Refused] = append(refused[s.Refused], string(s.Model))
	}
	for _, r := range why {
		out = append(out, strings.Join(refused[r], ", ")+": no fit, "+r)
	}
	return out
}

func (t *terminal) code(w *analyzer.Workload) {
	if w.Recommendation == nil || len(w.Recommendation.Code) == 0 {
		return
	}
	t.heading("code")
	for _, l := range w.Recommendation.Code {
		// Code is not wrapped: it is there to be pasted.
		t.b.WriteString(strings.TrimRight(indent+indent+strings.ReplaceAll(codeLine(l), "\t", "    "), " ") + "\n")
	}
}

// missing lists the levels that were added, if that is asked for, what was not
// measured and what broke.
func (t *terminal) missing(w *analyzer.Workload) {
	if as := additions(w); t.verbose && len(as) > 0 {
		t.heading("levels added")
		for _, g := range as {
			t.hang(indent+"- ", plain(g.String()), plainStyle)
		}
	}
	for i, g := range gaps(w) {
		if i == 0 {
			t.heading("not measured, or broken")
		}
		line := g.String()
		if out := g.where(); out != "" {
			line += "; output in " + out
		}
		t.hang(indent+"- ", plain(line), plainStyle)
		for _, e := range g.Errors {
			t.hang(indent+indent+"  ", plain(fmt.Sprintf("%s × %s", count(e.Count), errorText(e))), dimStyle)
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
	if s := lacks(r, t.verbose); s != "" {
		t.hang("lacks  ", plain(s), dimStyle)
	}
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
