package analyzer

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/concprof/concprof/analyzer/exectrace"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A Trace is what Go's execution tracer saw of ops that ran one after another,
// beside the wall profiles. Shares are of an op's time.
type Trace struct {
	// Skipped says why there is none, or why it tells nothing; "" if it does.
	Skipped string `json:"skipped,omitempty"`
	Trial   string `json:"trial,omitempty"` // whose folder has it
	// WindowNs is the time of the ops that it shows.
	WindowNs int64 `json:"window_ns,omitempty"`
	// Running and Runnable are how long the op's goroutine ran, and was ready to
	// but did not; GCAssist is the part of Running in which it helped the garbage
	// collector, GCWait how long it was parked for that.
	Running  float64 `json:"running"`
	Runnable float64 `json:"runnable"`
	GCAssist float64 `json:"gc_assist"`
	GCWait   float64 `json:"gc_wait"`
	// Waits split the blocked time of Workload.Split by what the op's goroutine
	// was parked in. Resolved charges waits for another goroutine to what that one
	// waited for meanwhile.
	Waits    map[record.Wait]float64 `json:"waits,omitempty"`
	Resolved map[record.Wait]float64 `json:"resolved,omitempty"`
	// Difference is the share of the time that the wall profiles charge to other
	// waits than Waits or Resolved do, whichever is nearer to them.
	Difference float64 `json:"difference"`
	// Moved is the share that Workload.Waits has from Resolved: the wall profiles
	// tell of it only that another goroutine was waited for.
	Moved float64 `json:"moved,omitempty"`
}

// traces runs ops under the execution tracer.
func (v *view) traces(l *load) step {
	c := l.baseline()
	if _, ended := l.ended(); ended || !l.w.Trace || len(l.counted(c, plan.Classify, v.o)) == 0 {
		return step{}
	}
	if len(l.slots[slot{cell: c, pass: plan.Tracing}]) > 0 {
		return step{} // what disturbs a trial makes it longer, and its waits no other
	}
	g, share := v.guess(l), int64(v.o.TraceShare*float64(l.w.BudgetNs))-v.overhead(l, false)
	forNs := min(share, int64(v.o.MaxTraced))
	t, ok := l.timed(plan.Trial{Cell: c, Pass: plan.Tracing}, 1e9/g.wallNs, forNs, 1, v.o.TraceShare)
	if !ok || forNs < int64(v.o.MinTraced) || int64(g.wallNs) > share || share > v.left(l)-v.reserve(l) {
		return step{}
	}
	return step{trial: t, why: fmt.Sprintf("%s: sequential under the execution tracer, for what it waits for", l.w.Name)}
}

// judgeTrace holds the trace against the wall profiles, and completes what they
// say of waits.
func (j *judgement) judgeTrace() {
	if !j.load.w.Trace {
		return
	}
	t := &Trace{}
	j.out.Trace = t
	a, problem := j.account()
	if problem != "" {
		t.Skipped = problem
		return
	}
	attempts := j.load.slots[slot{cell: j.load.baseline(), pass: plan.Tracing}]
	all := float64(a.Direct.Samples)
	t.Trial, t.WindowNs = attempts[0].Trial.ID, a.Direct.Samples
	t.Running, t.Runnable = float64(a.Direct.Running)/all, float64(a.Direct.Runnable)/all
	t.GCAssist, t.GCWait = float64(a.AssistNs)/all, float64(a.Direct.GC)/all
	// How much is blocked comes from clocks, for both.
	blocked := j.out.Split.Blocked
	t.Waits, t.Resolved = looks{a.Direct}.waits(blocked), looks{a.Resolved}.waits(blocked)
	if j.looks.Samples == 0 {
		return // there is nothing to hold it against
	}
	t.Difference = min(apartBy(j.out.Waits, t.Waits), apartBy(j.out.Waits, t.Resolved))
	if t.Difference > j.o.TraceDiff {
		j.warn(WarnWaits, "look at trials/"+t.Trial+"/"+record.TraceFile+" with go tool trace: one of them misreads the op, or its ops differ from one trial to the next",
			"the wall profiles say that an op waits for %s, an execution trace for %s: they differ in %.0f %% of its time",
			shares(j.out.Waits), shares(t.Waits), 100*t.Difference)
		return
	}
	t.Moved = resolve(j.out.Waits, t)
}

