package profile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/concprof/concprof/probes/model"
)

// A Raw is what one profiled trial of a cell left.
type Raw struct {
	CPU, Wall *profile.Profile // nil when missing
	Ops       int64
	// WallHz is the rate at which the wall profile was really sampled, as
	// counted by the metronome. 0 takes the metronome's count in the
	// profile, or without one the profile's own rounded rate.
	WallHz      float64
	Workload    string
	Model       model.Model
	Concurrency int
}

// The pseudo-functions under which derived profiles keep stacks that do not
// reach back to the op.
const (
	helpersFunction = "[goroutines that ops start]"
	lostFunction    = "[root lost: stack deeper than the profiler reads]"
)

// Derive merges the profiles of all trials of one cell into the profiles that
// people look at. An empty anchor stands for Anchor.
func Derive(raws []Raw, anchor string) *Set { return Options{Anchor: anchor}.Derive(raws) }

// Derive merges the profiles of all trials of one cell into the profiles that
// people look at: only what ops did, rebased on the anchor, wall time weighted
// by the true sampling rate.
//
// Profiles of the Python reader know all that by themselves (python.go); a
// cell's profiles are of one kind.
//
// CPU holds also the time of goroutines that ops start, which carry the op's
// label; wall and off-CPU are those of the ops' own goroutines, so they add up
// to the time that ops took.
func (o Options) Derive(raws []Raw) *Set {
	o = o.WithDefaults()
	if len(raws) > 0 && !slices.ContainsFunc(raws, func(r Raw) bool { return !r.ofPython() }) {
		return o.derivePython(raws)
	}
	set := &Set{}
	h := o.header(raws)
	cpu, wall, merged := newBuilder(TypeCPU), newBuilder(TypeWall), newBuilder(TypeWall, TypeCPU, TypeOffCPU)
	off := newOffCPU(o)
	var truncated int64
	haveCPU, haveWall := len(raws) > 0, len(raws) > 0
	for _, r := range raws {
		set.Ops += r.Ops
		haveCPU, haveWall = haveCPU && r.CPU != nil, haveWall && r.Wall != nil
		o.eachCPU(r.CPU, func(who owner, frames []Frame, step string, ns int64) {
			t := tags{state: string(Running), step: step}
			cpu.add(frames, t, 0, ns)
			merged.add(frames, t, 1, ns)
			if who != ofHelper {
				off.cpu(frames, ns)
			}
		})
		o.eachWall(r, func(who owner, frames []Frame, w wait, ns int64) {
			t := tags{state: string(w.state), wait: string(w.kind)}
			wall.add(frames, t, 0, ns)
			merged.add(frames, t, 0, ns)
			off.wall(frames, w, ns)
			if who == ofLost {
				truncated += ns
			}
		})
	}

	var problems []string
	if haveCPU {
		set.CPU = cpu.profile(h)
	} else {
		problems = append(problems, "the CPU profile of a trial is missing")
	}
	total := wall.total(0)
	switch {
	case !haveWall:
		problems = append(problems, "the wall profile of a trial is missing")
	case total == 0:
		haveWall = false
		problems = append(problems, "the wall profile shows no op: its window was too short")
	default:
		set.Wall = wall.profile(h)
		set.Truncated = float64(truncated) / float64(total)
	}
	if haveCPU && haveWall {
		offcpu := newBuilder(TypeOffCPU)
		var missed int64
		set.Residual, missed = off.subtract(func(frames []Frame, t tags, ns int64) {
			offcpu.add(frames, t, 0, ns)
		})
		if set.Residual > o.MaxResidual && float64(missed) > o.MaxMissed*float64(total) {
			problems = append(problems, fmt.Sprintf("off-CPU time is withheld: the wall profile missed %.0f %% of the CPU time, more than %.0f %%",
				100*set.Residual, 100*o.MaxResidual))
		} else {
			set.OffCPU = offcpu.profile(h)
			for _, e := range offcpu.entries {
				merged.add(e.frames, e.tags, 2, e.values[0])
			}
		}
		set.Merged = merged.profile(h)
	}
	set.Problem = strings.Join(problems, "; ")
	return set
}

