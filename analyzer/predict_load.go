package analyzer

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// An offer is what ops that arrive at a rate ask for, by the sequential profile:
// in flight are, by Little's law, rate x time of an op, and these take as many
// processors, and as much of what only one at a time can have, as that number
// times the share of its time for which an op does.
type offer struct {
	facts
	rate   float64 // arrivals, per second
	opNs   float64 // of an op alone, run-queue delay apart
	flying float64 // ops in flight on average: rate x opNs
	// crowd is how many are in flight, itself included, when all but Crowded of
	// the ops arrive: with so many workers no more ops than that wait for one. It
	// is 0 where more are than any model may have.
	crowd int
	alone record.Histogram // times of ops alone
	low   float64          // bounds of the demand, which is as the clocks read it
	high  float64
}

// A need is what the offer takes of something under one model.
type need struct {
	// low and high bound the share of what there is: above 1 it is not enough.
	low, high float64
	text      string // "1.6 of 2 processors"
}

// over reports whether a need cannot be met: so much would be left undone that
// no cell could be said to hold the rate. met reports whether it can.
func (n need) over(o Options) bool { return n.low*o.HeldShare > 1 }
func (n need) met(o Options) bool  { return n.high <= 1-o.Tie }

// offer returns what is known of the ops that arrive, false where that is not
// enough: where no op alone was timed.
func (v *view) offer(l *load, d stats.Interval) (offer, bool) {
	g := v.guess(l)
	f := offer{
		facts: facts{o: v.o, demand: max(d.Value, 0), cores: float64(l.cores), serial: g.serial, gil: g.gil, differs: v.differs(l)},
		rate:  l.w.Rate, opNs: g.wallNs, flying: l.w.Rate * g.wallNs / 1e9,
		low: max(d.Low, 0), high: max(d.High, 0),
	}
	for _, t := range l.counted(l.baseline(), plan.Classify, v.o) {
		f.alone.Merge(t.Record.Latency)
	}
	if f.alone.N == 0 || f.rate <= 0 {
		return f, false
	}
	f.crowd = crowd(f.alone.Buckets(), f.opNs/max(f.alone.Mean(), 1), f.rate, v.o.Crowded, max(l.highest(), plan.MaxAdded))
	return f, true
}

// highest is the most ops in flight that a cell of the plan has.
func (l *load) highest() int {
	most := 1
	for _, c := range l.w.Cells {
		most = max(most, c.Concurrency)
	}
	return most
}

// crowd returns the least number c such that an op which arrives is, with
// probability 1 - crowded, one of at most c in flight; 0 if that is above most.
//
// Ops arrive evenly, and how long one takes does not depend on the others, so
// the k-th op before an arrival is still in flight if it takes longer than k
// gaps: the number of those is a sum of independent coin tosses (a queue
// D/G/infinity). Its mean is Little's rate x time, and what is beyond the mean
// comes of times that differ. times are those of ops alone, each multiplied by
// scale, which takes their run-queue delay out.
func crowd(times []record.Bucket, scale, ratePerSec, crowded float64, most int) int {
	var all int64
	for _, b := range times {
		all += b.N
	}
	left, i := all, 0 // ops that take longer than the gaps so far
	sure := 1         // the op itself, and those that are in flight for certain
	// flying[n] is the probability that n of the others are in flight; none of
	// those in which they are more than most is kept.
	flying := []float64{1}
	for k := 1; ; k++ {
		gaps := float64(k) * 1e9 / ratePerSec
		for i < len(times) && float64(times[i].Value)*scale <= gaps {
			left -= times[i].N
			i++
		}
		p := float64(left) / float64(max(all, 1))
		switch {
		case p <= 0:
			return reach(flying, sure, 1-crowded, most)
		case p >= 1:
			if sure++; sure > most {
				return 0
			}
			continue
		}
		if len(flying) <= most-sure {
			flying = append(flying, 0)
		}
		for n := len(flying) - 1; n > 0; n-- {
			flying[n] = flying[n]*(1-p) + flying[n-1]*p
		}
		flying[0] *= 1 - p
		// More ops only add to them.
		if reach(flying, sure, 1-crowded, most) == 0 {
			return 0
		}
	}
}

// reach returns the least number of ops in flight below or at which a share of
// the probability lies, 0 if that is above most.
func reach(flying []float64, sure int, share float64, most int) int {
	var sum float64
	for n, p := range flying {
		if sum += p; sum >= share && sure+n <= most {
			return sure + n
		}
	}
	return 0
}

// enough is the least number in flight with which a cell is expected to hold the
// rate: where a tail is asked for, one that leaves no tail to the waiting for a
// worker, and something to spare, for little more time an op would make a queue of
// workers that are always busy; else the mean that Little's law tells. It is 0
// where that is more than any model may have.
func (f offer) enough(tail bool) int {
	switch {
	case !tail:
		return max(int(math.Ceil(f.flying*f.o.HeldShare)), 1)
	case f.crowd == 0:
		return 0
	}
	return max(f.crowd, int(math.Ceil(f.flying/(1-f.o.Tie))))
}

