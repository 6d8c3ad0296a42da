package reports

import (
	"fmt"
	"path"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// workloadView is what the page shows of one workload.
type workloadView struct {
	ID, Name, Target string
	Class            string
	Verdict          verdict
	Certainty        string // the uncertainty of the verdict, in a sentence
	Numbers          []figure
	Scale            *scaleView
	Charts           []chart
	Planes           *planesView
	Bars             []barView
	Parts            []partView
	Evidence         []sentence
	Disagreement     string // "" where prediction and measurement agree
	Steps            []stepView
	Limits           []limitView
	Scaling          []string
	Ties             []string
	Settle           string
	Code             string
	Flames           []flameView
	BaseFlames       []flameView // to compare with
	Explore          *exploreView
	FlameProblem     string
	Foreign          []foreignFlame // profiles of other programs
	Rows             []rowView
	RowsLeft         int // cells that have no row here
	Added, Gaps      []gapView
	Commands         []string // go tool pprof lines
	Doubts           []doubt
	Measured, Trace  string
	Claim            *claimView
	Gates            []gateView
	Loop             []string
	Failures         []failureView
	Differences      []differenceView
	Race             *raceView
}

// A figure is a key number.
type figure struct {
	Label, Value, Note string
	// Row and NoteRow are the rows of the table that the value and the note
	// come from, "" for none.
	Row, NoteRow string
}

// A gapView is a gap and where its output is.
type gapView struct {
	gap
	Where string
}

type stepView struct {
	Name, Class, Demand, Share string
	Offload                    bool
}

// A limitView is a limit, and what the source says there.
type limitView struct {
	Kind, Share, Function, Place string

	Lines   []lineView
	Problem string // why there are no lines
}

// A lineView is a line of an excerpt.
type lineView struct {
	Number int
	Text   string
	Hit    bool // the limiting one
}

// Class is the style class of the row.
func (r rowView) Class() string {
	var c []string
	if r.First {
		c = append(c, "first")
	}
	switch {
	case r.Best:
		c = append(c, "best")
	case r.Tie:
		c = append(c, "tie")
	case r.Broken:
		c = append(c, "broken")
	case r.Faded:
		c = append(c, "faded")
	}
	return strings.Join(c, " ")
}

// A rowView is a row of the table of cells.
type rowView struct {
	ID, Mark, Model, Level, Rate, Spread, Speedup, SpeedupRange, P50, P95, P99, CPU, RSS, Trials, Status string

	Best, Tie, Broken, Faded bool
	// First is set in the first row of a model.
	First bool
	// Bar is the throughput relative to the fastest cell, in percent.
	Bar string
}

func viewOf(res *analyzer.Result, i int, d density, data *flameData) workloadView {
	w := &res.Workloads[i]
	v := workloadView{
		ID: fmt.Sprintf("w%d", i+1), Name: plain(w.Name), Target: plain(w.Target), Class: class(w),
		Verdict: plainVerdict(judge(w)), Certainty: plain(certainty(w)),
		Scale: scale(w), Bars: bars(w, d.bars),
		Disagreement: plain(disagreement(w)), Settle: plain(settle(w)), Measured: plain(measured(w)), Trace: plain(traceLine(w)),
		Commands: pprofLines(&res.Run, w),
	}
	var known anchors
	v.Rows, v.RowsLeft, known = rows(w, v.ID, d.rows)
	v.Numbers = figures(w, known)
	v.Evidence = evidence(w, known)
	v.Parts = usedParts(v.Bars)
	v.Claim, v.Gates = claimOf(w), gateViews(w.Gate)
	for _, s := range loopLines(w) {
		v.Loop = append(v.Loop, plain(s))
	}
	for _, f := range errorHandling(w) {
		v.Failures = append(v.Failures, f.plain())
	}
	v.Differences, v.Race = differences(w), raceOf(w)
	v.Charts = charts(w, v.ID)
	if p := planes(w, v.ID, known, d); p != nil {
		v.Planes = p
	}
	v.Flames, v.BaseFlames, v.FlameProblem = flames(w, v.ID, d.frames)
	if !d.baseline {
		v.BaseFlames = nil
	}
	v.Foreign = foreignFlames(w, v.ID, d.frames)
	if all := data.add(v.ID, w, d.nodes); all != nil {
		v.Explore = explore(v.ID, w, all)
	}
	if len(w.Steps) > 1 {
		for _, s := range w.Steps {
			v.Steps = append(v.Steps, stepView{plain(s.Name), plain(string(s.Class)), demand(s.Demand), share(s.Share), s.Offload})
		}
	}
	for _, l := range w.Limits {
		at := plain(l.File)
		if l.Line > 0 {
			at += fmt.Sprintf(":%d", l.Line)
		}
		v.Limits = append(v.Limits, limitView{plain(string(l.Kind)), limitShare(l), plain(l.Function), at, excerptLines(l.Excerpt), excerptProblem(l.Excerpt)})
	}
	for _, s := range scalingLines(w) {
		v.Scaling = append(v.Scaling, plain(s))
	}
	if r := w.Recommendation; r != nil {
		v.Ties = ties(r)
		for j := range v.Ties {
			v.Ties[j] = plain(v.Ties[j])
		}
		var code []string
		for _, l := range r.Code {
			code = append(code, codeLine(l))
		}
		v.Code = strings.Join(code, "\n")
	}
	for _, g := range gaps(w) {
		v.Gaps = append(v.Gaps, gapView{g.plain(), plain(g.where())})
	}
	for _, g := range additions(w) {
		v.Added = append(v.Added, gapView{g.plain(), ""})
	}
	for _, d := range workloadDoubts(w) {
		v.Doubts = append(v.Doubts, plainDoubt(d))
	}
	if !d.tips {
		v.untitle()
	}
	return v
}

// untitle takes the tooltips of charts, bars and flame graphs away, to save
// bytes: the table has the points' numbers, and beside the bars stand theirs.
func (v *workloadView) untitle() {
	for _, c := range v.Charts {
		for _, s := range c.Series {
			for i := range s.Points {
				s.Points[i].Title = ""
			}
		}
	}
	for _, b := range v.Bars {
		for i := range b.Segments {
			b.Segments[i].Title = ""
		}
	}
	for _, f := range v.Flames {
		for i := range f.Frames {
			f.Frames[i].Title = ""
		}
	}
	for _, f := range v.Foreign {
		for i := range f.Flame.Frames {
			f.Flame.Frames[i].Title = ""
		}
	}
}

func plainVerdict(v verdict) verdict {
	v.Class, v.Because, v.Advice, v.Undeclared = plain(v.Class), plain(v.Because), plain(v.Advice), plain(v.Undeclared)
	return v
}

// class is the workload's class as a style class of the page.
func class(w *analyzer.Workload) string {
	for _, c := range analyzer.Classes() {
		if w.Class == c {
			return string(c)
		}
	}
	return string(analyzer.Inconclusive)
}

// certainty says how sure the verdict is.
func certainty(w *analyzer.Workload) string {
	var parts []string
	if d := w.DemandInterval; demand(d[0]) != demand(d[1]) {
		s := fmt.Sprintf("demand %s (%s-%s", demand(w.Demand), demand(d[0]), demand(d[1]))
		if w.Confidence > 0 {
			s += fmt.Sprintf(" at %s", share(w.Confidence))
		}
		parts = append(parts, s+")")
	}
	if r := w.Recommendation; r != nil && r.Model != model.Sequential && r.Speedup.Value > 0 {
		s := "speedup " + ratio(r.Speedup.Value)
		if r.Speedup.Low != r.Speedup.High {
			s += " (" + span(r.Speedup.Low, r.Speedup.High)
			if r.Speedup.Level > 0 {
				s += " at " + share(r.Speedup.Level)
			}
			s += ")"
		}
		if r.Speedup.N > 0 {
			s += " from " + plural(int64(r.Speedup.N), "trial")
		}
		parts = append(parts, s)
	}
	if w.NoiseFloor > 0 {
		parts = append(parts, "noise "+percent(w.NoiseFloor))
	}
	return strings.Join(parts, ", ")
}

// baseAndBest returns the baseline's cell and the recommended one, nil for what
// was not measured or recommended.
func baseAndBest(w *analyzer.Workload) (base, best *analyzer.Cell) {
	for i := range w.Cells {
		c := &w.Cells[i]
		if !counted(c) {
			continue
		}
		if c.Model == model.Sequential {
			base = c
		}
		if markOf(w, c) == markBest {
			best = c
		}
	}
	return base, best
}

// figures are the key numbers: the recommended cell beside the baseline. Without
// a recommendation they are the baseline's.
func figures(w *analyzer.Workload, known anchors) []figure {
	base, best := baseAndBest(w)
	if best == nil {
		best = base
	}
	if best == nil {
		return nil
	}
	note := func(f func(*analyzer.Cell) string) string {
		if base == nil || base == best {
			return "sequential"
		}
		if v := f(base); v != dash {
			return "sequential " + v
		}
		return "not known of sequential"
	}
	ops := func(c *analyzer.Cell) string { return rate(c.OpsPerSec.Median) + "/s" }
	p50 := func(c *analyzer.Cell) string { return duration(float64(c.Latency.P50)) }
	p99 := func(c *analyzer.Cell) string { return duration(float64(c.Latency.P99)) }
	cpu := func(c *analyzer.Cell) string { return duration(c.CPUNsPerOp) }
	rss := func(c *analyzer.Cell) string { return size(c.PeakRSSBytes) }
	row := known[cellKey{best.Model, best.Concurrency}]
	noteRow := ""
	if base != nil && base != best {
		noteRow = known[cellKey{base.Model, base.Concurrency}]
	}
	of := func(label string, f func(*analyzer.Cell) string) figure {
		return figure{label, f(best), note(f), row, noteRow}
	}
	out := []figure{of("throughput", ops), of("median op", p50)}
	if best.Latency.P99 > 0 {
		out = append(out, of("p99", p99))
	}
	if g := w.GIL; g != nil && g.Bound > 0 && g.Reached > 0 && g.Bound < 100 {
		out = append(out, figure{"one GIL allows", ratio(g.Bound), "reached " + ratio(g.Reached), row, ""})
	}
	return append(out, of("CPU per op", cpu), of("peak memory", rss))
}

// rows returns the rows of the table of cells: all of them, or those that
// matter; how many were left out; and the rows' IDs.
func rows(w *analyzer.Workload, section string, all bool) (out []rowView, left int, known anchors) {
	known = anchors{}
	top := 0.0
	cells := ordered(w)
	for _, c := range cells {
		if counted(c) {
			top = max(top, c.OpsPerSec.Median)
		}
	}
	var last model.Model
	for _, c := range cells {
		if !counted(c) && !c.Status.Broken() {
			// It was left out on purpose before it gave a number.
			continue
		}
		m := markOf(w, c)
		if !all && m == markNone && !matters(w, c) {
			left++
			continue
		}
		t := cellRow(c)
		r := rowView{
			ID: anchor(section, c), Mark: m.word(), Model: t[1], Level: t[2], Rate: t[3], Speedup: t[5], P50: t[6], P95: t[7], P99: t[8], CPU: t[9], RSS: t[10],
			Trials: t[12], Status: statusText(c),
			Best: m == markBest, Tie: m == markTie, Broken: c.Status.Broken(), Faded: c.Status == record.Eliminated,
			First: c.Model != last,
		}
		last = c.Model
		known[cellKey{c.Model, c.Concurrency}] = r.ID
		if counted(c) {
			r.Bar = trimmed(100*c.OpsPerSec.Median/top) + "%"
			r.Spread = spread(c.OpsPerSec)
			if s := c.Speedup; s.Low != s.High {
				r.SpeedupRange = span(s.Low, s.High)
			}
		}
		out = append(out, r)
	}
	return out, left, known
}

// pprofLines are commands that open the profiles: all of them, each kind of
// the recommended cell, then its difference from the baseline.
func pprofLines(run *analyzer.Run, w *analyzer.Workload) []string {
	find := func(m model.Model, n int, k record.ProfileKind) string {
		for _, f := range w.Profiles {
			if f.Model == m && (f.Concurrency == n || m == model.Sequential) && f.Kind == k && f.PerOp && f.Problem == "" {
				return path.Join(run.Dir, f.Path)
			}
		}
		return ""
	}
	m, n := model.Sequential, 1
	if r := w.Recommendation; r != nil {
		m, n = r.Model, r.Concurrency
	}
	var out []string
	if len(w.Profiles) > 0 && run.Dir != "" {
		out = append(out, plain("concprof pprof "+quoted([]string{run.Dir})))
	}
	if run.Archive {
		return out // pprof has no files to read
	}
	for _, k := range record.ProfileKinds() {
		if f := find(m, n, k); f != "" {
			out = append(out, plain("go tool pprof -http=: "+quoted([]string{f})))
		}
	}
	if base, f := find(model.Sequential, 1, record.WallProfile), find(m, n, record.WallProfile); base != "" && f != "" && base != f {
		out = append(out, plain("go tool pprof -http=: -diff_base "+quoted([]string{base, f})))
	}
	return out
}
