package analyzer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// Outcome is what a verdict says to a condition.
type Outcome string

// The outcomes.
const (
	Met       Outcome = "met"
	NotMet    Outcome = "not-met"
	Undecided Outcome = "undecided" // the verdict does not say, or its interval contains the bound
)

// An Answer is what a verdict says to one condition, with its numbers.
type Answer struct {
	Condition string  `json:"condition"`
	Outcome   Outcome `json:"outcome"`
	// Found is what was found in words: "io-bound", "0.83x (0.81 to 0.85)".
	Found string `json:"found,omitempty"`
	// Value, Low and High are the number that was compared, in base units.
	Value float64 `json:"value,omitempty"`
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`
	Why   string  `json:"why,omitempty"` // of an answer that is undecided
}

// Standing says what becomes of a claim on the machine of the run.
type Standing string

// The standings.
const (
	Supported Standing = "supported"
	Refuted   Standing = "refuted"
	Open      Standing = "undecided"
)

// A Claim is what was said of a workload, and what the verdict says to it.
type Claim struct {
	Says     string   `json:"says"`
	Standing Standing `json:"standing"`
	Answer
	Because string `json:"because,omitempty"` // the verdict's own reason
}

// Ask answers conditions on every workload instead of those that the run began
// with. It returns an error for a condition that cannot be read.
func (res *Result) Ask(conditions []string) error {
	for _, text := range conditions {
		if _, err := workload.ParseCondition(text); err != nil {
			return err
		}
	}
	for i := range res.Workloads {
		w := &res.Workloads[i]
		w.Gate = w.answers(conditions)
	}
	return nil
}

// answers answers conditions in their order. One that cannot be read is
// undecided.
func (w *Workload) answers(conditions []string) []Answer {
	var out []Answer
	for _, text := range conditions {
		out = append(out, w.answer(text))
	}
	return out
}

func (w *Workload) answer(text string) Answer {
	c, err := workload.ParseCondition(text)
	if err != nil {
		return Answer{Condition: text, Outcome: Undecided, Why: err.Error()}
	}
	a := Answer{Condition: c.String()}
	switch c.Subject {
	case workload.SubjectClass:
		a.Found = string(w.Class)
		switch {
		case w.Class == Inconclusive && c.Word != string(Inconclusive):
			a.Outcome, a.Why = Undecided, "the class is inconclusive"
		case w.Between[0] != "" && w.Class != Inconclusive:
			a.Outcome, a.Why = Undecided, fmt.Sprintf("the demand's interval lies between %s and %s", w.Between[0], w.Between[1])
		default:
			a.holds(c, c.Word == a.Found)
		}
	case workload.SubjectRecommendation:
		w.answerRecommendation(&a, c)
	case workload.SubjectLimit:
		w.answerLimit(&a, c)
	case workload.SubjectFailures:
		if a.Found = w.Failures; a.Found == "" {
			a.Outcome, a.Why = Undecided, "fewer than two models ran ops"
			break
		}
		a.holds(c, c.Word == a.Found)
	case workload.SubjectRegression:
		a.Outcome, a.Why = Undecided, "there is no baseline to compare with"
	default:
		in, why := w.measured(c)
		if why != "" {
			a.Outcome, a.Why = Undecided, why
			break
		}
		a.compare(c, in)
	}
	return a
}

// holds sets the outcome of a comparison of words.
func (a *Answer) holds(c workload.Condition, equal bool) {
	if a.Outcome = NotMet; equal == (c.Op == "==") {
		a.Outcome = Met
	}
}

func (w *Workload) answerRecommendation(a *Answer, c workload.Condition) {
	r := w.Recommendation
	switch {
	case r == nil && c.Word == workload.None:
		a.Found = workload.None
		a.holds(c, true)
	case r == nil:
		a.Found, a.Outcome, a.Why = workload.None, Undecided, w.Undecided
	default:
		a.Found = setupOf(&Cell{Model: r.Model, Concurrency: r.Concurrency})
		a.holds(c, c.Word == string(r.Model))
	}
}

func (w *Workload) answerLimit(a *Answer, c workload.Condition) {
	if len(w.Evidence) == 0 || w.Demand == 0 && w.DemandInterval == [2]float64{} {
		a.Outcome, a.Why = Undecided, "no sequential trial finished, so no limit could be seen"
		return
	}
	a.Found = workload.None
	for i, l := range w.Limits {
		if i == 0 {
			a.Found = ""
		} else {
			a.Found += ", "
		}
		a.Found += string(l.Kind)
	}
	has := slices.ContainsFunc(w.Limits, func(l Limit) bool { return string(l.Kind) == c.Word })
	if kind, why := w.unseen(c.Word); why != "" && !has && (c.Word != workload.None || len(w.Limits) == 0) {
		a.Outcome, a.Why = Undecided, fmt.Sprintf("%s could not be looked for: %s", kind, why)
		return
	}
	a.holds(c, has || c.Word == workload.None && len(w.Limits) == 0)
}

// measured returns the number that a condition is about with its interval, or
// why there is none.
func (w *Workload) measured(c workload.Condition) (Interval, string) {
	exact := func(v float64) Interval { return Interval{Value: v, Low: v, High: v, Level: 1} }
	r := w.Recommendation
	switch {
	case c.Subject == workload.SubjectDemand:
		if w.Confidence == 0 && w.DemandInterval == [2]float64{} {
			return Interval{}, "no sequential trial finished"
		}
		if w.Untold != "" {
			return Interval{}, w.Untold
		}
		return Interval{Value: w.Demand, Low: w.DemandInterval[0], High: w.DemandInterval[1], Level: 1}, ""
	case w.Load != nil && (c.Model != "" || c.Subject == workload.SubjectSpeedup):
		return Interval{}, "ops arrive at a fixed rate whatever the model, so there is no speedup"
	case c.Model != "":
		return w.speedupOf(c.Model)
	case r == nil:
		return Interval{}, "nothing is recommended: " + w.Undecided
	case c.Subject == workload.SubjectConcurrency:
		return exact(float64(r.Concurrency)), ""
	case c.Subject == workload.SubjectSpeedup:
		return r.Speedup, ""
	}
	for i := range w.Cells {
		if cell := &w.Cells[i]; cell.Model == r.Model && cell.Concurrency == r.Concurrency {
			m := workload.Metric(c.Subject)
			if v := valueOf(m, cell); v > 0 {
				return exact(v), ""
			}
			return Interval{}, fmt.Sprintf("the %s of %s is not known", m, setupOf(cell))
		}
	}
	return Interval{}, "the recommended cell is not in the result"
}

// speedupOf returns the speedup of the best cell of a model. Of a cell that
// was eliminated, and of one that has only a pilot, there is none.
func (w *Workload) speedupOf(m model.Model) (Interval, string) {
	var best *Cell
	why := "the plan does not have " + string(m)
	for i := range w.Cells {
		c := &w.Cells[i]
		switch {
		case c.Model != m:
		case c.Status == record.WrongResult:
			why = fmt.Sprintf("the results of %s are wrong", setupOf(c))
		case c.Trials == 0 || c.Speedup.Value == 0:
			if best == nil {
				why = fmt.Sprintf("%s is %s", setupOf(c), c.Status)
				if c.Reason != "" {
					why += ": " + c.Reason
				}
			}
		case best == nil || better(c, best):
			best = c
		}
	}
	if best == nil {
		return Interval{}, why
	}
	if best.Status == record.Eliminated {
		return Interval{}, fmt.Sprintf("%s was eliminated after %d trials, at %s, and an interval of what was left early is not claimed: ask for it with a gate or a claim before it is measured, or --exhaustive", setupOf(best), best.Trials, times(best.Speedup.Value))
	}
	return best.Speedup, ""
}

// better prefers cells with trials enough for an interval, then the faster.
func better(a, b *Cell) bool {
	if sure := a.Speedup.Level > 0; sure != (b.Speedup.Level > 0) {
		return sure
	}
	return a.Speedup.Value > b.Speedup.Value
}

// compare holds an interval against a bound: it must lie wholly on one side.
func (a *Answer) compare(c workload.Condition, in Interval) {
	a.Value, a.Low, a.High = in.Value, in.Low, in.High
	a.Found = toldValue(c, in)
	low, high := c.Admits(in.Low), c.Admits(in.High)
	switch {
	case in.Level == 0:
		a.Outcome, a.Why = Undecided, fmt.Sprintf("%d trials are too few for an interval", in.N)
	case low && high:
		a.Outcome = Met
	case !low && !high:
		a.Outcome = NotMet
	default:
		a.Outcome, a.Why = Undecided, "the interval contains the bound"
	}
}

// toldValue writes an interval in the unit of a condition.
func toldValue(c workload.Condition, in Interval) string {
	write := quantity.Digits
	switch c.Subject {
	case workload.SubjectSpeedup:
		write = times
	case workload.SubjectDemand:
		write = quantity.Fraction
	case workload.SubjectConcurrency:
		write = func(v float64) string { return fmt.Sprintf("%.0f", v) }
	default:
		write = func(v float64) string { return inUnit(workload.Constraint{Metric: workload.Metric(c.Subject)}, v) }
	}
	if in.Low == in.High {
		return write(in.Value)
	}
	return fmt.Sprintf("%s (%s to %s)", write(in.Value), write(in.Low), write(in.High))
}

// judgeClaim says whether what was said of the workload is so here, and why.
func (j *judgement) judgeClaim() {
	c := j.load.w.Claim
	if c == nil {
		return
	}
	a := j.out.answer(c.Expect)
	out := &Claim{Says: c.Says, Answer: a, Standing: Open}
	switch a.Outcome {
	case Met:
		out.Standing = Supported
	case NotMet:
		out.Standing = Refuted
	}
	out.Because = j.because(c.Expect)
	j.out.Claim = out
}

// because is the sentence of the evidence that explains best what a claim is
// about: the loop where a stall is meant or stands in the event loop's way; the
// GIL where it is meant, or where an op computes or hardly gains by it; else
// what the op waits for, else its class.
func (j *judgement) because(expect string) string {
	c, err := workload.ParseCondition(expect)
	if err != nil {
		return ""
	}
	find := func(s stage, word string) string {
		for _, e := range j.evidence[s] {
			if strings.Contains(e, word) {
				return e
			}
		}
		return ""
	}
	stall := c.Model == model.EventLoop || c.Word == string(LimitLoopStall) || c.Word == string(model.EventLoop)
	gil := j.out.GIL != nil && (c.Word == string(LimitGIL) || j.out.Class == CPUBound || slices.ContainsFunc(j.out.Limits, func(l Limit) bool { return l.Kind == LimitGIL }))
	var best string
	switch {
	case stall && j.out.Loop != nil && j.out.Loop.Stalls:
		best = find(ofLimits, "event loop")
	case gil:
		best = find(ofLimits, "GIL")
	case c.Subject == workload.SubjectLimit:
		best = find(ofLimits, "")
	}
	return cmp.Or(best, find(ofWaits, ""), find(ofClass, ""))
}

// askedFor returns the models that a workload's gate or claim is about: their
// best cells are measured to the end.
func askedFor(w *plan.Workload) []model.Model {
	texts := slices.Clone(w.Gate)
	if w.Claim != nil {
		texts = append(texts, w.Claim.Expect)
	}
	var ms []model.Model
	for _, text := range texts {
		c, err := workload.ParseCondition(text)
		if err != nil {
			continue
		}
		if c.Subject == workload.SubjectRecommendation && c.Word != workload.None {
			c.Model = model.Model(c.Word)
		}
		if c.Model != "" && c.Model != model.Sequential && !slices.Contains(ms, c.Model) {
			ms = append(ms, c.Model)
		}
	}
	return ms
}
