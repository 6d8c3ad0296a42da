package analyzer

import (
	"fmt"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A stage is a link of the chain from the split to the verdict.
type stage string

const (
	ofSplit       stage = "split"
	ofWaits       stage = "waits"
	ofClass       stage = "class"
	ofSteps       stage = "steps"
	ofLimits      stage = "limits"
	ofNoise       stage = "noise"
	ofPrediction  stage = "prediction"
	ofMeasurement stage = "measurement"
)

// stages returns the links in the order in which they are told, which is not
// the order in which they are found out: limits need the noise floor.
func stages() []stage {
	return []stage{ofSplit, ofWaits, ofClass, ofSteps, ofLimits, ofNoise, ofPrediction, ofMeasurement}
}

// say adds a sentence to the evidence.
func (j *judgement) say(s stage, format string, args ...any) {
	if j.evidence == nil {
		j.evidence = make(map[stage][]string)
	}
	j.evidence[s] = append(j.evidence[s], fmt.Sprintf(format, args...))
}

// chain returns the evidence, link by link.
func (j *judgement) chain() []string {
	sentences := []string{}
	for _, s := range stages() {
		sentences = append(sentences, j.evidence[s]...)
	}
	return sentences
}

// chainStages returns the stage of each sentence of the chain.
func (j *judgement) chainStages() []string {
	var of []string
	for _, s := range stages() {
		for range j.evidence[s] {
			of = append(of, string(s))
		}
	}
	return of
}

// warn adds a doubt about the workload.
func (j *judgement) warn(id, remedy, format string, args ...any) {
	j.out.Warnings = append(j.out.Warnings, Warning{ID: id, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

// warnOnce is warn for what may be found again: the first stands for all.
func (j *judgement) warnOnce(id, remedy, format string, args ...any) {
	if !slices.ContainsFunc(j.out.Warnings, func(w Warning) bool { return w.ID == id }) {
		j.warn(id, remedy, format, args...)
	}
}

// warnOf adds a doubt that may concern several cells, or others of a kind.
// There is one warning of an ID: it begins with lead and lists them all.
func (j *judgement) warnOf(id, remedy, lead, format string, args ...any) {
	j.out.Warnings = listed(j.out.Warnings, Warning{ID: id, Message: lead, Remedy: remedy}, fmt.Sprintf(format, args...))
}

// listed adds an item to the warning of w's ID, which begins as w if it is
// the first.
func listed(ws []Warning, w Warning, item string) []Warning {
	for i := range ws {
		if ws[i].ID == w.ID {
			ws[i].Message += "; " + item
			return ws
		}
	}
	w.Message += ": " + item
	return append(ws, w)
}

// waitsFor returns the words for what an op waits for.
func (l *load) waitsFor(kind record.Wait) string {
	if l.w.Target.Kind == model.Python && kind == record.Channel {
		return "other threads or tasks"
	}
	switch kind {
	case record.Network:
		return "the network"
	case record.File:
		return "files"
	case record.Timer:
		return "timers"
	case record.Lock:
		return "locks"
	case record.Channel:
		return "other goroutines"
	case record.Subprocess:
		return "child processes"
	case record.GIL:
		return "the interpreter's lock"
	}
	return "something that its stacks do not tell"
}
