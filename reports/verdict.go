package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A verdict is the sentence on one workload, in the parts that formats lay
// out in their own ways. Text of the workload in it is not yet escaped.
type verdict struct {
	Class   string // "io-bound"
	Demand  string // "demand 0.03, 0.02-0.04"
	Advice  string // "use pool with 16 workers", "no recommendation"
	Speedup string // "15.2x sequential (14.8-15.6)", "holds 200/s with a p99 of 12 ms"; "" without a recommendation
	Because string // why there is no recommendation
	// Undeclared is what would be better if the workload declared more.
	Undeclared string
}

func (v verdict) String() string {
	var b strings.Builder
	b.WriteString(v.Class)
	if v.Demand != "" {
		b.WriteString(" (" + v.Demand + ")")
	}
	b.WriteString(": " + v.Advice)
	if v.Speedup != "" {
		b.WriteString(", " + v.Speedup)
	}
	if v.Undeclared != "" {
		b.WriteString("; " + v.Undeclared)
	}
	if v.Because != "" {
		b.WriteString(": " + v.Because)
	}
	return b.String()
}

// brief is the verdict without its intervals and reasons.
func (v verdict) brief() string {
	s := v.Class + ": " + v.Advice
	if v.Speedup != "" {
		s += ", " + strings.TrimSpace(strings.SplitN(v.Speedup, "(", 2)[0])
	}
	if v.Undeclared != "" {
		s += "; " + v.Undeclared
	}
	return s
}

func judge(w *analyzer.Workload) verdict {
	v := verdict{Class: string(w.Class)}
	if w.Class == "" {
		v.Class = string(analyzer.Inconclusive)
	}
	if d := w.DemandInterval; w.Demand != 0 || d != [2]float64{} {
		v.Demand = "demand " + demand(w.Demand)
		if low, high := demand(d[0]), demand(d[1]); low != high {
			v.Demand += ", " + low + "-" + high
		}
	}
	r := w.Recommendation
	switch {
	case r == nil:
		v.Advice = "no recommendation"
		v.Because = strings.TrimSuffix(w.Undecided, ".")
	case r.Model == model.Sequential:
		v.Advice = "stay sequential, no other model is measurably better"
		if v.Undeclared = undeclared(r); v.Undeclared != "" {
			v.Advice = "stay sequential in one process"
		}
	default:
		v.Advice = "use " + setup(r.Model, r.Concurrency)
		v.Speedup = against(r.Speedup)
		v.Undeclared = undeclared(r)
	}
	if r != nil && w.Load != nil {
		v.Speedup = holding(w)
	}
	return v
}

// holding says what the recommended cell makes of the rate at which ops arrive,
// "holds 200/s with a p99 of 12.3 ms".
func holding(w *analyzer.Workload) string {
	s := "holds " + rate(w.Load.RatePerSec) + "/s"
	if _, best := baseAndBest(w); best != nil && best.Latency.P99 > 0 {
		s += " with a p99 of " + duration(float64(best.Latency.P99))
	}
	return s
}

// undeclared names what would be recommended if the workload declared more, ""
// if that is nothing.
func undeclared(r *analyzer.Recommendation) string {
	if len(r.Better) == 0 {
		return ""
	}
	b := r.Better[0]
	return fmt.Sprintf("with %s it is %s, but that may be used only if ops share nothing: then declare %s", setup(b.Model, b.Concurrency), ratio(b.Speedup.Value), b.Declare)
}

// setup returns a model at a concurrency in words.
func setup(m model.Model, n int) string {
	switch m {
	case model.Sequential:
		return string(m)
	case model.Pool:
		return fmt.Sprintf("%s with %s", m, plural(int64(n), "worker"))
	case model.Threads:
		return plural(int64(n), "thread")
	case model.Processes:
		if n == 1 {
			return "1 child process"
		}
		return fmt.Sprintf("%d child processes", n)
	}
	return fmt.Sprintf("%s with %s in flight", m, plural(int64(n), "op"))
}

