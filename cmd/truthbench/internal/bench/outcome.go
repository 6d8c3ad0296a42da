package bench

import (
	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A Setup is a model at a concurrency.
type Setup struct {
	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
}

// An Outcome is what a verdict said of an op.
type Outcome struct {
	Class       analyzer.Class         `json:"class"`
	Demand      float64                `json:"demand"`
	Interval    [2]float64             `json:"interval"`
	Wait        record.Wait            `json:"wait"`
	Limits      []analyzer.LimitKind   `json:"limits"`
	Recommended *Setup                 `json:"recommended"`
	Ties        []Setup                `json:"ties"`
	Undecided   string                 `json:"undecided,omitempty"`
	Predicted   *Setup                 `json:"predicted"`
	Agrees      bool                   `json:"agrees"`
	Observer    float64                `json:"observer_effect"`
	ElapsedNs   int64                  `json:"elapsed_ns"`
	Foreign     float64                `json:"foreign_share"`
	Statuses    map[record.Status]int  `json:"statuses"`
	Wrong       map[model.Model]string `json:"wrong,omitempty"`
	Run         string                 `json:"run"`
}

// outcomeOf takes out of a verdict what is held against the truth.
func outcomeOf(r *analyzer.Result) Outcome {
	w := &r.Workloads[0]
	o := Outcome{
		Class: w.Class, Demand: w.Demand, Interval: w.DemandInterval, Undecided: w.Undecided, Observer: w.ObserverEffect,
		ElapsedNs: r.Run.ElapsedNs, Foreign: r.Run.Noise.ForeignShare, Run: r.Run.ID,
		Statuses: make(map[record.Status]int), Wrong: make(map[model.Model]string),
	}
	most := 0.0
	for _, k := range record.Waits() {
		if share := w.Waits[k]; share > most {
			o.Wait, most = k, share
		}
	}
	for _, l := range w.Limits {
		o.Limits = append(o.Limits, l.Kind)
	}
	if p := w.Prediction; p != nil {
		o.Predicted, o.Agrees = &Setup{p.Model, p.Concurrency}, p.Agrees
	}
	if p := w.Recommendation; p != nil {
		o.Recommended = &Setup{p.Model, p.Concurrency}
		for _, t := range p.Ties {
			o.Ties = append(o.Ties, Setup{t.Model, t.Concurrency})
		}
	}
	for _, c := range w.Cells {
		o.Statuses[c.Status]++
		if c.Status == record.WrongResult {
			o.Wrong[c.Model] = c.Reason
		}
	}
	return o
}

// A Sweep is what every cell of an op did.
type Sweep struct {
	Cells     []SweptCell `json:"cells"`
	ElapsedNs int64       `json:"elapsed_ns"`
	Foreign   float64     `json:"foreign_share"`
}

// A SweptCell has the ops per second of its trials, in the order in which they
// ran.
type SweptCell struct {
	Setup
	Status  record.Status `json:"status"`
	Samples []float64     `json:"samples"`
}

func sweepOf(r *analyzer.Result) Sweep {
	s := Sweep{ElapsedNs: r.Run.ElapsedNs, Foreign: r.Run.Noise.ForeignShare}
	for _, c := range r.Workloads[0].Cells {
		s.Cells = append(s.Cells, SweptCell{Setup{c.Model, c.Concurrency}, c.Status, c.Samples})
	}
	return s
}
