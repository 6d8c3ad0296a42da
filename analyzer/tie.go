package analyzer

import (
	"fmt"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
)

// outweighs reports whether the trials show that the best cell is worth more
// than c. Where a program changes anyway, any gain that is shown counts. One op
// after another is given up for a gain that is shown to be more than what nobody
// should change a program for, with the whole interval; or for any that is shown
// and reads twice that.
func (j *judgement) outweighs(best, c *contender) bool {
	in := j.ratio(best, c)
	return in.Level > 0 && in.Low > 1+j.leastGain(best, c, in)
}

func (j *judgement) leastGain(best, c *contender, in stats.Interval) float64 {
	if c.cell.Model == model.Sequential && in.Value <= 1+j.o.SpreadTie*j.o.Tie {
		return j.o.Tie
	}
	return 0
}

// toldTie says why the best cell's lead over one of its ties does not count.
func (j *judgement) toldTie(best, tie *contender, margin float64) string {
	in := j.ratio(best, tie)
	switch least := j.leastGain(best, tie, in); {
	case in.Value <= 1+margin && tie.cell.Model == model.Sequential:
		return fmt.Sprintf("within the margin of %.1f %% (noise, and what is worth a change)", 100*margin)
	case in.Value <= 1+margin:
		return fmt.Sprintf("within the margin of %.1f %%", 100*margin)
	case least > 0:
		return fmt.Sprintf("or %.1f to %.1f %% at %.0f %% confidence: that it is more than %.0f %%, which is worth a change, is not shown",
			100*(in.Low-1), 100*(in.High-1), 100*in.Level, 100*least)
	default:
		return fmt.Sprintf("or %.1f to %.1f %% at %.0f %% confidence, which may be nothing", 100*(in.Low-1), 100*(in.High-1), 100*in.Level)
	}
}

// scoreFloor is the noise floor of what cells are compared by where that is not
// throughput: the baseline's score against itself. A p99 spreads more.
func (v *view) scoreFloor(l *load) float64 {
	if l.open() || l.w.Objective == "" || l.w.Objective == string(workload.Throughput) {
		return 0
	}
	scores := values(l.counted(l.baseline(), plan.Timing, v.o), v.score(l))
	return stats.SelfDifference(scores, seedOf(v.plan.Seed, "floor "+l.w.Objective+" "+l.w.Name), v.o.NoiseSplits, v.o.NoiseQuantile)
}
