package pyread

import (
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/concprof/concprof/probes/record"
)

// comment stands in every profile that is made here.
const comment = "concprof python reader 1"

// The values of the label "state". Those of "wait" are record.Wait's.
const (
	labelRunning  = "running"
	labelRunnable = "runnable"
	labelBlocked  = "blocked"
	labelGILWait  = "gil-wait"
)

// CPU returns the profile of the time that ops were on a processor: samples
// as a count, cpu in nanoseconds.
func (r *Result) CPU() *profile.Profile {
	b := r.builder("cpu")
	for i := range r.Stacks {
		if s := &r.Stacks[i]; s.State.OnCPU() {
			b.add(s.Frames, labels(s), s.Count, s.Ns)
		}
	}
	return b.p
}

// Wall returns the profile of all the time of the threads that ran ops, and
// of what coroutines waited for, which no thread shows: samples as a count,
// wall in nanoseconds.
func (r *Result) Wall(awaits []record.Await) *profile.Profile {
	b := r.builder("wall")
	for i := range r.Stacks {
		s := &r.Stacks[i]
		b.add(s.Frames, labels(s), s.Count, s.Ns)
	}
	for _, a := range awaits {
		frames := slices.Clone(a.Frames)
		slices.Reverse(frames)
		if n := len(frames); n > 0 && strings.HasPrefix(frames[n-1].Function, Anchor) {
			frames = frames[:n-1]
		}
		frames = append(frames, record.Frame{Function: Anchor})
		b.add(frames, map[string][]string{"state": {labelBlocked}, "wait": {string(a.Wait)}}, a.Count, a.WallNs)
	}
	return b.p
}

// labels returns the labels of a stack: "state", "wait" of what waits, and
// "gil" of what runs or is blocked with it.
func labels(s *Stack) map[string][]string {
	l := map[string][]string{}
	switch {
	case s.State.OnCPU():
		l["state"] = []string{labelRunning}
		l["gil"] = []string{"none"}
	case s.State == Runnable:
		l["state"] = []string{labelRunnable}
	case s.State == GILWait:
		l["state"] = []string{labelGILWait}
	default:
		l["state"] = []string{labelBlocked}
	}
	if s.Wait != "" {
		l["wait"] = []string{string(s.Wait)}
	}
	if s.GIL {
		l["gil"] = []string{"held"}
	}
	return l
}

// A builder makes a profile.
type builder struct {
	p         *profile.Profile
	functions map[[2]string]*profile.Function
	locations map[record.Frame]*profile.Location
}

func (r *Result) builder(kind string) *builder {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: kind, Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: kind, Unit: "nanoseconds"},
		Comments:   []string{comment}, DurationNanos: r.Seen.WindowNs, DefaultSampleType: kind,
	}
	if r.Seen.Samples > 0 {
		p.Period = r.Seen.WindowNs / r.Seen.Samples
	}
	return &builder{p: p, functions: map[[2]string]*profile.Function{}, locations: map[record.Frame]*profile.Location{}}
}

func (b *builder) add(frames []record.Frame, labels map[string][]string, count, ns int64) {
	s := &profile.Sample{Value: []int64{count, ns}, Label: labels}
	for _, f := range frames {
		s.Location = append(s.Location, b.location(f))
	}
	b.p.Sample = append(b.p.Sample, s)
}

func (b *builder) location(f record.Frame) *profile.Location {
	if loc := b.locations[f]; loc != nil {
		return loc
	}
	key := [2]string{f.Function, f.File}
	fn := b.functions[key]
	if fn == nil {
		fn = &profile.Function{ID: uint64(len(b.p.Function) + 1), Name: f.Function, SystemName: f.Function, Filename: f.File}
		b.functions[key] = fn
		b.p.Function = append(b.p.Function, fn)
	}
	loc := &profile.Location{ID: uint64(len(b.p.Location) + 1), Line: []profile.Line{{Function: fn, Line: int64(f.Line)}}}
	b.locations[f] = loc
	b.p.Location = append(b.p.Location, loc)
	return loc
}
