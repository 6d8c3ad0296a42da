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
	gil    float64 // share of an op for which it holds CPython's GIL; 0 without one
	cores  float64
	class  Class
}

// saturation is how many ops in flight keep all cores busy, or what is serial:
// the one GIL that they share, or what serves only some at once.
func (f facts) saturation() float64 {
	n := f.cores / max(f.demand, 0.001)
	if f.gil > 0 {
		n = min(n, 1/f.gil)
	}
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
		class: j.o.classAt(d), serial: j.guess(j.load).serial, gil: j.guess(j.load).gil,
	}
	for _, r := range rules() {
		if !r.when(f) {
			continue
		}
		c, gain := j.predicted(r, f)
		known := fmt.Sprintf("demand %.2f, %.0f cores", f.demand, f.cores)
		if f.gil > 0 {
			known += fmt.Sprintf(", GIL %.2f", f.gil)
			r, c, gain = j.aroundGIL(r, f, c, gain)
		}
		return &Prediction{
			Model: c.Model, Concurrency: c.Concurrency, Speedup: gain, Rule: r.id,
			Why: fmt.Sprintf("%s (%s)", r.reason, known),
		}
	}
	return nil
}

// aroundGIL replaces what a rule predicts where the GIL is in its way: by
// interpreters with a GIL each, if the plan has them and they are expected to
// gain more; by sequential, if an op that computes has nothing else to gain.
func (j *judgement) aroundGIL(r rule, f facts, c plan.Cell, gain float64) (rule, plan.Cell, float64) {
	if r.then == model.Sequential {
		return r, c, gain
	}
	free := f
	free.gil = 0
	for _, m := range []model.Model{model.Subinterpreters, model.Processes} {
		if !slices.ContainsFunc(j.load.w.Cells, func(c plan.Cell) bool { return c.Model == m }) {
			continue
		}
		apart := rule{
			id: "gil", then: m, level: facts.saturation, gain: facts.saturation,
			reason: "threads take turns at the GIL, which an op holds while it computes, so only interpreters with a GIL each gain",
		}
		if other, more := j.predicted(apart, free); more >= j.o.GILGain*gain {
			return apart, other, more
		}
		return r, c, gain // of two the simpler one speaks for both
	}
	if f.class == CPUBound && gain < j.o.GILGain {
		return rule{id: "one-gil", reason: "it computes holding the GIL, so threads take turns, and the plan has no model with more than one"}, j.load.baseline(), 1
	}
	return r, c, gain
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
		if f.gil > 0 && j.load.sharesGIL(m) {
			gain = min(gain, 1/f.gil)
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
		switch b := j.better(r, p); {
		case r.covers(p.Model, p.Concurrency):
			p.Agrees, as = true, ", as expected"
		case b != nil:
			p.Agrees = true
			as = fmt.Sprintf("; %s, which was expected to win, does, at %s, but needs %s", setupOf(&Cell{Model: b.Model, Concurrency: b.Concurrency}), times(b.Speedup.Value), b.Declare)
		default:
			as = ", which is not what was expected"
			p.Why += ". The measurement disagrees, because " + j.disagreement(p, r)
		}
	}
	j.say(ofMeasurement, "measured, the one to use by %s is %s%s", j.objective(), setupOf(&Cell{Model: r.Model, Concurrency: r.Concurrency}), as)
}

// better returns the cell that would be recommended if the workload declared
// more, if it is of the predicted model and no better than the predicted cell;
// else nil.
func (j *judgement) better(r *Recommendation, p *Prediction) *Better {
	c := j.cell(plan.Cell{Model: p.Model, Concurrency: p.Concurrency})
	for i := range r.Better {
		if b := &r.Better[i]; c != nil && b.Model == p.Model && (b.Concurrency == p.Concurrency || c.Speedup.Value*(1+max(j.out.NoiseFloor, j.o.Tie)) >= b.Speedup.Value) {
			return b
		}
	}
	return nil
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
