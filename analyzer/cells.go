package analyzer

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// An outcome is a cell with the trials behind its numbers.
type outcome struct {
	cell   plan.Cell
	timing []plan.Finished // counted
	pilots []plan.Finished
	broken []plan.Finished
	scores []float64 // by the objective; more is better
}

// shown are the trials whose numbers the cell shows: its timing trials, and
// of a cell that got none, because it was eliminated, its pilots.
func (x *outcome) shown() []plan.Finished {
	if len(x.timing) > 0 {
		return x.timing
	}
	return x.pilots
}

func (j *judgement) judgeCells() {
	l := j.load
	score := scoreOf(l.w.Objective, j.o)
	for _, c := range l.w.Cells {
		x := outcome{
			cell: c, timing: l.counted(c, plan.Timing, j.o), pilots: l.counted(c, plan.Pilot, j.o),
			broken: append(l.broken(c, plan.Pilot), l.broken(c, plan.Timing)...),
		}
		if c == l.baseline() {
			x.broken = append(x.broken, l.broken(c, plan.Classify)...)
		}
		x.scores = values(x.shown(), score)
		j.results = append(j.results, x)
	}
	var base *outcome
	for i := range j.results {
		if j.results[i].cell == l.baseline() {
			base = &j.results[i]
		}
	}
	reference := j.reference()
	for i := range j.results {
		x := &j.results[i]
		cell := Cell{Model: x.cell.Model, Concurrency: x.cell.Concurrency, Trials: len(x.timing)}
		j.measured(&cell, x, base)
		j.status(&cell, x, reference)
		j.out.Cells = append(j.out.Cells, cell)
	}
	for _, s := range l.w.Skipped {
		j.out.Cells = append(j.out.Cells, Cell{Model: s.Model, Status: record.Skipped, Reason: s.Reason})
	}
}

// measured fills in what the trials of a cell showed.
func (j *judgement) measured(cell *Cell, x, base *outcome) {
	fs := x.shown()
	if len(fs) == 0 {
		return
	}
	rates := values(fs, rate)
	in := stats.MedianInterval(rates, j.o.Level)
	cell.OpsPerSec = Quartile{Median: in.Value, Low: in.Low, High: in.High, Level: in.Level}
	if len(x.timing) > 0 {
		cell.Samples = rates
	}
	switch {
	case x == base:
		cell.Speedup = Interval{Value: 1, Low: 1, High: 1, Level: in.Level, N: in.N}
	case base != nil:
		cell.Speedup = interval(j.bootstrap("speedup "+x.cell.String()).Ratio(rates, values(base.shown(), rate)))
	}
	var h record.Histogram
	errors := make(map[[2]string]int64)
	for i := range fs {
		r := &fs[i].Record
		h.Merge(r.Latency)
		cell.PeakRSSBytes = max(cell.PeakRSSBytes, r.Memory.PeakRSSBytes)
		cell.Threads = max(cell.Threads, r.Threads)
		cell.FailedOps += r.FailedOps
		cell.Ops += r.Ops
		for _, e := range r.Errors {
			errors[[2]string{e.Type, e.Message}] += e.Count
		}
	}
	cell.Latency = Latency{P50: h.Quantile(0.50), P95: h.Quantile(0.95)}
	if h.N >= j.o.MinP99Ops {
		cell.Latency.P99 = h.Quantile(0.99)
	}
	cell.CPUNsPerOp = stats.Median(values(fs, cpuPerOp))
	cell.Errors = mostFrequent(errors)
}

func mostFrequent(counts map[[2]string]int64) []record.ErrorCount {
	var es []record.ErrorCount
	for k, n := range counts {
		es = append(es, record.ErrorCount{Type: k[0], Message: k[1], Count: n})
	}
	slices.SortFunc(es, func(a, b record.ErrorCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Message, b.Message))
	})
	return es[:min(len(es), record.MaxErrors)]
}

func (j *judgement) bootstrap(purpose string) stats.Bootstrap {
	return stats.Bootstrap{Seed: seedOf(j.plan.Seed, purpose), Resamples: j.o.Resamples, Level: j.o.Level}
}

func interval(in stats.Interval) Interval {
	return Interval{Value: in.Value, Low: in.Low, High: in.High, Level: in.Level, N: in.N}
}

