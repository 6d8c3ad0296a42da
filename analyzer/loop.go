package analyzer

import (
	"cmp"
	"slices"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// judgeLoop tells what asyncio's loop did: of the profiled trials of the event
// loop, which drive tasks one by one, else of the timing trials at its highest
// level.
func (j *judgement) judgeLoop() {
	fs := j.loopTrials()
	if len(fs) == 0 {
		return
	}
	l := &Loop{Concurrency: fs[0].Trial.Cell.Concurrency}
	var wall, idle, busy, cpu, ready, blocking float64
	var longest int64
	awaits := make(map[awaitKey]Await)
	var waited int64
	for i := range fs {
		r := &fs[i].Record
		x := r.Loop
		wall += float64(r.WallNs)
		idle, busy, cpu = idle+float64(x.IdleNs), busy+float64(x.BusyNs), cpu+float64(x.CPUNs)
		ready, blocking = ready+float64(r.CPU.RunnableNs), blocking+float64(x.BlockingNs)
		l.Turns += x.Turns
		l.LongestTurnNs = max(l.LongestTurnNs, x.LongestTurnNs)
		if x.Blocking != nil && (l.Blocking == nil || x.BlockingNs > longest) {
			l.Blocking, longest = j.placeOf(x.Blocking), x.BlockingNs
		}
		t := x.Tasks
		if t == nil {
			continue
		}
		l.Tasks += t.Sampled
		if t.LongestStepNs > l.LongestStepNs {
			l.LongestStepNs, l.LongestStep = t.LongestStepNs, j.placeOf(t.LongestStep)
		}
		waited += t.WallNs
		for _, a := range t.Awaits {
			j.addAwait(awaits, &a)
		}
	}
	if wall <= 0 {
		return
	}
	l.Idle, l.Busy, l.CPU = min(idle/wall, 1), min(busy/wall, 1), min(cpu/wall, 1)
	// What the loop's thread was ready for without a processor is the host's.
	l.Stalled = min(max((busy-cpu-ready)/wall, 0), 1)
	l.Blocked = min(blocking/wall, 1)
	l.Awaits = topAwaits(awaits, waited)
	j.out.Loop = l
}

// turned reports whether asyncio's loop ran the ops of trials.
func turned(fs []plan.Finished) bool {
	return slices.ContainsFunc(fs, func(f plan.Finished) bool { return f.Record.Loop != nil && f.Record.Loop.Turns > 0 })
}

// awaited returns what the tasks of sequential trials awaited, where no profile
// tells: in profiles of the reader that is a part.
func (k looks) awaited(fs []plan.Finished) looks {
	if k.Samples > 0 {
		return k
	}
	for i := range fs {
		r := &fs[i].Record
		if r.Loop == nil || r.Loop.Tasks == nil || r.Loop.Tasks.WallNs <= 0 {
			continue
		}
		// A sample of the tasks stands for all.
		all := float64(r.WallNs) / float64(r.Loop.Tasks.WallNs)
		for _, a := range r.Loop.Tasks.Awaits {
			n := int64(float64(a.WallNs) * all)
			k.Seen = true
			k.Samples += n
			k.Blocked[a.Wait] += n
			if at, ok := awaiting(&a); ok {
				k.addPlace(a.Wait, profile.Place{Function: at.Function, File: at.File, Line: at.Line, Samples: n})
			}
		}
	}
	return k
}

// addPlace adds the samples of a place to those that are known.
func (k looks) addPlace(kind record.Wait, p profile.Place) {
	ps := k.Places[kind]
	i := slices.IndexFunc(ps, func(q profile.Place) bool { return q.Function == p.Function && q.File == p.File && q.Line == p.Line })
	if i >= 0 {
		ps[i].Samples += p.Samples
	} else {
		ps = append(ps, p)
	}
	slices.SortStableFunc(ps, func(a, b profile.Place) int { return cmp.Compare(b.Samples, a.Samples) })
	k.Places[kind] = ps
}

// awaiting returns the innermost frame of the user's own code in a chain of
// awaiting frames, else its innermost frame.
func awaiting(a *record.Await) (record.Frame, bool) {
	for _, f := range slices.Backward(a.Frames) {
		if profile.UserCode(profile.Frame{Function: f.Function, File: f.File}) {
			return f, true
		}
	}
	if n := len(a.Frames); n > 0 {
		return a.Frames[n-1], true
	}
	return record.Frame{}, false
}

// topAwait is how many awaits are told.
const topAwait = 5

// loopTrials returns the trials that tell most of the loop.
func (j *judgement) loopTrials() []plan.Finished {
	if j.load.w.Target.Kind != model.Python {
		return nil
	}
	those := func(fs []plan.Finished) []plan.Finished {
		return slices.DeleteFunc(slices.Clone(fs), func(f plan.Finished) bool { return f.Record.Loop == nil || f.Record.Loop.Turns <= 0 })
	}
	for _, c := range j.profiled(model.EventLoop) {
		if fs := those(j.load.counted(c, plan.Profiling, j.o)); len(fs) > 0 {
			return fs
		}
	}
	var most []plan.Finished
	for i := range j.results {
		x := &j.results[i]
		if x.cell.Model != model.EventLoop {
			continue
		}
		if fs := those(x.shown()); len(fs) > 0 && (most == nil || x.cell.Concurrency > most[0].Trial.Cell.Concurrency) {
			most = fs
		}
	}
	return most
}

// An awaitKey is where and for what a task waited.
type awaitKey struct {
	at   Place
	wait record.Wait
}

// addAwait adds a chain of awaiting frames under its innermost frame of the
// user's own code.
func (j *judgement) addAwait(all map[awaitKey]Await, a *record.Await) {
	at, ok := awaiting(a)
	if !ok {
		return
	}
	k := awaitKey{*j.placeOf(&at), a.Wait}
	sum := all[k]
	sum.Place, sum.Wait = k.at, k.wait
	sum.Count += a.Count
	sum.Share += float64(a.WallNs)
	all[k] = sum
}

// topAwaits returns the leading awaits as shares of the tasks' time.
func topAwaits(all map[awaitKey]Await, wallNs int64) []Await {
	var out []Await
	for _, a := range all {
		a.Share = min(a.Share/max(float64(wallNs), 1), 1)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Await) int {
		return cmp.Or(-cmp.Compare(a.Share, b.Share), cmp.Compare(a.Function, b.Function), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Wait, b.Wait))
	})
	return out[:min(len(out), topAwait)]
}

