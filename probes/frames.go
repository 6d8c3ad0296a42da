package probes

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/concprof/concprof/probes/internal/pyread"
	"github.com/concprof/concprof/probes/internal/python"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// missingFrames is what a record of a Python trial misses that was not read.
const missingFrames = "Python frames"

// A frames is the observer of a Python probe: it reads the frames of its
// threads, and of its worker processes, from outside.
type frames struct {
	model   model.Model
	session *pyread.Session
	result  *pyread.Result
	err     error // why nothing is read
}

// Start implements runner.Observer.
func (f *frames) Start(ctx context.Context, pid int) {
	f.session, f.err = pyread.Start(ctx, pid, pyread.Options{Children: true, ProbeFile: python.AnchorFile})
}

// Stop implements runner.Observer.
func (f *frames) Stop() {
	if f.session != nil {
		f.result = f.session.Stop()
	}
}

// Report implements runner.Observer.
func (f *frames) Report(rec *record.Record) map[record.ProfileKind][]byte {
	kinds := []record.ProfileKind{record.CPUProfile, record.WallProfile}
	if f.result == nil || f.err != nil {
		reason := "the ops never began"
		if f.err != nil {
			reason = f.err.Error()
		}
		if unsupported := (*pyread.UnsupportedError)(nil); errors.As(f.err, &unsupported) {
			reason = unsupported.Reason
		}
		rec.Missing = append(rec.Missing, missingFrames)
		if rec.Python == nil { // the probe has no numbers of its own
			rec.Python = &record.Python{Approximate: "frames were not read: " + reason}
		}
		for _, kind := range kinds {
			if !reported(rec, kind) {
				rec.Profiles = append(rec.Profiles, record.Profile{Kind: kind, Problem: reason})
			}
		}
		return nil
	}
	seen := f.result.Seen
	rec.Python, rec.Profiles = &seen, nil
	if f.model == model.EventLoop && rec.Loop != nil && rec.Loop.Blocking == nil {
		rec.Loop.Blocking = blocking(f.result.Stacks)
	}
	problem := f.result.Problem
	if problem == pyread.NoOp && len(awaits(rec)) > 0 {
		problem = "" // the ops of the loop only waited, and what for is known exactly
	}
	content := map[record.ProfileKind][]byte{}
	for _, kind := range kinds {
		p := record.Profile{Kind: kind, WindowNs: seen.WindowNs, Samples: seen.Samples, Problem: problem}
		if seen.WindowNs > 0 {
			p.AchievedHz = float64(seen.Samples) / (float64(seen.WindowNs) / 1e9)
		}
		var b bytes.Buffer
		if err := f.write(&b, kind, rec); err != nil {
			p.Problem = err.Error()
		}
		content[kind] = b.Bytes()
		rec.Profiles = append(rec.Profiles, p)
	}
	return content
}

// write writes one profile.
func (f *frames) write(b *bytes.Buffer, kind record.ProfileKind, rec *record.Record) error {
	if kind == record.CPUProfile {
		return f.result.CPU().Write(b)
	}
	return f.result.Wall(awaits(rec)).Write(b)
}

// blocking returns where the thread of an event loop was blocked the longest
// within an op: a thread that is asleep in the loop's selector has no op on its
// stack. It returns nil if it never was.
func blocking(stacks []pyread.Stack) *record.Frame {
	ns := map[record.Frame]int64{}
	var longest *record.Frame
	for _, s := range stacks {
		if s.State != pyread.Blocked && s.State != pyread.BlockedGIL {
			continue
		}
		for _, at := range s.Frames {
			if strings.HasPrefix(at.Function, "<call> ") || at.Function == pyread.Anchor {
				continue // the text of a call, which has the line of the frame that follows
			}
			if ns[at] += s.Ns; longest == nil || ns[at] > ns[*longest] {
				longest = &at
			}
			break
		}
	}
	return longest
}

// awaits returns what an event loop's ops waited for: of those that were
// followed, scaled to all.
func awaits(rec *record.Record) []record.Await {
	if rec.Loop == nil || rec.Loop.Tasks == nil || rec.Loop.Tasks.Sampled == 0 {
		return nil
	}
	scale := max(float64(rec.Ops)/float64(rec.Loop.Tasks.Sampled), 1)
	var all []record.Await
	for _, a := range rec.Loop.Tasks.Awaits {
		a.WallNs, a.Count = int64(scale*float64(a.WallNs)), int64(scale*float64(a.Count))
		all = append(all, a)
	}
	return all
}

func reported(rec *record.Record, kind record.ProfileKind) bool {
	for _, p := range rec.Profiles {
		if p.Kind == kind {
			return true
		}
	}
	return false
}