// against returns a speedup with its interval, "15.2x sequential (14.8-15.6)".
func against(s analyzer.Interval) string {
	if s.Value == 0 {
		return ""
	}
	out := ratio(s.Value) + " sequential"
	if s.Low != s.High {
		out += " (" + span(s.Low, s.High) + ")"
	}
	return out
}

// A portion is a part of an op's wall time.
type portion struct {
	Name  string
	Share float64
}

// The names of the parts that are not waits.
const (
	onCPU    = "on-CPU"
	runnable = "runnable"
)

// portions returns the parts of an op's wall time in the sequential cell, in
// the order of reports: on-CPU, runnable, then the waits. Blocked time whose
// reason is unknown is "other". They sum to 1 as the split does.
func portions(w *analyzer.Workload) []portion {
	ps := []portion{{onCPU, w.Split.OnCPU}, {runnable, w.Split.Runnable}}
	named := 0.0
	for _, k := range record.Waits() {
		if k != record.Other {
			named += w.Waits[k]
			ps = append(ps, portion{string(k), w.Waits[k]})
		}
	}
	other := max(w.Waits[record.Other], w.Split.Blocked-named)
	return append(ps, portion{string(record.Other), other})
}

// cellPortions is portions for the profiled trial of one cell.
func cellPortions(c *analyzer.Cell) []portion {
	if len(c.Waits) == 0 {
		return nil
	}
	ps := []portion{{onCPU, c.Waits["on_cpu"]}, {runnable, c.Waits[runnable]}}
	for _, k := range record.Waits() {
		ps = append(ps, portion{string(k), c.Waits[string(k)]})
	}
	return ps
}

// counted reports whether the cell has numbers to show: they come only from
// trials that finished and passed their checks, so a cell whose results were
// wrong has none, however fast it was.
func counted(c *analyzer.Cell) bool {
	switch c.Status {
	case record.OK, record.Partial, record.Eliminated:
		return c.Trials > 0 && c.OpsPerSec.Median > 0
	}
	return false
}

