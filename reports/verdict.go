package reports

import (
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
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
		if r.Barred {
			v.Advice = "stay sequential, what reads better may not be recommended"
		}
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
	s := "expected no cell to hold the rate"
	if p.Model != "" {
		s = "expected " + setup(p.Model, p.Concurrency)
	}
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
