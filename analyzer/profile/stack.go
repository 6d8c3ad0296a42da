package profile

import (
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// Anchor is the function at which an op begins: stacks are rebased on it.
// Inside a user's module the package is called zz_concprof_harness.
const Anchor = "harness.runOp"

// The other marks that the harness leaves in profiles.
const (
	metronome  = "harness.metronome" // parked for the whole window; its count is the number of wall samples
	labelKey   = "concprof"          // carried by ops and by the goroutines that they start
	labelValue = "op"

	ownPrefix = "zz_concprof_"
)

// The depths at which the runtime cuts stacks on the root side.
const (
	wallDepth = 32 // runtime.StackRecord, which fgprof uses
	cpuDepth  = 64 // of the CPU profile before Go 1.23; 128 since
)

// A Frame is one call on a stack.
type Frame struct {
	Function string
	File     string
	Line     int64
}

// stack returns the frames of a sample, leaf first, inlined calls split.
func stack(s *profile.Sample, into []Frame) []Frame {
	into = into[:0]
	for _, loc := range s.Location {
		for _, line := range loc.Line {
			f := Frame{Function: "?", Line: line.Line}
			if line.Function != nil {
				f.Function, f.File = line.Function.Name, line.Function.Filename
			}
			into = append(into, f)
		}
	}
	return into
}

// base returns a function's name from its package's last element on:
// "harness.runOp" for "example.com/x/harness.runOp".
func base(function string) string {
	// The brackets of a generic function may hold slashes.
	end := len(function)
	if i := strings.IndexByte(function, '['); i >= 0 {
		end = i
	}
	return function[strings.LastIndexByte(function[:end], '/')+1:]
}

// packageOf returns the path of the package that a function is of.
func packageOf(function string) string {
	b := base(function)
	head := len(function) - len(b)
	if i := strings.IndexByte(b, '.'); i >= 0 {
		return function[:head+i]
	}
	return function
}

// is reports whether function is the harness function that mark names.
func is(function, mark string) bool {
	if !strings.HasSuffix(function, mark) {
		return false
	}
	b := base(function)
	return b == mark || b == ownPrefix+mark
}

// IsAnchor reports whether a function is one at which ops begin, in derived
// profiles of Go or Python.
func IsAnchor(function string) bool { return is(function, Anchor) || function == PythonAnchor }

// anchored returns the outermost index of anchor in frames, -1 if it is not
// there. Outermost, because an op could run into a function of that name.
func anchored(frames []Frame, anchor string) int {
	for i := len(frames) - 1; i >= 0; i-- {
		if is(frames[i].Function, anchor) {
			return i
		}
	}
	return -1
}

// profiler reports whether one of frames belongs to a profiler itself.
func profiler(frames []Frame) bool {
	for _, f := range frames {
		if strings.HasPrefix(f.Function, "runtime/pprof.") || strings.Contains(f.Function, "felixge/fgprof.") ||
			strings.Contains(f.Function, ownPrefix+"fgprof.") {
			return true
		}
	}
	return false
}

// An owner says whose work a stack is.
type owner string

const (
	ofOp     owner = "op"     // reached from the anchor
	ofLost   owner = "lost"   // the root side, where the anchor would be, was cut off
	ofHelper owner = "helper" // a goroutine of the user's code outside the anchor
	ofTick   owner = "tick"   // the metronome
	ofOther  owner = "other"  // harness, profilers, runtime
)

// wallOwner tells whose a stack of a wall profile is, and returns the part of
// it that belongs to the op.
//
// A stack that was cut off at wallDepth counts as an op's: loops of libraries
// and helper goroutines are shallow, while ops that go through frameworks,
// parsers or recursion are what passes 32 frames. Such samples are counted.
func (o Options) wallOwner(frames []Frame) (owner, []Frame) {
	if i := anchored(frames, o.Anchor); i >= 0 {
		return o.below(frames[:i+1])
	}
	root := ""
	if len(frames) > 0 {
		root = frames[len(frames)-1].Function
	}
	for _, f := range frames {
		if is(f.Function, metronome) {
			return ofTick, nil
		}
	}
	switch {
	case profiler(frames):
		return ofOther, nil
	case len(frames) >= wallDepth && root != "runtime.goexit" && root != "runtime.main":
		return ofLost, frames
	case o.innermost(frames) >= 0 && !slices.ContainsFunc(frames, harness):
		return ofHelper, frames
	}
	return ofOther, nil
}

// below tells whether a stack that ends in the anchor is the op's, or the
// harness's own: it reads clocks and sets labels between steps.
func (o Options) below(frames []Frame) (owner, []Frame) {
	if n := len(frames); n > 1 {
		name := base(frames[n-2].Function)
		for _, own := range instruments {
			if strings.HasPrefix(strings.TrimPrefix(name, ownPrefix), own) {
				return ofOther, nil
			}
		}
	}
	return ofOp, frames
}

// instruments begin the names of what the anchor calls beside steps.
var instruments = []string{
	"harness.(*stepClock).", "harness.(*sampler).", "harness.(*stepSampler).", "pprof.SetGoroutineLabels",
}

// cpuOwner is wallOwner for a sample of a CPU profile, which has labels.
func (o Options) cpuOwner(s *profile.Sample, frames []Frame) (owner, []Frame) {
	if i := anchored(frames, o.Anchor); i >= 0 {
		return o.below(frames[:i+1])
	}
	labelled := false
	for _, v := range s.Label[labelKey] {
		labelled = labelled || v == labelValue
	}
	switch {
	case !labelled || profiler(frames):
		return ofOther, nil
	case slices.ContainsFunc(frames, harness):
		// Between two ops their goroutine still carries the label: this is
		// the harness feeding it and hashing its results.
		return ofOther, nil
	case len(s.Location) >= cpuDepth:
		return ofLost, frames
	}
	return ofHelper, frames
}
