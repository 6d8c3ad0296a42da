package reports

import (
	"slices"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// unwrapped returns p without the frames through which the harness reaches an
// op's code: its adapters, and the reflection that they call functions of
// unusual types by. They say nothing of the op, and they differ between
// models, so that the flame graphs of two of them, and their difference, would
// not line up. What a built-in step does stays, for it is the op, and so does
// the last frame of the harness above the runtime: waiting for a permit of
// hybrid is the harness's own time. p itself stays as it is.
func unwrapped(p *pprof.Profile) *pprof.Profile {
	if p == nil {
		return nil
	}
	out := &pprof.Profile{
		SampleType: p.SampleType, DefaultSampleType: p.DefaultSampleType, Sample: make([]*pprof.Sample, len(p.Sample)),
		Mapping: p.Mapping, Location: p.Location, Function: p.Function, Comments: p.Comments, DocURL: p.DocURL,
		DropFrames: p.DropFrames, KeepFrames: p.KeepFrames,
		TimeNanos: p.TimeNanos, DurationNanos: p.DurationNanos, PeriodType: p.PeriodType, Period: p.Period,
	}
	for i, s := range p.Sample {
		out.Sample[i] = s
		if locs := unwrap(s.Location); len(locs) != len(s.Location) {
			c := *s
			c.Location = locs
			out.Sample[i] = &c
		}
	}
	return out
}

// unwrap returns a stack, leaf first, without the wrapping under its root.
func unwrap(locs []*pprof.Location) []*pprof.Location {
	root := len(locs) - 1
	end := root // the wrapping is locs[end:root]
	for end > 0 && wrapping(locs[end-1]) {
		end--
	}
	if end < root && (end == 0 || ofRuntime(locs[end-1])) {
		end++
	}
	if end == root {
		return locs
	}
	return append(slices.Clone(locs[:end]), locs[root])
}

// wrapping reports whether all functions of a location are adapters of the
// harness or reflection's calls.
func wrapping(l *pprof.Location) bool {
	return len(l.Line) > 0 && !slices.ContainsFunc(l.Line, func(line pprof.Line) bool {
		name := nameOf(line)
		step, harness := profile.BuiltInStep(name)
		return !(harness && step == "") && name != "reflect.Value.Call" && name != "reflect.Value.call"
	})
}

// ofRuntime reports whether a location is of the runtime, so that whoever called it
// is to be named.
func ofRuntime(l *pprof.Location) bool {
	return len(l.Line) > 0 && strings.HasPrefix(nameOf(l.Line[len(l.Line)-1]), "runtime.")
}

func nameOf(l pprof.Line) string {
	if l.Function == nil {
		return ""
	}
	return l.Function.Name
}
