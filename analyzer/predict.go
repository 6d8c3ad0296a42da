package analyzer

import (
	"fmt"
	"math"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// facts are what predictions rest on: the sequential profile and the
// contention probe, no timing trial of any model.
type facts struct {
	demand float64 // on the controls' scale, at least 0
	inner  float64 // cores that one op uses by itself, at least 1
	serial float64 // share of an op that only one at a time can do
	cores  float64
	class  Class
}

// saturation is how many ops in flight keep all cores busy, or what is serial.
func (f facts) saturation() float64 {
	n := f.cores / max(f.demand, 0.001)
	if f.serial > 0 {
		n = min(n, 1/f.serial)
	}
	return n
}

// A rule predicts the model that will win and how much it will gain.
type rule struct {
	id     string
	when   func(facts) bool
	then   model.Model
	level  func(facts) float64 // ops in flight that are enough
	gain   func(facts) float64 // speedup at that level, against sequential
	reason string
}

// rules in the order in which they are tried; the first that fits predicts.
// The gains are bounds: Amdahl's for what is serial, the number of cores for
// what computes, the number in flight for what waits.
func rules() []rule {
	one := func(facts) float64 { return 1 }
	cores := func(f facts) float64 { return f.cores }
	return []rule{
		{
			id: "locked", when: func(f facts) bool { return f.serial > 1/1.25 },
			then: model.Sequential, level: one, gain: one,
			reason: "nearly the whole op holds one lock, or waits for what serves one at a time, so ops run one after another under every model that shares it",
		},
		{
			id: "all-cores", when: func(f facts) bool { return f.class == CPUBound && f.inner > 0.8*f.cores },
			then: model.Sequential, level: one, gain: one,
			reason: "one op already keeps all cores busy by itself",
		},
		{
			id: "computes", when: func(f facts) bool { return f.class == CPUBound },
			then: model.Pool, level: cores, gain: func(f facts) float64 { return f.cores / max(f.inner, 1) },
			reason: "it computes, so as many workers as cores are enough and more gain nothing",
		},
		{
			id: "waits", when: func(f facts) bool { return f.class == IOBound },
			then: model.Pool, level: facts.saturation, gain: facts.saturation,
			reason: "it waits, so throughput grows with the ops in flight until the cores, or what it waits for, are busy",
		},
		{
			id: "both", when: func(facts) bool { return true },
			then: model.Pool, level: facts.saturation, gain: facts.saturation,
			reason: "it waits and computes, so enough ops in flight fill the waits of one with the work of others",
		},
	}
}

// predict says which cell should win, from the sequential profile alone.
func (j *judgement) predict() {
	if len(j.classify) == 0 || j.demand.N == 0 {
		return
	}
	j.out.Prediction = j.predictAt(j.demand.scaled.Value)
	if p := j.out.Prediction; p != nil {
		j.say(ofPrediction, "all this lets expect %s to win", setupOf(&Cell{Model: p.Model, Concurrency: p.Concurrency}))
	}
}

// predictAt is the prediction for a demand on the controls' scale.
func (j *judgement) predictAt(d float64) *Prediction {
	f := facts{
		demand: max(d, 0), inner: max(j.demand.Value, 1), cores: float64(j.load.cores),
		class: j.o.classAt(d), serial: j.guess(j.load).serial,
	}
	for _, r := range rules() {
		if r.when(f) {
			c, gain := j.predicted(r, f)
			return &Prediction{
				Model: c.Model, Concurrency: c.Concurrency, Speedup: gain, Rule: r.id,
				Why: fmt.Sprintf("%s (demand %.2f, %.0f cores)", r.reason, f.demand, f.cores),
			}
		}
	}
	return nil
}

// predicted is the cell of the plan that a rule means: of its model, or of the
// simplest that can stand in for it, the least level that is enough.
func (j *judgement) predicted(r rule, f facts) (plan.Cell, float64) {
	models := append([]model.Model{r.then}, model.All()...)
	for _, m := range models {
		if m == model.Sequential && r.then != model.Sequential {
			continue
		}
		var levels []int
		for _, c := range j.load.w.Cells {
			if c.Model == m {
				levels = append(levels, c.Concurrency)
			}
		}
		if len(levels) == 0 {
			continue
		}
		slices.Sort(levels)
		level := levels[len(levels)-1]
		for _, n := range levels {
			// An eighth less than enough is enough: levels are powers of two.
			if float64(n) >= r.level(f)*7/8 {
				level = n
				break
			}
		}
		gain := min(r.gain(f), float64(level), parallelism(m, j.load.cores)/max(f.demand, 0.001))
		if f.serial > 0 {
			gain = min(gain, 1/f.serial)
		}
		return plan.Cell{Workload: j.load.w.Name, Model: m, Concurrency: level}, max(gain, math.Min(1, r.gain(f)))
	}
	return j.load.baseline(), 1
}

// compare holds the prediction against what was measured.
func (j *judgement) compare() {
	p, r := j.out.Prediction, j.out.Recommendation
	if r == nil {
		return
	}
	as := ""
	if p != nil {
		if p.Agrees = r.covers(p.Model, p.Concurrency); p.Agrees {
			as = ", as expected"
		} else {
			as = ", which is not what was expected"
			p.Why += ". The measurement disagrees, because " + j.disagreement(p, r)
		}
	}
	j.say(ofMeasurement, "measured, the one to use by %s is %s%s", j.objective(), setupOf(&Cell{Model: r.Model, Concurrency: r.Concurrency}), as)
}

// covers reports whether a cell is the recommended one or its equal.
func (r *Recommendation) covers(m model.Model, concurrency int) bool {
	return r.Model == m && r.Concurrency == concurrency ||
		slices.ContainsFunc(r.Ties, func(t Tie) bool { return t.Model == m && t.Concurrency == concurrency })
}

func (j *judgement) disagreement(p *Prediction, r *Recommendation) string {
	for i := range j.out.Cells {
		c := &j.out.Cells[i]
		if c.Model != p.Model || c.Concurrency != p.Concurrency {
			continue
		}
		if c.OpsPerSec.Median > 0 && c.Speedup.Value > 0 {
			return fmt.Sprintf("%s reached %.2fx sequential and %s %.2fx", setupOf(c), c.Speedup.Value, setupOf(&Cell{Model: r.Model, Concurrency: r.Concurrency}), r.Speedup.Value)
		}
		if c.Status == record.Eliminated {
			return fmt.Sprintf("%s was eliminated: %s", setupOf(c), c.Reason)
		}
		return fmt.Sprintf("%s could not be measured: %s", setupOf(c), c.Reason)
	}
	return "that cell is not in the plan"
}

// sameOnBothSides settles a class whose interval straddles a band: where the
// rules lead to the same recommendation at both ends of the interval, and the
// measurement bears it out, the class of the median stands, without
// confidence.
func (j *judgement) sameOnBothSides(r *Recommendation) {
	if j.verdict.between[0] == "" {
		return
	}
	low, high := j.predictAt(j.demand.scaled.Low), j.predictAt(j.demand.scaled.High)
	if low == nil || high == nil || !r.covers(low.Model, low.Concurrency) || !r.covers(high.Model, high.Concurrency) {
		return
	}
	j.out.Class, j.out.Settle = j.o.classAt(j.demand.scaled.Value), ""
	j.say(ofClass, "the demand's interval lies between %s and %s, but the recommendation is the same on both sides; the class is that of the median, %s",
		j.verdict.between[0], j.verdict.between[1], j.out.Class)
}
