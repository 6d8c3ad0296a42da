package analyzer

import (
	"fmt"
	"hash/fnv"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// disturbance says what the host did to a trial that makes it not count at
// the first attempt, "" if nothing.
func (o Options) disturbance(r *record.Record) string {
	switch h := r.Host; {
	case r.Status == record.Disturbed:
		return r.Reason
	case h == nil:
		return ""
	case h.ForeignShare > o.MaxForeign:
		return fmt.Sprintf("other programs took %.0f %% of the cores", 100*h.ForeignShare)
	case h.StealShare > o.MaxSteal:
		return fmt.Sprintf("the hypervisor took %.0f %% of the cores", 100*h.StealShare)
	case r.WallNs > 0 && float64(h.ThrottledNs) > o.MaxThrottled*float64(r.WallNs):
		return fmt.Sprintf("a CPU quota stopped it for %.0f %% of its time", 100*float64(h.ThrottledNs)/float64(r.WallNs))
	}
	return ""
}

// floor returns the noise floor that trials of one cell show: the largest
// relative difference of their rates from themselves, as the A-A test of
// stats.SelfDifference finds it.
func (o Options) floor(fs []plan.Finished, seed uint64) float64 {
	return stats.SelfDifference(values(fs, rate), seed, o.NoiseSplits, o.NoiseQuantile)
}

// seedOf derives a seed for one purpose from the plan's.
func seedOf(seed uint64, purpose string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return seed ^ h.Sum64()
}

// judgeNoise learns the workload's noise floor and the observer effect.
func (j *judgement) judgeNoise() {
	l := j.load
	floor, cell, trials := j.floorOf(l)
	j.out.NoiseFloor = floor
	if l.open() {
		if trials > 0 {
			j.say(ofNoise, "%s against itself, by %s, differed by up to %.1f %% over %d trials; what differs by less than %.0f %% is a tie",
				setupOf(&Cell{Model: cell.Model, Concurrency: cell.Concurrency}), j.objective(), 100*floor, trials, 100*max(floor, j.o.Tie))
		}
		return
	}
	fs := l.counted(l.baseline(), plan.Timing, j.o)
	if len(fs) == 0 {
		return
	}
	scores := ""
	if f := j.scoreFloor(l); f > 0 {
		scores = fmt.Sprintf(", by %s by up to %.1f %%,", j.objective(), 100*f)
	}
	j.say(ofNoise, "sequential against itself differed by up to %.1f %%%s over %d trials; what differs by less than %.0f %% is a tie",
		100*j.out.NoiseFloor, scores, len(fs), 100*max(j.out.NoiseFloor, j.margin(l)))
	if plain := stats.Median(values(fs, rate)); len(j.classify) > 0 && plain > 0 {
		if watched := stats.Median(values(j.classify, rate)); watched > 0 {
			j.out.ObserverEffect = plain / watched
		}
	}
}
