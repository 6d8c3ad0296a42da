package analyzer

import (
	"fmt"
	"math"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// facts are what predictions rest on: the sequential profile and the
// contention probe, no timing trial of any model.
type facts struct {
	o      Options
	demand float64 // on the controls' scale, at least 0; above 1 if an op uses several cores
	serial float64 // share of an op that only one at a time can do
	gil    float64 // share of an op for which it holds CPython's GIL; 0 without one
	cores  float64
	class  Class
	// differs is set where ops of the contention probe return something else than
	// alone.
	differs bool
}

// saturation is how many ops in flight keep all cores busy, or what is serial:
// the one GIL that they share, or what serves only some at once.
//
// It is Little's law, N = X R: at the throughput X = cores / (demand x R) that
// the cores allow at most, cores / demand ops are in flight, if none queues. What
// serves s of an op's time one at a time lets 1/s through.
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

// enough is the least number in flight whose throughput can be told from that
// of saturation by nobody: fewer in flight reach N / saturation of it, and
// what lies within Tie is equal.
func (f facts) enough() float64 { return f.saturation() * (1 - f.o.Tie) }

// A rule predicts the model that will win, at the least level that is enough,
// and how much it will gain at most.
type rule struct {
	id     string
	when   func(facts) bool
	then   model.Model
	reason string
}

// rules in the order in which they are tried; the first that fits predicts.
func rules() []rule {
	return []rule{
		{
			id: "differs", when: func(f facts) bool { return f.differs },
			then:   model.Sequential,
			reason: "with others in flight ops return something else than alone, so no model that runs them side by side is right",
		},
		{
			id: "locked", when: func(f facts) bool { return f.serial > f.o.CPUBand },
			then:   model.Sequential,
			reason: "nearly the whole op holds one lock, or waits for what serves one at a time, so ops run one after another under every model that shares it",
		},
		{
			id: "all-cores", when: func(f facts) bool { return f.class == CPUBound && f.cores*(1-f.o.Tie) <= f.demand },
			then:   model.Sequential,
			reason: "one op already keeps all cores busy by itself",
		},
		{
			id: "computes", when: func(f facts) bool { return f.class == CPUBound },
			then:   model.Pool,
			reason: "it computes, so as many workers as keep the cores busy are enough and more gain nothing",
		},
		{
			id: "waits", when: func(f facts) bool { return f.class == IOBound },
			then:   model.Pool,
			reason: "it waits, so throughput grows with the ops in flight until the cores, or what it waits for, are busy",
		},
		{
			id: "both", when: func(facts) bool { return true },
			then:   model.Pool,
			reason: "it waits and computes, so enough ops in flight fill the waits of one with the work of others",
		},
	}
}

// predict says which cell should win, from the sequential profile alone.
func (j *judgement) predict() {
	if len(j.classify) == 0 || j.demand.N == 0 {
		return
	}
	if j.load.open() {
		j.predictLoad()
		return
	}
	j.out.Prediction = j.predictAt(j.watched)
	if p := j.out.Prediction; p != nil {
		j.say(ofPrediction, "from all this, %s is expected to win", setupOf(&Cell{Model: p.Model, Concurrency: p.Concurrency}))
	}
}

// predictAt is the prediction for a demand on the controls' scale.
func (j *judgement) predictAt(d float64) *Prediction { return j.view.predictAt(j.load, d) }

// predicted is the cell that is expected to win, false while nothing is.
func (v *view) predicted(l *load) (plan.Cell, bool) {
	if l.memo.predicted == nil {
		l.memo.predicted = &plan.Cell{}
		if fs := l.counted(l.baseline(), plan.Classify, v.o); len(fs) > 0 {
			d := v.o.demand(fs, v.scale())
			if l.open() {
				d.scaled = d.Interval // what is needed is in processors
			}
			if p := v.predictAt(l, d.scaled.Value); p != nil {
				l.memo.predicted = &plan.Cell{Workload: l.w.Name, Model: p.Model, Concurrency: p.Concurrency}
			}
		}
	}
	return *l.memo.predicted, l.memo.predicted.Model != ""
}

func (v *view) predictAt(l *load, d float64) *Prediction {
	if l.open() {
		p, _ := v.arriving(l, stats.Interval{Value: d, Low: d, High: d})
		return p
	}
	g := v.guess(l)
	f := facts{
		o: v.o, demand: max(d, 0), cores: float64(l.cores),
		class: v.o.classAt(d), serial: g.serial, gil: g.gil, differs: v.differs(l),
	}
	for _, r := range rules() {
		if !r.when(f) {
			continue
		}
		c, gain := l.reached(r, f)
		known := fmt.Sprintf("demand %.2f, %.0f cores", f.demand, f.cores)
		if f.serial > 0 {
			known += fmt.Sprintf(", serial %.2f", f.serial)
		}
		if f.gil > 0 {
			known += fmt.Sprintf(", GIL %.2f", f.gil)
			r, c, gain = l.aroundGIL(r, f, c, gain)
		}
		return &Prediction{
			Model: c.Model, Concurrency: c.Concurrency, Speedup: gain, Rule: r.id,
			Why: fmt.Sprintf("%s (%s)", r.reason, known),
		}
	}
	return nil
}

// differs reports whether the contention probe's results are others than those of
// the classifying trials, which agree with each other. Where failures differ, so
// do results, and nothing is said; nor where workers of their own may be right.
func (v *view) differs(l *load) bool {
	f, ok := l.probeTrial(v.o)
	if !ok || l.w.NoDigest || l.w.Private || f.Record.FailedOps > 0 {
		return false
	}
	alone := l.counted(l.baseline(), plan.Classify, v.o)
	for _, a := range alone {
		if agree, n := f.Record.Digest.Compare(a.Record.Digest); agree || n == 0 || a.Record.FailedOps > 0 {
			return false
		}
		if same, _ := a.Record.Digest.Compare(alone[0].Record.Digest); !same {
			return false
		}
	}
	return len(alone) > 0
}

// aroundGIL replaces what a rule predicts where the GIL is in its way: by
// interpreters with a GIL each, if the plan has them and they are expected to
// gain more; by sequential, if an op that computes has nothing else to gain.
func (l *load) aroundGIL(r rule, f facts, c plan.Cell, gain float64) (rule, plan.Cell, float64) {
	if r.then == model.Sequential {
		return r, c, gain
	}
	free := f
	free.gil = 0
	for _, m := range []model.Model{model.Subinterpreters, model.Processes} {
		if !slices.ContainsFunc(l.w.Cells, func(c plan.Cell) bool { return c.Model == m }) {
			continue
		}
		apart := rule{
			id: "gil", then: m,
			reason: "threads take turns at the GIL, which an op holds while it computes, so only interpreters with a GIL each gain",
		}
		if other, more := l.reached(apart, free); more >= f.o.GILGain*gain {
			return apart, other, more
		}
		return r, c, gain // of two the simpler one speaks for both
	}
	if f.class == CPUBound && gain < f.o.GILGain {
		return rule{id: "one-gil", reason: "it computes holding the GIL, so threads take turns, and the plan has no model with more than one"}, l.baseline(), 1
	}
	return r, c, gain
}

// reached is the cell that a rule means: of its model, or of the simplest that
// can stand in for it, the least level of the plan, or of those that may be added
// above, that is enough, else the greatest. Its gain is a bound: Amdahl's for what
// is serial, the number of cores for what computes, the number in flight for what
// waits.
func (l *load) reached(r rule, f facts) (plan.Cell, float64) {
	if r.then == model.Sequential {
		return l.baseline(), 1
	}
	for _, m := range append([]model.Model{r.then}, model.All()[1:]...) {
		levels := l.levels(m)
		if len(levels) == 0 {
			continue
		}
		level := levels[len(levels)-1]
		if i := slices.IndexFunc(levels, func(n int) bool { return float64(n) >= f.enough() }); i >= 0 {
			level = levels[i]
		}
		gain := min(f.saturation(), float64(level), parallelism(m, l.cores)/max(f.demand, 0.001))
		if f.gil > 0 && l.sharesGIL(m) {
			gain = min(gain, 1/f.gil)
		}
		return plan.Cell{Workload: l.w.Name, Model: m, Concurrency: level}, max(gain, math.Min(1, f.saturation()))
	}
	return l.baseline(), 1
}

// compare holds the prediction against what was measured.
func (j *judgement) compare() {
	p, r := j.out.Prediction, j.out.Recommendation
	if r == nil {
		if p != nil && j.load.open() {
			j.compareLoad(p)
		}
		return
	}
	as := ""
	if p != nil {
		switch b := j.better(r, p); {
		case r.covers(p.Model, p.Concurrency):
			p.Agrees, as = true, ", as expected"
		case j.nearby(r, p) > 0:
			p.Agrees = true
			as = fmt.Sprintf(", as expected: %s was not measured to the end, and %d is the nearest level that was", setupOf(&Cell{Model: p.Model, Concurrency: p.Concurrency}), j.nearby(r, p))
		case b != nil:
			p.Agrees = true
			as = fmt.Sprintf("; %s, which was expected to win, does, at %s, but needs %s", setupOf(&Cell{Model: b.Model, Concurrency: b.Concurrency}), times(b.Speedup.Value), b.Declare)
		default:
			as = ", which is not what was expected"
			p.Why += ". The measurement disagrees, because " + j.disagreement(p, r)
		}
	}
	j.say(ofMeasurement, "measured by %s, the one to use is %s%s", j.objective(), setupOf(&Cell{Model: r.Model, Concurrency: r.Concurrency}), as)
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

// nearby is, where the predicted cell was not measured to the end and nothing
// shows that it loses, the nearest level of its model that was, if that is
// among the best; else 0. A level that was never reached, because those below it
// gained no more or the budget ended, loses if one on the way to it does.
func (j *judgement) nearby(r *Recommendation, p *Prediction) int {
	won := j.cell(plan.Cell{Model: r.Model, Concurrency: r.Concurrency})
	c := j.cell(plan.Cell{Model: p.Model, Concurrency: p.Concurrency})
	if won == nil || c != nil && (c.Trials >= j.o.MinBlocks || c.Status.Broken() || c.Status == record.WrongResult) {
		return 0
	}
	if c != nil {
		if seen := max(c.OpsPerSec.Median, c.Pilot); seen > 0 && seen*j.o.PilotFactor < won.OpsPerSec.Median {
			return 0
		}
	}
	if c == nil && j.lostOnTheWay(r, p, won) {
		return 0
	}
	near, least := 0, math.Inf(1)
	for i := range j.out.Cells {
		x := &j.out.Cells[i]
		if x.Model != p.Model || x.Trials < j.o.MinReps {
			continue
		}
		if d := math.Abs(math.Log2(float64(x.Concurrency) / float64(p.Concurrency))); d < least {
			near, least = x.Concurrency, d
		}
	}
	if near == 0 || !r.covers(p.Model, near) {
		return 0
	}
	return near
}

// lostOnTheWay reports whether some level of the predicted model between the best
// of its levels and the predicted one, which was not reached, shows that it loses.
func (j *judgement) lostOnTheWay(r *Recommendation, p *Prediction, won *Cell) bool {
	from := 0
	for i := range j.out.Cells {
		if c := &j.out.Cells[i]; c.Model == p.Model && r.covers(c.Model, c.Concurrency) {
			from = max(from, c.Concurrency)
		}
	}
	return slices.ContainsFunc(j.out.Cells, func(c Cell) bool {
		if c.Model != p.Model || c.Concurrency <= from || c.Concurrency > p.Concurrency {
			return false
		}
		seen := max(c.OpsPerSec.Median, c.Pilot)
		return c.Status.Broken() || c.Status == record.WrongResult || c.Trials >= j.o.MinBlocks || seen > 0 && seen*j.o.PilotFactor < won.OpsPerSec.Median
	})
}

// covers reports whether a cell is the recommended one or its equal.
func (r *Recommendation) covers(m model.Model, concurrency int) bool {
	return r.Model == m && r.Concurrency == concurrency ||
		slices.ContainsFunc(r.Ties, func(t Tie) bool { return t.Model == m && t.Concurrency == concurrency })
}

func (j *judgement) disagreement(p *Prediction, r *Recommendation) string {
	if j.load.open() {
		if why := j.disagreementLoad(p, r); why != "" {
			return why
		}
	}
	for i := range j.out.Cells {
		c := &j.out.Cells[i]
		if c.Model != p.Model || c.Concurrency != p.Concurrency {
			continue
		}
		if c.OpsPerSec.Median > 0 && c.Speedup.Value > 0 {
			return fmt.Sprintf("%s reached %s sequential and %s %s", setupOf(c), times(c.Speedup.Value), setupOf(&Cell{Model: r.Model, Concurrency: r.Concurrency}), times(r.Speedup.Value))
		}
		if c.Status == record.Eliminated {
			return fmt.Sprintf("%s was eliminated: %s", setupOf(c), c.Reason)
		}
		return fmt.Sprintf("%s could not be measured: %s", setupOf(c), c.Reason)
	}
	if slices.Contains(j.load.levels(p.Model), p.Concurrency) {
		return "so many in flight were not tried: fewer showed that more would not gain, or the budget held no more"
	}
	return "that cell is not in the plan"
}

// sameOnBothSides settles a class whose interval straddles a band: where the
// rules lead to the same recommendation at both ends of the interval, and the
// measurement bears it out, the class of the median stands, without
// confidence. It does not where looking stretched the op, for then the median
// itself is known to be off.
func (j *judgement) sameOnBothSides(r *Recommendation) {
	if j.verdict.between[0] == "" || j.stretched() > 1 {
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