// placeOf tells a frame as people are told it; nil stays nil.
func (j *judgement) placeOf(f *record.Frame) *Place {
	if f == nil {
		return nil
	}
	s := j.load.told(profile.Place{Function: f.Function, File: f.File, Line: f.Line})
	return &Place{Function: s.function, File: s.file, Line: s.line}
}

// limitLoop finds what holds asyncio's loop up: a call that blocks its thread,
// or a step that computes for long without an await. Turns alone overstate
// both, for a turn runs every task that is ready.
func (j *judgement) limitLoop() {
	j.judgeLoop()
	l := j.out.Loop
	if l == nil {
		return
	}
	at := func(p *Place) string {
		if p == nil {
			return ""
		}
		return ", at " + p.String()
	}
	add := func(share float64, p *Place) {
		limit := Limit{Kind: LimitLoopStall, Share: share}
		if p != nil {
			limit.Function, limit.File, limit.Line = p.Function, p.File, p.Line
		}
		j.out.Limits = append(j.out.Limits, limit)
	}
	switch step := float64(l.LongestStepNs); {
	case l.Stalled > j.o.LoopStall:
		where := l.Blocking
		if where == nil {
			where = l.LongestStep
		}
		l.Stalls = true
		add(l.Stalled, where)
		j.say(ofLimits, "on the event loop a call blocks the loop's thread for %.0f %% of the time%s: no other op goes on meanwhile", 100*l.Stalled, at(where))
		j.warn(WarnLoopStall, "await asyncio.to_thread(...) around that call, or use a driver that awaits",
			"a blocking call holds the event loop up for %.0f %% of the time%s", 100*l.Stalled, at(where))
	case step > float64(j.o.LoopHog) && l.Busy-l.CPU <= j.o.ClockDiff*l.Busy:
		l.Stalls = true
		add(l.Busy, l.LongestStep)
		j.say(ofLimits, "on the event loop one step computes for %s before it awaits again%s: no other op goes on meanwhile", quantity.Duration(float64(l.LongestStepNs)), at(l.LongestStep))
		j.warn(WarnLoopStall, "hand that work to a process pool or a thread, or await asyncio.sleep(0) within it",
			"a step of an op computes for %s without an await%s", quantity.Duration(float64(l.LongestStepNs)), at(l.LongestStep))
	}
}

// loopWaits splits the time of ops on asyncio's loop, nil where tasks were not
// driven: the loop's thread tells nothing of tasks that wait. What is neither
// in a step nor awaiting was ready and waited for its turn. What steps slept
// for is what the reader saw of them, k.
func loopWaits(fs []plan.Finished, k looks) map[string]float64 {
	var wall, steps, busy, cpu float64
	waits := make(map[record.Wait]float64)
	for i := range fs {
		l := fs[i].Record.Loop
		if l == nil || l.Tasks == nil {
			continue
		}
		wall, steps = wall+float64(l.Tasks.WallNs), steps+float64(l.Tasks.StepNs)
		busy, cpu = busy+float64(l.BusyNs), cpu+float64(l.CPUNs)
		for _, a := range l.Tasks.Awaits {
			waits[a.Wait] += float64(a.WallNs)
		}
	}
	if wall <= 0 {
		return nil
	}
	computing := 1.0
	if busy > 0 {
		computing = min(cpu/busy, 1)
	}
	steps = min(steps/wall, 1)
	m := map[string]float64{onCPU: steps * computing}
	left := 1 - steps
	for _, k := range record.Waits() {
		share := min(waits[k]/wall, left)
		left -= share
		m[string(k)] = share
	}
	m[runnable] = left
	asleep, seen := steps*(1-computing), int64(0)
	for _, n := range k.Blocked {
		seen += n
	}
	if seen == 0 {
		m[string(record.Other)] += asleep
		return m
	}
	for kind, n := range k.Blocked {
		m[string(kind)] += asleep * float64(n) / float64(seen)
	}
	return m
}