// header describes the cell that raws are of.
func (o Options) header(raws []Raw) header {
	var h header
	if len(raws) == 0 {
		return h
	}
	r := raws[0]
	// No slash: pprof shows what stands behind the last one.
	h.title = strings.TrimSpace(fmt.Sprintf("%s %s-%d", r.Workload, r.Model, r.Concurrency))
	h.labels = map[string]string{"model": string(r.Model), "concurrency": strconv.Itoa(r.Concurrency)}
	for _, r := range raws {
		var d int64
		for _, p := range []*profile.Profile{r.CPU, r.Wall} {
			if p == nil {
				continue
			}
			d = max(d, p.DurationNanos)
			if h.time == 0 || p.TimeNanos < h.time {
				h.time = p.TimeNanos
			}
		}
		h.duration += d
	}
	return h
}

// eachCPU calls f for each sample of p that an op or one of its goroutines
// accounts for, with its stack from the leaf to the anchor.
func (o Options) eachCPU(p *profile.Profile, f func(who owner, frames []Frame, step string, ns int64)) {
	if p == nil || len(p.SampleType) == 0 {
		return
	}
	col, weight := column(p, "nanoseconds"), int64(1)
	if p.SampleType[col].Unit != "nanoseconds" {
		weight = p.Period
	}
	var buf []Frame
	for _, s := range p.Sample {
		buf = stack(s, buf)
		who, frames := o.cpuOwner(s, buf)
		if who == ofOther || s.Value[col] <= 0 {
			continue
		}
		step := ""
		if v := s.Label["step"]; len(v) > 0 {
			step = v[0]
		}
		buf = o.rebase(who, frames)
		f(who, buf, step, s.Value[col]*weight)
	}
}

// eachWall calls f for each sample of r's wall profile in which an op's own
// goroutine was seen.
func (o Options) eachWall(r Raw, f func(who owner, frames []Frame, w wait, ns int64)) {
	p := r.Wall
	if p == nil || len(p.SampleType) == 0 {
		return
	}
	col, weight := o.wallWeight(r)
	var buf []Frame
	for _, s := range p.Sample {
		buf = stack(s, buf)
		who, frames := o.wallOwner(buf)
		if who != ofOp && who != ofLost || s.Value[col] <= 0 {
			continue
		}
		w := o.waitOf(frames)
		buf = o.rebase(who, frames[parkDepth(frames):])
		f(who, buf, w, int64(math.Round(float64(s.Value[col])*weight)))
	}
}

// parkDepth returns how many leaf frames only say that the goroutine stood
// still. They are cut off: with them the first line of every list would be
// runtime.gopark; what it waits for is in the frame above and in the labels.
func parkDepth(frames []Frame) int {
	for i, f := range frames {
		switch f.Function {
		case "runtime.gopark", "runtime.goparkunlock", "runtime.asyncPreempt", "runtime.asyncPreempt2":
			continue
		}
		return i
	}
	return 0
}

// wallWeight returns the column of the wall profile's counts and the time in
// nanoseconds that each count stands for. fgprof weighs by a rate rounded to
// whole hertz, which is up to a fifth off; the metronome, a goroutine parked
// for the whole window, is counted at every tick.
func (o Options) wallWeight(r Raw) (col int, ns float64) {
	p := r.Wall
	col = column(p, "count")
	if p.SampleType[col].Unit != "count" {
		return col, 1 // already a time
	}
	if r.WallHz > 0 {
		return col, 1e9 / r.WallHz
	}
	var ticks int64
	var buf []Frame
	for _, s := range p.Sample {
		buf = stack(s, buf)
		if who, _ := o.wallOwner(buf); who == ofTick {
			ticks += s.Value[col]
		}
	}
	if ticks > 0 && p.DurationNanos > 0 {
		return col, float64(p.DurationNanos) / float64(ticks)
	}
	return col, float64(cmp.Or(p.Period, 10_000_000))
}

// rebase returns the stack of an op with the anchor as its root, in the one
// form in which it lines up across models and builds. It may write to frames.
func (o Options) rebase(who owner, frames []Frame) []Frame {
	root := Frame{Function: o.Anchor}
	switch who {
	case ofOp:
		frames[len(frames)-1] = root
		return frames
	case ofHelper:
		// The root of a goroutine says nothing.
		frames = slices.DeleteFunc(frames, func(f Frame) bool { return f.Function == "runtime.goexit" })
		return append(frames, Frame{Function: helpersFunction}, root)
	}
	return append(frames, Frame{Function: lostFunction}, root)
}