// reasons returns the chain from the split to the recommendation, without
// what the verdict itself says.
func reasons(w *analyzer.Workload) []string {
	var out []string
	add := func(s string) {
		if undecided := strings.TrimSuffix(w.Undecided, "."); undecided != "" && strings.Contains(s, undecided) {
			return
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, s := range w.Evidence {
		add(s)
	}
	if w.Recommendation != nil {
		for _, s := range w.Recommendation.Why {
			add(s)
		}
	}
	return out
}

// settle says what would settle an undecided verdict, without repeating why it
// is undecided.
func settle(w *analyzer.Workload) string {
	if w.Undecided == "" {
		return w.Settle
	}
	return strings.TrimSuffix(strings.TrimSuffix(w.Settle, w.Undecided), ": ")
}

// measured says what was run to know all this.
func measured(w *analyzer.Workload) string {
	var parts []string
	if i := w.Interpreter; i != nil {
		parts = append(parts, interpreter(i))
	}
	if w.OpsRun > 0 {
		parts = append(parts, plural(w.OpsRun, "op")+" run")
	}
	if d := w.Dry; d != nil {
		s := "the first, dry one took " + duration(float64(d.OpNs))
		if r := dryResult(d.Result); r != "" {
			s += " and returned " + r
		}
		parts = append(parts, s)
	}
	if l := w.Load; l != nil {
		parts = append(parts, rate(l.RatePerSec)+" ops/s arrive, whether or not they can start")
	}
	if w.ObserverEffect > 0 {
		parts = append(parts, "profiled ops take "+ratio(w.ObserverEffect)+" the time")
	}
	return strings.Join(parts, "; ")
}

// interpreter names what ran a Python target, "CPython 3.11.7".
func interpreter(i *record.Interpreter) string {
	name := i.Implementation
	if strings.EqualFold(name, "cpython") {
		name = "CPython"
	}
	name += " " + i.Version
	if !i.GIL {
		name += " without a GIL"
	}
	return name
}

// maxDry is the most columns that the result of the dry op takes in a report:
// enough to see that it is the right one.
const maxDry = 60

// dryResult is the result of the dry op on one line. Of what is no text only
// that is said.
func dryResult(s string) string {
	odd, all := 0, 0
	for _, r := range s {
		all++
		if r == utf8.RuneError || !printable(r) && !unicode.IsSpace(r) {
			odd++
		}
	}
	// A control character or two do not make a text binary; a tenth does.
	if odd*10 > all {
		return "binary data"
	}
	s = plain(strings.Join(strings.Fields(s), " "))
	if columns(s) <= maxDry {
		return s
	}
	return fit(s, maxDry-1) + "…"
}

// limitLine is a limit on one line: the place by its last elements unless
// everything is asked for.
func limitLine(l analyzer.Limit, verbose bool) string {
	if !verbose {
		l.Function = l.Function[strings.LastIndexByte(l.Function, '/')+1:]
		if l.File != "" {
			l.File = tail(l.File)
		}
	}
	s := fmt.Sprintf("%s, %s of the ops' time", l.Kind, share(l.Share))
	if at := place(l); at != "" {
		s += ", at " + at
	}
	return s
}

// stepsUntold describes the steps that the evidence does not speak of.
func stepsUntold(w *analyzer.Workload) []string {
	if len(w.Steps) < 2 {
		return nil
	}
	var out []string
	for _, s := range w.Steps {
		told := slices.ContainsFunc(w.Evidence, func(e string) bool { return strings.Contains(e, "step "+s.Name+" ") })
		if told {
			continue
		}
		line := fmt.Sprintf("%s: %s (demand %s), %s of the op", s.Name, s.Class, demand(s.Demand), share(s.Share))
		if s.Offload {
			line += ", offloaded by hybrid"
		}
		out = append(out, line)
	}
	return out
}

// mark says what a cell is to the verdict.
type mark string

const (
	markNone mark = ""
	markBest mark = "*" // the recommendation
	markTie  mark = "=" // not distinguishable from it
	// markBroken is for what has numbers though some of its ops or trials
	// failed.
	markBroken mark = "!"
	// markBehind is for what does not hold the rate at which ops arrive.
	markBehind mark = "<"
)

func (m mark) word() string {
	switch m {
	case markBest:
		return "recommended"
	case markTie:
		return "tie"
	}
	return ""
}

func markOf(w *analyzer.Workload, c *analyzer.Cell) mark {
	r := w.Recommendation
	if r == nil {
		return markUnchosen(c)
	}
	if r.Model == c.Model && (r.Concurrency == c.Concurrency || c.Model == model.Sequential) {
		return markBest
	}
	for _, t := range r.Ties {
		if t.Model == c.Model && t.Concurrency == c.Concurrency {
			return markTie
		}
	}
	return markUnchosen(c)
}

// markUnchosen is the mark of a cell that is not recommended.
func markUnchosen(c *analyzer.Cell) mark {
	if behind(c) {
		return markBehind
	}
	return markNone
}

// behind reports whether ops arrive at a rate that the cell does not hold.
func behind(c *analyzer.Cell) bool { return c.Load != nil && !c.Load.Holds }

// ordered returns the cells in the order of reports: by model, the simplest
// first, then by concurrency.
func ordered(w *analyzer.Workload) []*analyzer.Cell {
	cells := make([]*analyzer.Cell, len(w.Cells))
	for i := range w.Cells {
		cells[i] = &w.Cells[i]
	}
	slices.SortStableFunc(cells, func(a, b *analyzer.Cell) int {
		if d := a.Model.Rank() - b.Model.Rank(); d != 0 {
			return d
		}
		if d := strings.Compare(string(a.Model), string(b.Model)); d != 0 {
			return d
		}
		return a.Concurrency - b.Concurrency
	})
	return cells
}

// place returns where a limit is, "sync.(*Mutex).Lock cache.go:17".
func place(l analyzer.Limit) string {
	s := l.Function
	if l.File != "" {
		if s != "" {
			s += " "
		}
		s += l.File
		if l.Line > 0 {
			s += fmt.Sprintf(":%d", l.Line)
		}
	}
	return s
}

// ties returns the ties of a recommendation in words.
func ties(r *analyzer.Recommendation) []string {
	var out []string
	for _, t := range r.Ties {
		if t.Model == r.Model && t.Concurrency == r.Concurrency {
			continue
		}
		out = append(out, fmt.Sprintf("%s at %d (%s of the best)", t.Model, t.Concurrency, share(t.Ratio)))
	}
	return out
}

// tiesShown is the number of ties that text names unless verbose.
const tiesShown = 4

// tiesInShort returns the ties of a recommendation in words, the nearest ones.
func tiesInShort(r *analyzer.Recommendation, verbose bool) string {
	ts := ties(r)
	if len(ts) == 0 {
		return ""
	}
	more := ""
	if n := len(ts) - tiesShown; n > 1 && !verbose {
		ts, more = ts[:tiesShown], fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(ts, ", ") + more + "; the simplest was chosen"
}

// disagreement says what was predicted where the measurement came out
// otherwise, and why; "" where they agree or nothing was decided.
func disagreement(w *analyzer.Workload) string {
	p := w.Prediction
	if p == nil || w.Recommendation == nil || p.Agrees {
		return ""
	}
	s := "expected " + setup(p.Model, p.Concurrency)
	if p.Speedup > 0 {
		s += " at " + ratio(p.Speedup)
	}
	const because = "disagrees, because "
	why := strings.TrimSuffix(p.Why, ".")
	if i := strings.Index(why, because); i >= 0 {
		why = why[i+len(because):]
	}
	s += "; the measurement disagrees"
	if why != "" {
		s += ", because " + why
	}
	return s
}

// hostLine says on what the run was measured.
func hostLine(r *analyzer.Run) string {
	h := r.Host
	parts := []string{fmt.Sprintf("%s/%s", h.OS, h.Arch)}
	if h.CPU != "" {
		parts = append(parts, h.CPU)
	}
	parts = append(parts, plural(int64(h.Cores), "core"))
	if h.MemoryBytes > 0 {
		parts = append(parts, size(h.MemoryBytes)+" memory")
	}
	if h.Kernel != "" {
		parts = append(parts, "kernel "+h.Kernel)
	}
	if h.Virtual {
		parts = append(parts, "virtual")
	}
	return strings.Join(parts, ", ")
}

// noiseLine says how precise the run was.
func noiseLine(r *analyzer.Run) string {
	n := r.Noise
	s := fmt.Sprintf("differences under %s are noise here; ", percent(n.Floor))
	if n.Floor == 0 {
		s = "how much the baseline differs from itself was not measured; "
	}
	read := fmt.Sprintf(" (CPU %s, wait %s)", demand(n.ControlCPU), demand(n.ControlWait))
	switch {
	case n.ControlTrials == 0:
		s += "the controls were not measured"
	case n.ControlsOK:
		s += "the controls came out as what they are" + read
	default:
		s += "the controls did NOT come out as what they are" + read
	}
	s += fmt.Sprintf("; other programs took %s of the cores", percent(n.ForeignShare))
	if n.StealShare > 0 {
		s += ", the hypervisor " + percent(n.StealShare)
	}
	if n.Disturbed > 0 {
		s += "; " + plural(int64(n.Disturbed), "trial") + " disturbed"
	}
	return s
}

// quoted returns the arguments as a line for a POSIX shell.
func quoted(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		if a != "" && strings.Trim(a, bareBytes) == "" {
			out[i] = a
		} else {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

// bareBytes need no quotes in a shell.
const bareBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:,=+@%"