// status says how a cell ended. What went wrong with the user's work comes
// before what was left out on purpose.
func (j *judgement) status(cell *Cell, x *outcome, reference *record.Digest) {
	l := j.load
	out, eliminated := l.eliminated[x.cell]
	dry, ended := l.ended()
	if reason, wrong := j.wrong(x, reference); wrong {
		cell.Status, cell.Reason = record.WrongResult, reason
		return
	}
	switch n := len(x.broken); {
	case n > 0 && len(x.timing) > 0:
		b := x.broken[n-1]
		cell.Status = record.Partial
		cell.Reason = fmt.Sprintf("%d of %d trials did not count: %s", n, n+len(x.timing)+len(x.pilots), reasonOf(&b.Record))
		cell.Output = "trials/" + b.Trial.ID
	case n > 0 && (!eliminated || len(x.pilots) == 0):
		b := x.broken[n-1]
		cell.Status, cell.Reason, cell.Output = brokenStatus(&b.Record), reasonOf(&b.Record), "trials/"+b.Trial.ID
	case eliminated:
		cell.Status, cell.Reason = record.Eliminated, out
	case len(x.timing) > 0:
		cell.Status = record.OK
	case ended:
		f, _ := l.dry()
		cell.Status, cell.Reason, cell.Output = brokenStatus(&f.Record), dry, "trials/"+f.Trial.ID
	case !j.complete:
		cell.Status, cell.Reason = record.Skipped, "the run ended before its trials"
	default:
		cell.Status, cell.Reason = record.Skipped, "the budget ended before its trials"
	}
}

// brokenStatus is the status of a trial that does not count. One that is "ok"
// but in which every op failed has failed.
func brokenStatus(r *record.Record) record.Status {
	if r.Status == record.OK {
		return record.Failed
	}
	return r.Status
}

func reasonOf(r *record.Record) string {
	s := r.Reason
	if s == "" && len(r.Errors) > 0 {
		s = "every op failed: " + r.Errors[0].Message
	}
	if s == "" {
		s = string(brokenStatus(r))
	}
	if r.Frame != "" {
		s += ", at " + r.Frame
	}
	return s
}

// reference returns the digest that results are compared with: that of the
// baseline's trial with the most ops. It is nil where results cannot be
// compared, because there are none or sequential disagrees with itself.
func (j *judgement) reference() *record.Digest {
	l := j.load
	if l.w.NoDigest {
		return nil
	}
	var digests []*record.Digest
	var longest *record.Digest
	for _, p := range []plan.Pass{plan.Classify, plan.Pilot, plan.Timing} {
		for _, f := range l.counted(l.baseline(), p, j.o) {
			if d := f.Record.Digest; d != nil && d.Ops > 0 {
				digests = append(digests, d)
				if longest == nil || d.Ops > longest.Ops {
					longest = d
				}
			}
		}
	}
	for _, d := range digests {
		if agree, _ := d.Compare(longest); !agree {
			j.warn(WarnNotComparable, "make the results of an op depend on its input only, or set digest: none",
				"sequential gives other results from trial to trial, so the models' results cannot be compared")
			return nil
		}
	}
	if longest != nil && longest.Opaque {
		j.warn(WarnOpaqueResults, "return values that can be read, or a summary of them",
			"some results cannot be read (a channel, a function), so equal digests say less than they seem to")
	}
	return longest
}

// wrong reports whether a cell's results differ from the baseline's. A trial
// in which more ops failed differs on that account, which is judged by itself.
func (j *judgement) wrong(x *outcome, reference *record.Digest) (string, bool) {
	if reference == nil || x.cell == j.load.baseline() {
		return "", false
	}
	for _, f := range append(slices.Clone(x.pilots), x.timing...) {
		if f.Record.FailedOps > 0 && !j.failsLikeBaseline(f.Record.FailedOps, f.Record.Ops) {
			continue
		}
		if agree, n := f.Record.Digest.Compare(reference); !agree {
			return fmt.Sprintf("the results of the first %d ops differ from sequential's (trial %s)", n, f.Trial.ID), true
		}
	}
	return "", false
}

// failsLikeBaseline reports whether so many failures are no more than the
// baseline's rate of them and chance explain.
func (j *judgement) failsLikeBaseline(failed, ops int64) bool {
	l := j.load
	var f, n int64
	for _, p := range []plan.Pass{plan.Classify, plan.Pilot, plan.Timing} {
		for _, t := range l.counted(l.baseline(), p, j.o) {
			f += t.Record.FailedOps
			n += t.Record.Ops
		}
	}
	if n == 0 || ops == 0 {
		return failed == 0
	}
	// The standard deviation of a difference of two binomial counts.
	p := float64(f) / float64(n)
	expected := p * float64(ops)
	sd := math.Sqrt(expected * (1 + float64(ops)/float64(n)))
	return float64(failed) <= expected+j.o.FailureSigmas*sd
}
