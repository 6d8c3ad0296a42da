package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// redrawEvery is the least time between two drawings of the live line: ten a
// second look alive, more only cost time between trials.
const redrawEvery = 100 * time.Millisecond

// progress tells how a run goes. On a terminal it keeps one line up to date;
// elsewhere it prints a line when a workload enters a new pass. It does so when
// a trial starts or has ended and never in between: there is no goroutine that
// draws, because a trial should have the machine for itself.
type progress struct {
	w       io.Writer
	now     func() time.Time
	width   int
	live    bool
	quiet   bool
	verbose bool

	drawn time.Time // when the live line was drawn last
	shown bool      // the live line stands on the terminal
	seen  map[string]bool
	rates map[plan.Cell]*meanRate
	best  map[string]plan.Cell // by workload
}

// meanRate is the mean throughput of a cell's timing trials so far.
type meanRate struct {
	sum float64 // ops/s
	n   int
}

func (m *meanRate) value() float64 { return m.sum / float64(m.n) }

func newProgress(a *app) *progress {
	return &progress{
		w: a.Stderr, now: a.Now, width: a.Width, quiet: a.quiet, verbose: a.verbose,
		live:  a.StderrTerminal && a.lookup("TERM") != "dumb",
		seen:  map[string]bool{},
		rates: map[plan.Cell]*meanRate{},
		best:  map[string]plan.Cell{},
	}
}

// update takes the state of a run.
func (p *progress) update(at probes.Progress) {
	if p.quiet {
		return
	}
	if at.Side == rundir.SideBase {
		// A workload of its own, as far as this is concerned.
		at.Trial.Cell.Workload = strings.TrimSpace(at.Trial.Cell.Workload + " (base)")
	}
	p.count(at)
	if l := p.event(at); l != "" {
		p.print(l)
	}
	for _, l := range p.additions(at) {
		p.print(l)
	}
	if at.Note != "" {
		return
	}
	if !p.live {
		if l := p.phase(at); l != "" {
			p.print(l)
		}
		return
	}
	if now := p.now(); now.Sub(p.drawn) >= redrawEvery || !p.shown {
		p.drawn, p.shown = now, true
		fmt.Fprint(p.w, "\r\x1b[K"+p.line(at))
	}
}

