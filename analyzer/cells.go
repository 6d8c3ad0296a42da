package analyzer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// An outcome is a cell with the trials behind its numbers.
type outcome struct {
	cell   plan.Cell
	timing []plan.Finished // counted
	pilots []plan.Finished
	broken []plan.Finished
	scores []float64 // by the objective; more is better
}

// shown are the trials that tell most of the cell: its timing trials, and of
// a cell that got none, because it was eliminated, its pilots.
func (x *outcome) shown() []plan.Finished {
	if len(x.timing) > 0 {
		return x.timing
	}
	return x.pilots
}

func (j *judgement) judgeCells() {
	l := j.load
	score := j.score(l)
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
	if j.objective() == string(workload.Latency) && !l.open() {
		j.say(ofMeasurement, "%s", j.toldQuantile())
	}
	var base *outcome
	for i := range j.results {
		if j.results[i].cell == l.baseline() {
			base = &j.results[i]
		}
	}
	reference, stable := j.reference(l)
	switch {
	case !stable:
		j.warn(WarnNotComparable, "make the results of an op depend on its input only, or set digest: none",
			"sequential gives other results from trial to trial, so the models' results cannot be compared")
	case reference != nil && reference.Opaque:
		j.warn(WarnOpaqueResults, "return values that can be read, or a summary of them",
			"some results cannot be read (a channel, a function), so equal digests say less than they seem to")
	}
	for i := range j.results {
		x := &j.results[i]
		cell := Cell{Model: x.cell.Model, Concurrency: x.cell.Concurrency, Trials: len(x.timing), Added: l.added[x.cell]}
		j.measured(&cell, x, base)
		j.status(&cell, x, reference)
		if cell.Status == record.Eliminated {
			cell.unclaimed()
		}
		if len(x.timing) == 0 && (cell.Status == record.Eliminated || cell.Status == record.Skipped) {
			cell.Pilot = x.rate()
		}
		j.out.Cells = append(j.out.Cells, cell)
	}
	for _, s := range l.w.Skipped {
		j.out.Cells = append(j.out.Cells, Cell{Model: s.Model, Status: record.Skipped, Reason: s.Reason})
	}
}

// unclaimed takes the intervals of an eliminated cell away: it was eliminated
// because it read low, so what it read is low more often than the level of an
// interval says.
func (c *Cell) unclaimed() {
	c.OpsPerSec = Quartile{Median: c.OpsPerSec.Median, Low: c.OpsPerSec.Median, High: c.OpsPerSec.Median}
	c.Speedup = Interval{Value: c.Speedup.Value, Low: c.Speedup.Value, High: c.Speedup.Value, N: c.Speedup.N}
}

// rate is the median throughput of what the cell showed, 0 if that is nothing.
func (x *outcome) rate() float64 { return stats.Median(values(x.shown(), rate)) }

// measured fills in what the counted trials of a cell showed.
func (j *judgement) measured(cell *Cell, x, base *outcome) {
	fs := x.timing
	if len(fs) == 0 {
		return
	}
	rates := values(fs, j.reached(j.load))
	in := stats.MedianInterval(rates, j.o.Level)
	cell.OpsPerSec = Quartile{Median: in.Value, Low: in.Low, High: in.High, Level: in.Level}
	cell.Samples = rates
	switch {
	case x == base:
		cell.Speedup = Interval{Value: 1, Low: 1, High: 1, Level: in.Level, N: in.N}
	case base != nil && len(base.timing) > 0:
		cell.Speedup = interval(j.bootstrap("speedup "+x.cell.String()).Ratio(rates, values(base.timing, rate)))
	}
	j.o.costs(cell, fs)
	j.judgeLoad(cell, fs)
}

// costs fills in what the ops of a cell's trials cost.
func (o Options) costs(cell *Cell, fs []plan.Finished) {
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
	if h.N >= o.MinP99Ops {
		cell.Latency.P99 = h.Quantile(0.99)
	}
	cell.CPUNsPerOp = stats.Median(values(fs, cpuPerOp))
	cell.MinorFaultsPerOp = stats.Median(values(fs, faultsPerOp))
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
	if reason, wrong := j.wrong(l, x.cell, reference); wrong {
		cell.Status, cell.Reason = record.WrongResult, reason
		return
	}
	switch n := len(x.broken); {
	case n > 0 && len(x.timing) > 0:
		b := x.broken[n-1]
		cell.Status = record.Partial
		all := n + len(x.timing) + len(x.pilots)
		if x.cell == l.baseline() {
			all += len(j.classify)
		}
		cell.Reason = fmt.Sprintf("%d of %d trials did not count: %s", n, all, j.o.reasonOf(&b.Record))
		cell.Output = "trials/" + b.Trial.ID
	case n > 0 && (!eliminated || len(x.pilots) == 0):
		b := x.broken[n-1]
		cell.Status, cell.Reason, cell.Output = brokenStatus(&b.Record), j.o.reasonOf(&b.Record), "trials/"+b.Trial.ID
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

// reasonOf says why a trial does not count, and of one that ran into its deadline
// what the host did to it.
func (o Options) reasonOf(r *record.Record) string {
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
	if host := o.disturbance(r); r.Status == record.TimedOut && host != "" {
		s += ", while " + host
	}
	return s
}