// needs lists what a model would need to hold the rate.
func (f offer) needs(l *load, m model.Model) []need {
	of := func(what string, share, low, high, has float64) need {
		return need{f.flying * low / has, f.flying * high / has, fmt.Sprintf("%.2g of %s", f.flying*share, what)}
	}
	has := parallelism(m, l.cores)
	what := "one processor"
	if has > 1 {
		what = fmt.Sprintf("%.0f processors", has)
	}
	ns := []need{of(what, f.demand, f.low, f.high, has)}
	if f.gil > 0 && l.sharesGIL(m) {
		ns = append(ns, of("one GIL", f.gil, f.gil, f.gil, 1))
	}
	if f.serial > 0 && !(apart(m) && l.w.Private) {
		ns = append(ns, of("what serves one at a time", f.serial, f.serial, f.serial, 1))
	}
	return ns
}

// arriving predicts which cell holds the rate at which ops arrive: the simplest
// model that has what they need, at the least level that is enough. It returns no
// prediction, and why, where the profile cannot say.
func (v *view) arriving(l *load, d stats.Interval) (*Prediction, string) {
	f, ok := v.offer(l, d)
	if !ok {
		return nil, "no op alone was timed"
	}
	tail := v.tailOps(l) > 1
	none := func(rule, format string, args ...any) *Prediction {
		return &Prediction{Rule: rule, Why: fmt.Sprintf(format, args...) + " (" + f.known(l, model.Pool) + ")"}
	}
	if c, t, broken := f.breaks(v.limits(l)); broken {
		return none("bound", "an op alone already takes %s, more than %s allows", t, c), ""
	}
	level := f.enough(tail)
	if level == 1 {
		return f.one(l), ""
	}
	if f.differs {
		return none("differs", "with others in flight ops return something else than alone, and one at a time does not hold %s", l.rateText()), ""
	}
	short, without := 0, "" // the most in flight of a model that has what is needed; what the first of the others lacks
	near := ""              // what is just about enough
	var most *plan.Cell     // the first that keeps up with the most that the plan has in flight
	for _, m := range model.All()[1:] {
		levels, needs := l.levels(m), f.needs(l, m)
		if len(levels) == 0 {
			continue
		}
		if k := slices.IndexFunc(needs, func(n need) bool { return n.over(v.o) }); k >= 0 {
			without = cmp.Or(without, needs[k].text)
			continue
		}
		top := levels[len(levels)-1]
		i := slices.IndexFunc(levels, func(n int) bool { return level > 0 && n >= level })
		if i < 0 { // some wait for a worker
			w := need{f.flying / float64(top), f.flying / float64(top), fmt.Sprintf("%.2g of %d workers", f.flying, top)}
			if w.over(v.o) {
				short = max(short, top)
				continue
			}
			needs = append(needs, w)
		}
		switch k := slices.IndexFunc(needs, func(n need) bool { return !n.met(v.o) }); {
		case k >= 0:
			near = cmp.Or(near, fmt.Sprintf("%s takes %s, too near to all of it to say whether %s holds the rate", l.rateText(), needs[k].text, m))
		case i < 0 && most == nil:
			most = &plan.Cell{Workload: l.w.Name, Model: m, Concurrency: top}
		case i >= 0 && near == "":
			return f.holds(l, plan.Cell{Workload: l.w.Name, Model: m, Concurrency: levels[i]}, without, tail), ""
		}
	}
	switch {
	case near != "":
		return nil, near
	case most != nil:
		return &Prediction{Model: most.Model, Concurrency: most.Concurrency, Rule: "most",
			Why: "it keeps up, but some ops wait for a worker, and the plan has no more of them (" + f.known(l, most.Model) + ")"}, ""
	case short > 0 && level > 0:
		return none("in-flight", "%d in flight are needed, and the plan has at most %d", level, short), ""
	case short > 0:
		return none("in-flight", "more in flight are needed than the %d that the plan has at most", short), ""
	case without != "":
		return none("over", "%s takes %s", l.rateText(), without), ""
	}
	return none("in-flight", "%.2g in flight are needed, and the plan has sequential only", f.flying), ""
}

// predictLoad says which cell should hold the rate, or that none should, or why
// the profile cannot say.
func (j *judgement) predictLoad() {
	p, why := j.arriving(j.load, j.demand.Interval)
	j.out.Prediction = p
	switch {
	case p == nil:
		j.say(ofPrediction, "nothing is predicted: %s", why)
	case p.Model == "":
		j.say(ofPrediction, "no cell is expected to hold %s: %s", j.load.rateText(), p.Why)
	default:
		j.say(ofPrediction, "%s is expected to hold %s: %s", setupOf(&Cell{Model: p.Model, Concurrency: p.Concurrency}), j.load.rateText(), p.Why)
	}
}