// close takes the live line away.
func (p *progress) close() {
	if p.shown {
		p.shown = false
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// print writes a line that stays, above the live one.
func (p *progress) print(s string) {
	p.close()
	fmt.Fprintln(p.w, printable(s))
}

// count adds a finished timing trial to its cell's throughput.
func (p *progress) count(at probes.Progress) {
	r := at.Record
	if r == nil || at.Trial.Pass != plan.Timing || r.Status.Broken() || r.WallNs <= 0 || r.Ops <= 0 {
		return
	}
	c := at.Trial.Cell
	m := p.rates[c]
	if m == nil {
		m = &meanRate{}
		p.rates[c] = m
	}
	m.sum += float64(r.Ops) / (float64(r.WallNs) / 1e9)
	m.n++
	// The best may have fallen behind with its last trial: look at all.
	var best plan.Cell
	var top float64
	for cell, m := range p.rates {
		if cell.Workload != c.Workload {
			continue
		}
		if v := m.value(); v > top || v == top && cell.String() < best.String() {
			best, top = cell, v
		}
	}
	p.best[c.Workload] = best
}

// event is what one wants to read later: the run's notes, what the dry ops
// gave, trials that went wrong; with --verbose every trial.
func (p *progress) event(at probes.Progress) string {
	r, t := at.Record, at.Trial
	switch {
	case at.Note != "":
		return at.Note
	case r == nil:
		return ""
	case r.Status.Broken():
		return fmt.Sprintf("%s %s %s: %s: %s", t.ID, t.Cell, t.Pass, r.Status, r.Reason)
	case t.Pass == plan.Dry && r.Dry != nil && t.Control == "":
		said := fmt.Sprintf("%s: one op took %s", t.Cell.Workload, quantity.Duration(float64(r.Dry.OpNs)))
		if r.Dry.Result != "" {
			said += " and returned " + r.Dry.Result
		}
		return said
	case p.verbose:
		return fmt.Sprintf("%d of %s: %s %s %s in %s", at.Finished, plannedTrials(at), t.ID, t.Cell, t.Pass, quantity.Duration(float64(r.ElapsedNs)))
	}
	return ""
}

// additions are the levels that the decision which a trial begins added, with
// --verbose.
func (p *progress) additions(at probes.Progress) []string {
	if !p.verbose || at.Record != nil || at.Note != "" || at.Decision == nil {
		return nil
	}
	var ls []string
	for _, a := range at.Decision.Added {
		ls = append(ls, fmt.Sprintf("%s: %s at %d is added: %s", a.Cell.Workload, a.Cell.Model, a.Cell.Concurrency, a.Reason))
	}
	return ls
}

// phase is the line for a pass of a workload that begins.
func (p *progress) phase(at probes.Progress) string {
	t := at.Trial
	key := t.Cell.Workload + "/" + string(t.Pass)
	if at.Record != nil || p.seen[key] {
		return ""
	}
	p.seen[key] = true
	subject := t.Cell.Workload
	if t.Control != "" {
		subject = "controls"
	}
	s := fmt.Sprintf("%s: %s, trial %d of %s", subject, passName(t.Pass), at.Finished+1, plannedTrials(at))
	if left := budgetLeft(at); left != "" {
		s += ", " + left
	}
	return s
}

// line is the live line: as many of its parts as fit, the most useful ones
// first, in the order in which they are read.
func (p *progress) line(at probes.Progress) string {
	width := p.width
	if width <= 0 {
		width = 80
	}
	t := at.Trial
	cell := fmt.Sprintf("%s %s at %d", t.Cell.Workload, t.Cell.Model, t.Cell.Concurrency)
	if t.Control != "" {
		cell = fmt.Sprintf("control %s", t.Control)
	}
	parts := []struct {
		text string
		rank int // 0 is kept longest
	}{
		{meter(at.Finished, at.Planned), 4},
		{fmt.Sprintf("%d/%s", at.Finished, plannedTrials(at)), 0},
		{cell, 1},
		{passName(t.Pass), 5},
		{p.bestSoFar(t.Cell.Workload), 3},
		{budgetLeft(at), 2},
	}
	for drop := 5; ; drop-- {
		var shown []string
		for _, s := range parts {
			if s.text != "" && s.rank <= drop {
				shown = append(shown, printable(s.text))
			}
		}
		// The last column stays free: terminals wrap when it is written.
		s := strings.Join(shown, "  ")
		n := len([]rune(s))
		if n < width {
			return s
		}
		if drop == 0 {
			return string([]rune(s)[:max(width-1, 0)])
		}
	}
}

// bestSoFar names the workload's fastest cell and its gain.
func (p *progress) bestSoFar(name string) string {
	best, ok := p.best[name]
	if !ok {
		return ""
	}
	rate := p.rates[best].value()
	s := fmt.Sprintf("best %s at %d, %s ops/s", best.Model, best.Concurrency, quantity.Rate(rate))
	if base := p.rates[plan.Cell{Workload: name, Model: "sequential", Concurrency: 1}]; base != nil && base.value() > 0 {
		s += " (" + quantity.Ratio(rate/base.value()) + ")"
	}
	return s
}

// meter draws how much of the plan is done.
func meter(done, all int) string {
	const cells = 20
	if all <= 0 {
		return ""
	}
	n := min(done*cells/all, cells)
	return "[" + strings.Repeat("#", n) + strings.Repeat(".", cells-n) + "]"
}

// plannedTrials is the number of trials: an estimate until the planner is done.
func plannedTrials(at probes.Progress) string {
	if at.Decision != nil && at.Decision.Done {
		return fmt.Sprint(at.Planned)
	}
	return fmt.Sprintf("~%d", at.Planned)
}

func budgetLeft(at probes.Progress) string {
	if at.Budget <= 0 {
		return ""
	}
	left := max(at.Budget-at.Spent, 0)
	return fmt.Sprintf("%v left", workload.Duration(left.Round(time.Second)))
}

// passName says in a word why a trial is run.
func passName(p plan.Pass) string {
	switch p {
	case plan.Dry:
		return "dry run"
	case plan.ControlRun:
		return "checking the controls"
	case plan.Classify:
		return "classifying"
	case plan.Contention:
		return "looking for contention"
	case plan.Pilot:
		return "calibrating"
	case plan.Race:
		return "looking for data races"
	case plan.Tracing:
		return "tracing waits"
	case plan.Check:
		return "comparing results"
	case plan.Timing:
		return "timing"
	case plan.Profiling:
		return "profiling"
	}
	return string(p)
}
