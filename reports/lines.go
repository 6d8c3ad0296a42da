package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

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

// limitShare is the share of a limit and what it is of, "" where that says
// nothing.
func limitShare(l analyzer.Limit) string {
	of := l.Kind.Of()
	if of == "" {
		return ""
	}
	return share(l.Share) + " " + of
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
	s := string(l.Kind)
	if part := limitShare(l); part != "" {
		s += ", " + part
	}
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
	if n.HostTrials == 0 || slices.Contains(r.Host.Unenforced, rundir.ForeignCPU) {
		s += "; what other programs took was not measured"
	} else {
		s += fmt.Sprintf("; other programs took %s of the cores", percent(n.ForeignShare))
	}
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

// lacks names what concprof cannot hold a workload to on this host, or cannot
// measure: facts of the host, which are no doubt about a verdict. Unless they are
// asked for the reasons, in parentheses, are left out.
func lacks(r *analyzer.Run, reasons bool) string {
	out := make([]string, len(r.Host.Unenforced))
	for i, s := range r.Host.Unenforced {
		if what, _, ok := strings.Cut(s, " ("); ok && !reasons {
			s = what
		}
		out[i] = s
	}
	return strings.Join(out, "; ")
}