// one predicts that one op after another holds the rate.
func (f offer) one(l *load) *Prediction {
	c := l.baseline()
	return &Prediction{Model: c.Model, Concurrency: c.Concurrency, Rule: "one", Why: "one op at a time keeps up (" + f.known(l, c.Model) + ")"}
}

// holds predicts that a cell holds the rate. without is what the simpler models
// lack, "" for nothing; tail says whether its p99 matters.
func (f offer) holds(l *load, c plan.Cell, without string, tail bool) *Prediction {
	rule, why := "enough", "it is the simplest model that has what the ops need, at the least level "
	if without != "" {
		rule, why = "wider", "simpler models would need "+without+"; at the least level "
	}
	if tail {
		why += "at which hardly any op finds all workers busy"
	} else {
		why += "that keeps up"
	}
	if apart(c.Model) && !l.w.Private {
		why += "; it may be used only if ops share nothing (state: private)"
	}
	return &Prediction{Model: c.Model, Concurrency: c.Concurrency, Rule: rule, Why: why + " (" + f.known(l, c.Model) + ")"}
}

// known are the numbers that a prediction for a model rests on.
func (f offer) known(l *load, m model.Model) string {
	s := fmt.Sprintf("%s x %s = %.2g in flight", l.rateText(), quantity.Duration(f.opNs), f.flying)
	if f.crowd > 0 {
		s += fmt.Sprintf(", at most %d for all but %.0f %% of arrivals", f.crowd, 100*f.o.Crowded)
	}
	for _, n := range f.needs(l, m) {
		s += ", " + n.text
	}
	return s
}

// breaks returns the first bound on latency that an op alone already breaks, and
// its time: no load makes it shorter. What takes longer because it was profiled
// is allowed for.
func (f offer) breaks(limits []workload.Constraint) (bound, took string, broken bool) {
	typical := float64(f.alone.Quantile(0.5)) / f.o.ObserverEffect
	for _, c := range limits {
		switch c.Metric {
		case workload.MetricP50, workload.MetricP95, workload.MetricP99:
			if typical > c.Limit {
				return c.String(), quantity.Duration(typical), true
			}
		}
	}
	return "", "", false
}

// compareLoad holds a prediction against what was measured where nothing is
// recommended: that no cell holds the rate, or one that may not be used for what
// the workload does not declare.
func (j *judgement) compareLoad(p *Prediction) {
	if j.noisy(j.noise) != "" {
		return
	}
	if p.Model != "" {
		c := j.cell(plan.Cell{Model: p.Model, Concurrency: p.Concurrency})
		if c != nil && c.Load != nil && c.Load.Holds && apart(c.Model) && !j.load.w.Private {
			p.Agrees = true
			j.say(ofMeasurement, "%s holds %s, as expected, but may be used only if ops share nothing: then declare state: private", setupOf(c), j.load.rateText())
		}
		return
	}
	held, measured := "", false
	for i := range j.out.Cells {
		c := &j.out.Cells[i]
		if c.Load == nil || apart(c.Model) && !j.load.w.Private {
			continue
		}
		measured = true
		reason, known := unmet(j.view.limits(j.load), c)
		switch {
		case !c.Load.Holds || p.Rule == "bound" && known && reason != "":
		case p.Rule == "bound" && !known:
			return
		default:
			held = cmp.Or(held, setupOf(c))
		}
	}
	switch {
	case !measured:
	case held != "":
		p.Why += ". The measurement disagrees, because " + held + " does"
	case p.Rule == "bound":
		p.Agrees = true
		j.say(ofMeasurement, "no cell keeps the bound, as expected")
	default:
		p.Agrees = true
		j.say(ofMeasurement, "no cell holds %s, as expected", j.load.rateText())
	}
}

// disagreementLoad says why the cell that was expected to hold the rate is not
// the recommended one.
func (j *judgement) disagreementLoad(p *Prediction, r *Recommendation) string {
	won := j.cell(plan.Cell{Model: r.Model, Concurrency: r.Concurrency})
	c := j.cell(plan.Cell{Model: p.Model, Concurrency: p.Concurrency})
	switch {
	case won == nil:
		return ""
	case p.Model == "":
		return fmt.Sprintf("%s holds %s", setupOf(won), j.load.rateText())
	case c == nil || c.Load == nil:
		return ""
	case !c.Load.Holds:
		return fmt.Sprintf("%s does not hold %s: %s", setupOf(c), j.load.rateText(), c.Load.Reason)
	case j.objective() == string(workload.Latency) && c.Latency.P99 > 0:
		return fmt.Sprintf("%s has a p99 of %s and %s of %s", setupOf(c), quantity.Duration(float64(c.Latency.P99)), setupOf(won), quantity.Duration(float64(won.Latency.P99)))
	}
	return fmt.Sprintf("%s is not the best by %s, or not the simplest of equals", setupOf(c), j.objective())
}
