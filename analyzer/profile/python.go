package profile

import (
	"path"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/concprof/concprof/probes/record"
)

// PythonAnchor is the root of every stack that the Python reader writes.
const PythonAnchor = "concprof_op"

// pythonReader is the comment that a profile of the Python reader carries.
// Such a profile needs no inference: it holds the stacks of ops only, its
// weights are times, and labels say in which state a thread was seen.
const pythonReader = "concprof python reader 1"

// The labels of its samples beside "state" and "wait".
const (
	labelGIL = "gil"
	gilHeld  = "held" // the other value is "none"
)

// callPrefix begins the pseudo frame that stands for a call from Python into
// C: "<call> time.sleep", at the line of the caller.
const callPrefix = "<call> "

// ofPython reports whether the Python reader wrote p.
func ofPython(p *profile.Profile) bool {
	return p != nil && slices.Contains(p.Comments, pythonReader)
}

// ofPython reports whether the Python reader wrote both profiles of r, or the
// one that is there.
func (r *Raw) ofPython() bool {
	return (r.Wall != nil || r.CPU != nil) && (r.Wall == nil || ofPython(r.Wall)) && (r.CPU == nil || ofPython(r.CPU))
}

// label returns the value of a sample's label, "" if it has none.
func label(s *profile.Sample, key string) string {
	if v := s.Label[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// A sighting is a sample of the Python reader: what a thread that ran an op was
// seen doing.
type sighting struct {
	frames []Frame // leaf first, down to the anchor
	state  State
	wait   record.Wait // why it was blocked; GIL for GILWait; else ""
	gil    string      // "held", "none" or ""
	step   string
	ns     int64
}

// tags are the labels that a sighting carries into derived profiles.
func (s *sighting) tags() tags {
	return tags{state: string(s.state), wait: string(s.wait), gil: s.gil, step: s.step}
}

// eachSighting calls f for the samples of a profile of the Python reader. A
// state or wait that it does not know is "blocked" for "other": a reader of
// another version may know more. The frames are valid during the call only.
func eachSighting(p *profile.Profile, f func(*sighting)) {
	if p == nil || len(p.SampleType) == 0 {
		return
	}
	col := column(p, "nanoseconds")
	var buf []Frame
	for _, s := range p.Sample {
		buf = stack(s, buf)
		if s.Value[col] <= 0 || len(buf) == 0 {
			continue
		}
		if buf[len(buf)-1].Function != PythonAnchor {
			buf = append(buf, Frame{Function: PythonAnchor})
		}
		buf[len(buf)-1] = Frame{Function: PythonAnchor} // its file is the probe's, of this machine
		at := sighting{frames: buf, state: State(label(s, "state")), gil: label(s, labelGIL), step: label(s, "step"), ns: s.Value[col]}
		switch at.state {
		case Running, Runnable:
		case GILWait:
			at.wait = record.GIL
		default:
			at.state, at.wait = Blocked, record.Wait(label(s, "wait"))
			if !slices.Contains(record.Waits(), at.wait) {
				at.wait = record.Other
			}
		}
		f(&at)
	}
}

// derivePython is Derive for profiles of the Python reader. Nothing is
// subtracted: what was seen not running is off-CPU, a part of it waiting for
// the GIL.
func (o Options) derivePython(raws []Raw) *Set {
	set := &Set{}
	h := o.header(raws)
	cpu, wall, off := newBuilder(TypeCPU), newBuilder(TypeWall), newBuilder(TypeOffCPU)
	merged := newBuilder(TypeWall, TypeCPU, TypeOffCPU, TypeGILWait)
	haveCPU, haveWall := true, true
	for _, r := range raws {
		set.Ops += r.Ops
		haveCPU, haveWall = haveCPU && r.CPU != nil, haveWall && r.Wall != nil
		eachSighting(r.CPU, func(s *sighting) {
			// All that a CPU profile holds was running, whether it says so or not.
			t := tags{state: string(Running), gil: s.gil, step: s.step}
			cpu.add(s.frames, t, 0, s.ns)
			merged.add(s.frames, t, 1, s.ns)
		})
		eachSighting(r.Wall, func(s *sighting) {
			wall.add(s.frames, s.tags(), 0, s.ns)
			merged.add(s.frames, s.tags(), 0, s.ns)
			if s.state != Running {
				off.add(s.frames, s.tags(), 0, s.ns)
				merged.add(s.frames, s.tags(), 2, s.ns)
			}
			if s.state == GILWait {
				merged.add(s.frames, s.tags(), 3, s.ns)
			}
		})
	}
	var problems []string
	if haveCPU {
		set.CPU = cpu.profile(h)
	} else {
		problems = append(problems, "the CPU profile of a trial is missing")
	}
	switch {
	case !haveWall:
		problems = append(problems, "the wall profile of a trial is missing")
	case wall.total(0) == 0:
		problems = append(problems, "the wall profile shows no op: its window was too short")
	default:
		set.Wall, set.OffCPU = wall.profile(h), off.profile(h)
		if haveCPU {
			set.Merged = merged.profile(h)
		}
	}
	set.Problem = strings.Join(problems, "; ")
	return set
}

// sight adds the samples of a wall profile of the Python reader to w.
func (o Options) sight(w *WaitShares, wall *profile.Profile, blocked func(record.Wait, Frame, int64), held func(Frame, int64)) {
	eachSighting(wall, func(s *sighting) {
		w.Seen = true
		w.Samples += s.ns
		switch s.state {
		case Running:
			w.Running += s.ns
		case Runnable:
			w.Runnable += s.ns
		default:
			w.Blocked[s.wait] += s.ns
			blocked(s.wait, s.frames[o.pythonPlace(s.frames)], s.ns)
		}
		if s.gil == gilHeld {
			w.HeldGIL += s.ns
			held(s.frames[o.pythonPlace(s.frames)], s.ns)
		}
	})
}

// pythonPlace returns the index of the frame that stands for a stack in
// reports: the innermost one of the user's own code; where there is none, of an
// installed package; else the outermost frame that the op has.
func (o Options) pythonPlace(frames []Frame) int {
	installed := -1
	for i, f := range frames {
		switch {
		case f.Function == PythonAnchor:
		case o.User(f):
			return i
		case installed < 0 && sitePackage(f.File):
			installed = i
		}
	}
	if installed >= 0 {
		return installed
	}
	return max(len(frames)-2, 0)
}

// PythonFrame reports whether a frame is of Python code: they are told by
// their files, for their functions may have any name.
func PythonFrame(f Frame) bool {
	return strings.HasPrefix(f.Function, callPrefix) || f.Function == PythonAnchor ||
		strings.HasPrefix(f.File, "<") || path.Ext(f.File) == ".py" || path.Ext(f.File) == ".pyx"
}

// pythonUser reports whether a Python frame is of the user's own code: not of
// the standard library, frozen into the interpreter or not, nor of an
// installed package, nor of the probe, nor a call into C.
func pythonUser(f Frame) bool {
	switch {
	case f.Function == PythonAnchor, strings.HasPrefix(f.Function, callPrefix), strings.HasPrefix(f.File, "<"):
		return false
	case record.PythonProbe(f.File):
		return false
	}
	return !sitePackage(f.File) && !StandardPython(f.File)
}

// sitePackage reports whether a file is of an installed package.
func sitePackage(file string) bool {
	return strings.Contains(file, "/site-packages/") || strings.Contains(file, "/dist-packages/")
}

// StandardPython reports whether a file is of Python's standard library:
// frozen, or below a folder lib/python3.x but not of an installed package.
func StandardPython(file string) bool {
	if strings.HasPrefix(file, "<frozen ") {
		return true
	}
	if sitePackage(file) {
		return false
	}
	for rest := file; ; {
		i := strings.Index(rest, "/python3.")
		if i < 0 {
			return false
		}
		// /usr/lib/python3.11/json/..., /opt/python/lib/python3.13t/...; and not a
		// folder of the user's that happens to be called so.
		if dir := path.Base(rest[:i]); dir == "lib" || dir == "lib64" {
			return true
		}
		rest = rest[i+1:]
	}
}
