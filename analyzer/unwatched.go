package analyzer

import (
	"fmt"
	"math"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// mendDemand looks at how an op does when nobody looks, where the clocks of the
// classifying trials may call it blocked while only its own process's CPU work is
// waited for. There the goroutine of the ops is locked to its thread and gets it
// back, after each stop for the garbage collector or for a profiler, by a
// hand-over between threads, which stretches the op: its demand may be as much
// greater. And a goroutine that the op has not started may compute for it.
func (j *judgement) mendDemand() {
	k, behind := j.stretched(), 0.0
	if t := j.trusted(); t != nil {
		behind = t.Computed
	}
	if k <= 1 && behind < j.o.ClockDiff {
		j.doubtBlocked()
		return
	}
	d, s := &j.demand, j.scale()
	d.High, d.scaled.High = k*d.High, k*d.scaled.High
	apart, known := j.apart(k)
	plain := j.unwatched(behind, apart)
	lower := known && plain.N >= j.o.MinReps && plain.Low > d.Low
	if lower {
		d.Low, d.Value, d.High, d.Level = plain.Low, max(plain.Value, d.Value), max(plain.High, d.High), min(plain.Level, d.Level)
		d.scaled.Low, d.scaled.Value, d.scaled.High, d.scaled.Level = s.at(d.Low), s.at(d.Value), max(s.at(plain.High), d.scaled.High), d.Level
		j.unblock(min(d.Value, 1))
	}
	said := fmt.Sprintf("an op takes %.1f times as long while its class is looked at", k)
	switch {
	case k <= 1 && !lower:
	case k <= 1:
		j.say(ofSplit, "for %.0f %% of its time an op waits for a goroutine of its process that computes meanwhile, which counts as computing", 100*behind)
	case !lower:
		j.say(ofSplit, "%s, so its demand may be as many times what was read", said)
	default:
		j.say(ofSplit, "%s; in trials in which nobody looks it waits for at most %.0f %% of its time for anything but CPU work of its own process, and CPU time fills %.0f %% of it",
			said, 100*apart, 100*min(d.Value, 1))
	}
}

// doubtBlocked lets the demand's interval reach up to what it would be if an op
// that is often stopped for the collector was blocked only while it was seen to
// wait, where too few unprofiled trials tell whether looking stretches it.
func (j *judgement) doubtBlocked() {
	var cycles int64
	for _, f := range j.classify {
		if rt := f.Record.Runtime; rt != nil {
			cycles += rt.GCCycles
		}
	}
	apart, known := j.apart(1)
	if !known || cycles < j.o.MinGCCycles || len(j.load.counted(j.load.baseline(), plan.Timing, j.o)) >= j.o.MinReps {
		return
	}
	s := j.out.Split
	if s.OnCPU <= 0 || s.Blocked-apart < j.o.LoopStall {
		return
	}
	k := (s.OnCPU + s.Blocked) / (s.OnCPU + apart)
	j.demand.High, j.demand.scaled.High = max(j.demand.High, k*j.demand.Value), max(j.demand.scaled.High, k*j.demand.scaled.Value)
	j.say(ofSplit, "for %.0f %% of its time clocks call an op blocked that is often stopped for the garbage collector and was seen to wait for at most %.0f %%; too few unprofiled trials tell which is so", 100*s.Blocked, 100*apart)
}

// trusted returns the execution trace, nil if there is none that agrees with the
// wall profiles.
func (j *judgement) trusted() *Trace {
	if t := j.out.Trace; t != nil && t.Skipped == "" && t.Difference <= j.o.TraceDiff {
		return t
	}
	return nil
}

// stretched returns how many times as long an op takes in the classifying
// trials, queueing apart, as in unprofiled ones, 1 where the trials do not lie
// apart by more than ObserverEffect.
func (j *judgement) stretched() float64 {
	timing := j.load.counted(j.load.baseline(), plan.Timing, j.o)
	if len(timing) < j.o.MinReps || len(j.classify) < j.o.MinReps {
		return 1
	}
	watched := values(j.classify, func(r *record.Record) float64 {
		_, runnable := opCPU(r)
		return max(opsNs(r)-runnable, 0) / float64(max(r.Ops, 1))
	})
	plain := values(timing, plainNs)
	least, _ := stats.Range(watched)
	_, most := stats.Range(plain)
	if most <= 0 || least <= most*j.o.ObserverEffect {
		return 1
	}
	return stats.Median(watched) / stats.Median(plain)
}

// plainNs returns the time of an op of an unprofiled sequential trial.
func plainNs(r *record.Record) float64 {
	if r.Load != nil { // its wall time is that of the arrivals
		return r.Latency.Mean()
	}
	return float64(r.WallNs) / float64(max(r.Ops, 1))
}

// unwatched returns the demand of an op by trials in which nobody looks:
//
//	least(own CPU / wall + behind, (the process's CPU - the collector's) / wall, 1 - apart)
//
// Own is what thread and labels counted in the classifying trials, behind is the
// share for which goroutines that the op waits for were seen to compute, and apart
// that for which it was seen to wait for anything else. So stacks tell that the op
// does not wait and clocks that somebody computes for it: a thread that is blocked
// where Go knows nothing of it, at a page of a file, does so by no clock, and a
// goroutine that computes for itself is not waited for. The process's clock holds
// nothing of what looking costs.
func (j *judgement) unwatched(behind, apart float64) stats.Interval {
	own := stats.MedianInterval(values(j.classify, func(r *record.Record) float64 {
		cpu, _ := opCPU(r)
		return (cpu + float64(r.CPU.ChildrenNs)) / float64(max(r.Ops, 1))
	}), j.o.Level).Low
	timing := j.load.counted(j.load.baseline(), plan.Timing, j.o)
	return stats.MedianInterval(values(timing, func(r *record.Record) float64 {
		process := float64(r.CPU.UserNs + r.CPU.SystemNs)
		if rt := r.Runtime; rt != nil {
			process -= float64(rt.GCCPUNs + rt.GCIdleNs)
		}
		wall := max(plainNs(r), 1)
		return max(min(own/wall+behind, process/float64(max(r.Ops, 1))/wall, 1-apart), 0)
	}), j.o.Level)
}

// apart returns the share of an op's time, when nobody looks, in which it waits
// for anything but CPU work of its own process, or may: by the execution trace; else
// by the wall profiles of trials in which it took k times as long, at most, with a
// margin of two standard deviations for so many samples.
func (j *judgement) apart(k float64) (share float64, known bool) {
	if t := j.trusted(); t != nil {
		return max(1-t.Running-t.Runnable-t.GCWait-t.Computed, 0), true
	}
	if j.looks.Samples == 0 {
		return 0, false
	}
	n := -j.looks.GC
	for _, kind := range record.Waits() {
		n += j.looks.Blocked[kind] + j.looks.Ambiguous[kind]
	}
	return min(k*(float64(n)+2*math.Sqrt(float64(n+1)))/float64(j.looks.Samples), 1), true
}

// unblock sets the share on a processor where it is known to be greater: what
// was called blocked is less then, and so are the waits.
func (j *judgement) unblock(on float64) {
	s, before := &j.out.Split, j.out.Split.Blocked
	if on <= s.OnCPU {
		return
	}
	s.OnCPU = on
	s.Runnable = min(s.Runnable, 1-on)
	s.Blocked = max(1-on-s.Runnable, 0)
	for kind := range j.out.Waits {
		if before > 0 {
			j.out.Waits[kind] *= min(s.Blocked/before, 1)
		}
	}
}
