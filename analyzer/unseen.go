package analyzer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/workload"
)

// unseen notes that limits could not be looked for, and why. That a verdict has
// none of them says nothing then, and conditions on them are undecided.
func (j *judgement) unseen(why string, kinds ...LimitKind) {
	if j.out.Unseen == nil {
		j.out.Unseen = make(map[LimitKind]string)
	}
	for _, k := range kinds {
		j.out.Unseen[k] = why
	}
}

// unseenKinds are the limits that may be unseen, in the order in which they are
// told.
func unseenKinds() []LimitKind {
	return []LimitKind{LimitLock, LimitGIL, LimitGC, LimitDownstream, LimitOversubscription}
}

// unseen returns why a limit could not be looked for, or of "none" the first that
// could not; why is "" if it was.
func (w *Workload) unseen(word string) (kind LimitKind, why string) {
	for _, k := range unseenKinds() {
		if why := w.Unseen[k]; why != "" && (word == string(k) || word == workload.None) {
			return k, why
		}
	}
	return "", ""
}

// sayUnseen tells of the limits that could not be looked for, those with one
// reason together.
func (j *judgement) sayUnseen() {
	byReason := make(map[string][]string)
	var reasons []string
	for _, k := range unseenKinds() {
		why := j.out.Unseen[k]
		if why == "" || slices.ContainsFunc(j.out.Limits, func(l Limit) bool { return l.Kind == k }) {
			continue
		}
		if byReason[why] == nil {
			reasons = append(reasons, why)
		}
		byReason[why] = append(byReason[why], string(k))
	}
	for _, why := range reasons {
		j.say(ofLimits, "these limits could not be looked for: %s (%s)", strings.Join(byReason[why], ", "), why)
	}
}

// unprobed says why there is no contention probe that counts, "" where none is
// called for: ops that are processes of their own share no lock.
func (j *judgement) unprobed() string {
	_, hung := j.load.hung(j.o)
	switch {
	case j.load.w.Target.Kind == model.Command:
		return ""
	case hung:
		return "the contention probe did not end"
	case len(j.load.probeCells(j.o)) == 0:
		return "no model of the plan has several ops in flight in one process"
	}
	return "the contention probe did not finish, or the budget did not hold it"
}

// uncurved says why limits cannot be read off curves, "" if they can.
func (j *judgement) uncurved() string {
	if why := j.noisy(j.noise); why != "" {
		return why
	}
	switch l := j.load; {
	case l.open():
		return fmt.Sprintf("ops arrive at %s whatever the model", l.rateText())
	case l.w.MaxRate > 0:
		return "max_rate bounds the throughput"
	case !slices.ContainsFunc(curved(), func(m model.Model) bool { return len(j.curve(m)) > 1 }):
		return "no two levels of pool, goroutines or threads were measured"
	}
	return ""
}
