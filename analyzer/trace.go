package analyzer

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/concprof/concprof/analyzer/exectrace"
	"github.com/concprof/concprof/analyzer/profile"
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
	// Running, Runnable, SystemCall and Waits are the states of the op's
	// goroutine, as Go's scheduler has them, and sum to 1: whether a goroutine that
	// runs has a processor, or one in a system call or in C is asleep there, no
	// trace tells. GCAssist is the part of Running in which it helped the garbage
	// collector, GCWait the part of Waits in which it was parked for that, and
	// Computed the part in which a goroutine that it waited for ran, or was ready to.
	Running    float64                 `json:"running"`
	Runnable   float64                 `json:"runnable"`
	SystemCall float64                 `json:"system_call"`
	Waits      map[record.Wait]float64 `json:"waits,omitempty"`
	GCAssist   float64                 `json:"gc_assist"`
	GCWait     float64                 `json:"gc_wait"`
	Computed   float64                 `json:"computed"`
	// Resolved are Waits with those for another goroutine charged to what that one
	// waited for meanwhile.
	Resolved map[record.Wait]float64 `json:"resolved,omitempty"`
	// Difference is the share of the time that the wall profiles charge to other
	// waits than Waits or Resolved do, whichever is nearer to them, once clocks
	// have told of both how much is blocked.
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
	t.Waits, t.Resolved = a.Direct.Shares(), a.Resolved.Shares()
	t.Running, t.Runnable = float64(a.Direct.Running)/all, float64(a.Direct.Runnable)/all
	for _, n := range a.Direct.Ambiguous {
		t.SystemCall += float64(n) / all
	}
	t.GCAssist, t.GCWait = float64(a.AssistNs)/all, float64(a.Direct.GC)/all
	t.Computed = float64(a.ComputedNs) / all
	if j.looks.Samples == 0 {
		return // there is nothing to hold it against
	}
	blocked := j.out.Split.Blocked
	t.Difference = min(apartBy(j.out.Waits, looks{a.Direct}.waits(blocked)), apartBy(j.out.Waits, looks{a.Resolved}.waits(blocked)))
	if t.Difference > j.o.TraceDiff {
		j.warn(WarnWaits, "look at trials/"+t.Trial+"/"+record.TraceFile+" with go tool trace: one of them misreads the op, or its ops differ from one trial to the next",
			"by the wall profiles an op waits for %s, by an execution trace for %s: with the same time blocked they differ in %.0f %% of it",
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
		return nil, "its trial did not finish: " + cmp.Or(j.o.reasonOf(&f.Record), "every op failed")
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

// waitingAt returns where ops wait for a reason, the leading line: of what the
// trace resolved, where they wait for the other goroutine.
func (j *judgement) waitingAt(kind record.Wait) (profile.Place, bool) {
	if t := j.out.Trace; t != nil && kind != record.Channel && 2*t.Moved > j.out.Waits[kind] {
		kind = record.Channel
	}
	return j.looks.place(kind)
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
	if parked := shares(t.Waits); parked != "" {
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