// account reads the trace, or says why there is none.
func (j *judgement) account() (*exectrace.Account, string) {
	attempts := j.load.slots[slot{cell: j.load.baseline(), pass: plan.Tracing}]
	if len(attempts) == 0 {
		return nil, "the run, or its share of the budget, ended before it"
	}
	f := &attempts[0]
	if !usable(&f.Record) {
		return nil, "its trial did not finish: " + cmp.Or(reasonOf(&f.Record), "every op failed")
	}
	for i := range f.Record.Profiles {
		p := &f.Record.Profiles[i]
		if p.Kind != record.ExecutionTrace {
			continue
		}
		if p.Problem != "" || p.File == "" {
			return nil, cmp.Or(p.Problem, "no trace was written")
		}
		data, problem := j.readFile(f, p)
		if problem != "" {
			return nil, problem
		}
		a, err := exectrace.Read(data)
		if err != nil {
			return nil, err.Error()
		}
		return a, ""
	}
	return nil, "its trial left none"
}

// apartBy is the share of the time that two splits charge to different waits.
func apartBy(a, b map[record.Wait]float64) float64 {
	sum := 0.0
	for _, k := range record.Waits() {
		sum += math.Abs(a[k] - b[k])
	}
	return sum / 2
}

// resolve moves what the trace saw of waits for other goroutines to what those
// waited for outside of the process: a client library reads its socket in a
// goroutine of its own, and its caller waits for the network. What such a
// goroutine does by itself, sleep or take its turn, stays a wait for it, for
// that is where the op can be changed. It returns the share that it moved.
func resolve(waits map[record.Wait]float64, t *Trace) float64 {
	if t.Waits[record.Channel] <= 0 {
		return 0
	}
	channel, moved := waits[record.Channel], 0.0
	for _, k := range []record.Wait{record.Network, record.File, record.Subprocess} {
		part := channel * min(max(t.Resolved[k]-t.Waits[k], 0)/t.Waits[record.Channel], 1)
		part = min(part, channel-moved)
		waits[k] += part
		moved += part
	}
	waits[record.Channel] = channel - moved
	return moved
}

// sayTrace adds what the trace says to the evidence.
func (j *judgement) sayTrace() {
	t := j.out.Trace
	if t == nil || t.Skipped != "" {
		return
	}
	agrees := "which agrees"
	switch {
	case j.looks.Samples == 0:
		agrees = "and no wall profile to hold that against"
	case t.Difference > j.o.TraceDiff:
		agrees = fmt.Sprintf("which differs in %.0f %% of its time", 100*t.Difference)
	}
	if parked := shares(t.Waits); parked != "" && j.out.Split.Blocked >= j.o.LoopStall {
		through := ""
		if behind := shares(t.Resolved); behind != parked {
			through = "; with the goroutines behind channels followed: " + behind
		}
		j.say(ofWaits, "by an execution trace it waits for: %s, %s%s", parked, agrees, through)
	}
	if gc := t.GCAssist + t.GCWait; gc >= j.o.LoopStall {
		j.say(ofWaits, "by an execution trace %.0f %% of its time go into helping the garbage collector, and %.0f %% into waiting for it", 100*t.GCAssist, 100*t.GCWait)
	}
}

// shares lists waits of at least one percent, "network 93 %, timer 4 %".
func shares(waits map[record.Wait]float64) string {
	var parts []string
	for _, k := range record.Waits() {
		if s := waits[k]; s >= 0.01 {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", k, 100*s))
		}
	}
	return strings.Join(parts, ", ")
}
