package compare

import (
	"fmt"
	"hash/fnv"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/internal/stats"
)

// cell measures the change of one cell, by itself.
func (o Options) cell(workload string, base, head Side, b, h *analyzer.Cell) Cell {
	c := Cell{
		Model: b.Model, Concurrency: b.Concurrency,
		Base: Throughput{b.OpsPerSec, len(b.Samples)}, Head: Throughput{h.OpsPerSec, len(h.Samples)},
		P: 1, Corrected: 1, Verdict: Untested,
	}
	before, after := b.Samples, h.Samples
	if b.Load != nil || h.Load != nil {
		c.Load = &CellLoad{Base: o.arrivals(b), Head: o.arrivals(h)}
		if before, after, c.Why = o.offered(c.Load, b, h); c.Load.neither() {
			c.Verdict = Neither
		}
	}
	if c.Why != "" {
		return c
	}
	boot := stats.Bootstrap{Seed: seed(workload, base, head, b), Resamples: o.Resamples, Level: o.Level}
	in := boot.Ratio(after, before)
	c.Change = analyzer.Interval{Value: in.Value - 1, Low: in.Low - 1, High: in.High - 1, Level: in.Level, N: in.N}
	if min(len(before), len(after)) < o.MinTrials {
		c.Why = fmt.Sprintf("needs %d trials in each run, has %d and %d", o.MinTrials, len(before), len(after))
		return c
	}
	c.P = stats.RankSum(before, after)
	c.Verdict = Same
	return c
}

// tested reports whether anything of the cell was put to the test.
func (c *Cell) tested() bool { return c.Verdict != Untested && c.Verdict != Neither }

// seed is one for each cell of a pair of runs.
func seed(workload string, base, head Side, c *analyzer.Cell) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00%d", base.Result.Run.ID, head.Result.Run.ID, workload, c.Model, c.Concurrency)
	return h.Sum64()
}

// test corrects the p-values of all cells that are tested and says which of
// them differ.
func (o Options) test(c *Comparison) {
	var cells []*Cell
	var floors []float64
	var ps []float64
	for i := range c.Workloads {
		w := &c.Workloads[i]
		for k := range w.Cells {
			if x := &w.Cells[k]; x.tested() {
				cells, floors, ps = append(cells, x), append(floors, w.Floor), append(ps, x.P)
			}
		}
	}
	c.Tested = len(cells)
	for i, p := range stats.Holm(ps) {
		x := cells[i]
		x.Corrected = p
		ratio := 1 + x.Change.Value
		switch {
		case p > o.Alpha && x.Load.turns():
			x.Why = "it holds the rate in one of the runs only, but what they reached cannot be told apart"
			continue
		case p > o.Alpha:
			continue
		case x.Load.turns():
			// Whether the rate is held has its own margin.
			if x.Verdict = Behind; x.Load.Head.Holds {
				x.Verdict = Keeps
			}
			c.Changed++
			continue
		case max(ratio, 1/ratio)-1 <= floors[i]: // the same size up as down: 2x and 0.5x are equally far apart
			x.Why = BelowFloor
			continue
		}
		c.Changed++
		// More ops a second are faster, a longer p99 is slower.
		if x.Verdict = Faster; (ratio < 1) == (x.Load == nil) {
			x.Verdict = Slower
		}
	}
}

// doubts adds the warnings.
func (c *Comparison) doubts(base, head Side, o Options) {
	warn := func(id, remedy, format string, args ...any) {
		c.Warnings = append(c.Warnings, analyzer.Warning{ID: id, Message: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	if len(c.Differences) > 0 {
		warn(WarnForced, "measure both with the same settings on the same host",
			"these runs were measured differently, and are compared all the same: what differs may be why they differ")
	}
	if base.Result.Run.ID == head.Result.Run.ID && base.Result.Run.ID != "" {
		warn(WarnSameRun, "", "%s and %s are the same run", base.Label, head.Label)
	}
	for _, s := range []Side{base, head} {
		if !s.Result.Complete {
			remedy := "finish it: concprof analyze --resume " + s.Result.Run.Dir
			switch {
			case c.Against != nil:
				remedy = "measure both again: what is interleaved is not resumed"
			case s.Result.Run.Archive:
				remedy = "an archive is not resumed: finish the run that it was made of, and make it again"
			}
			warn(WarnIncomplete, remedy, "%s is not complete", s.Label)
		}
		for _, w := range s.Result.Warnings {
			if w.ID == analyzer.WarnNoisyHost {
				warn(w.ID, w.Remedy, "%s: %s", s.Label, w.Message)
			}
		}
		if n := s.Result.Run.Noise; !n.ControlsOK && n.ControlTrials > 0 {
			warn(WarnControls, "measure it again on a quieter machine", "the controls of %s did not come out as what they are: its host was too noisy to be compared", s.Label)
		}
	}
	if n, ok := c.powerless(o); ok {
		warn(WarnPower, "measure both with more runs (--runs) and a larger budget",
			"%d trials a side are too few among %d cells: not even the largest difference would be told at %.0f %%", n, c.Tested, 100*o.Alpha)
	}
}

// powerless reports whether no cell, however different, could have been told
// apart after the correction, and the most trials that one has.
func (c *Comparison) powerless(o Options) (trials int, ok bool) {
	least := 1.0
	for _, w := range c.Workloads {
		for _, x := range w.Cells {
			if x.tested() {
				least = min(least, stats.LeastRankSum(x.Base.Trials, x.Head.Trials))
				trials = max(trials, min(x.Base.Trials, x.Head.Trials))
			}
		}
	}
	return trials, c.Tested > 0 && least*float64(c.Tested) > o.Alpha
}
