package bench

import (
	"fmt"
	"slices"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// The targets that are held against; docs/benchmarks.md says what they mean.
const (
	maxInconclusive = 0.10 // share of the classes
	minSteady       = 0.93 // throughput of each recommendation, of the best: within 7 %
	minMeanWorth    = 0.95
	minWorstWorth   = 0.85 // no interval may lie wholly below
	maxTime         = 0.35 // of the exhaustive sweep's
	maxObserver     = 1.10 // the median
	minPredicted    = 0.80 // share of the predictions that agree
	maxOverhead     = 1.10 // executors' time for an op, of a loop by hand
	maxExtra        = 2e3  // ns that sequential adds to an op
)

// A row is one thing that is asked of concprof, and what came out.
type row struct {
	what, target, measured string
	verdict                string // "met", "not met", "no data"
}

func judged(met bool) string {
	if met {
		return "met"
	}
	return "not met"
}

// A tally counts how often something was right.
type tally struct{ right, of int }

func (t *tally) add(right bool) {
	t.of++
	if right {
		t.right++
	}
}

func (t tally) share() float64 { return float64(t.right) / float64(max(t.of, 1)) }

func (t tally) String() string { return fmt.Sprintf("%d of %d", t.right, t.of) }

// row judges a tally by the least share.
func (t tally) row(what, target string, least float64) row {
	if t.of == 0 {
		return row{what, target, "", "no data"}
	}
	if target == "" { // told, not asked for
		return row{what, "", t.String(), ""}
	}
	return row{what, target, t.String(), judged(t.share() >= least)}
}

// A score is what all runs of all ops came to.
type score struct {
	notWrong, decided, waits, limits, families tally
	sameClass, steady, predicted, recommended  tally
	worths                                     []worth
	observers                                  []float64
	time, sweepTime                            float64
	swept                                      tally // recommendations, of ops with a sweep, whose cell is in it
	kinds                                      []model.Kind
	overheads                                  Overheads
}

// score adds up the runs of the chosen ops whose targets are of these kinds.
func (b *bench) score(kinds []model.Kind) score {
	s := score{kinds: kinds, overheads: b.overheads.values[b.overheadKey()]}
	for _, l := range b.labels {
		if !slices.Contains(kinds, l.Target) {
			continue
		}
		sweep, swept := b.sweeps.values[b.sweepKey(l)]
		var classes []analyzer.Class
		for rep := range b.o.runs(l) {
			o, ok := b.outcomes.values[b.outcomeKey(l, rep)]
			if !ok {
				continue
			}
			classes = append(classes, o.Class)
			s.add(l, o)
			if swept {
				s.time += float64(o.ElapsedNs)
				s.sweepTime += float64(sweep.ElapsedNs)
			}
			if !swept || o.Recommended == nil {
				continue
			}
			w, ok := sweep.worth(l, *o.Recommended)
			s.swept.add(ok)
			if ok {
				s.worths = append(s.worths, w)
				if b.o.runs(l) > 1 {
					s.steady.add(w.high >= minSteady)
				}
			}
		}
		if len(classes) > 1 && !l.Ambiguous {
			s.sameClass.add(len(slices.Compact(classes)) == 1)
		}
	}
	return s
}

func (s *score) add(l Label, o Outcome) {
	if !l.Ambiguous {
		s.decided.add(o.Class != analyzer.Inconclusive)
		if o.Class != analyzer.Inconclusive {
			s.notWrong.add(o.Class == l.Class)
		}
	}
	if l.Wait != "" && l.Class != analyzer.CPUBound && !l.Ambiguous {
		s.waits.add(o.Wait == l.Wait)
	}
	s.limits.add(len(l.faults(o.Limits)) == 0)
	s.recommended.add(o.Recommended != nil)
	if o.Recommended != nil {
		s.families.add(slices.Contains(l.Models, o.Recommended.Model))
		s.predicted.add(o.Agrees)
	}
	if o.Observer > 0 {
		s.observers = append(s.observers, o.Observer)
	}
}

// rows are the table, in the order of what matters most.
func (s score) rows() []row {
	rows := []row{
		s.notWrong.row("class right, of those decided", "all", 1),
		s.decided.row("class decided", fmt.Sprintf("at least %.0f %%", 100*(1-maxInconclusive)), 1-maxInconclusive),
		s.waits.row("what it waits for right", "all", 1),
		s.limits.row("limits right: those there are, and no others", "all", 1),
		s.recommended.row("recommendation decided", "", 0),
		s.families.row("recommended model suits the op", "all", 1),
		s.sameClass.row("ops with the same class in all repeated runs", "all", 1),
		s.steady.row("repeated recommendations within 7 % of the best", "all", 1),
	}
	ratio, extra := executors(s.overheads, s.kinds)
	return append(rows, s.regret(), s.worst(), s.cost(), s.observer(), ratio, extra,
		s.predicted.row("prediction agrees with the measurement", fmt.Sprintf("at least %.0f %%", 100*minPredicted), minPredicted))
}

func (s score) regret() row {
	r := row{"throughput of what is recommended, of the best: mean", fmt.Sprintf("at least %.2f", minMeanWorth), "", "no data"}
	if len(s.worths) > 0 {
		sum := 0.0
		for _, w := range s.worths {
			sum += w.value
		}
		mean := sum / float64(len(s.worths))
		r.measured, r.verdict = fmt.Sprintf("%.3f (%v)", mean, s.swept), judged(mean >= minMeanWorth)
	}
	return r
}

func (s score) worst() row {
	r := row{"the same: upper bound of the worst", fmt.Sprintf("at least %.2f", minWorstWorth), "", "no data"}
	if len(s.worths) > 0 {
		w := slices.MinFunc(s.worths, func(a, b worth) int {
			if a.high < b.high {
				return -1
			}
			return 1
		})
		r.measured, r.verdict = fmt.Sprintf("%.3f (%.3f-%.3f)", w.value, w.low, w.high), judged(w.high >= minWorstWorth)
	}
	return r
}

func (s score) cost() row {
	r := row{"time, of the exhaustive sweep's", fmt.Sprintf("at most %.2f", maxTime), "", "no data"}
	if s.sweepTime > 0 {
		r.measured, r.verdict = fmt.Sprintf("%.2f", s.time/s.sweepTime), judged(s.time <= maxTime*s.sweepTime)
	}
	return r
}

func (s score) observer() row {
	r := row{"observer effect, the median", fmt.Sprintf("at most %.2f", maxObserver), "", "no data"}
	if len(s.observers) > 0 {
		m := median(s.observers)
		r.measured, r.verdict = fmt.Sprintf("%.2f (up to %.2f)", m, slices.Max(s.observers)), judged(m <= maxObserver)
	}
	return r
}
