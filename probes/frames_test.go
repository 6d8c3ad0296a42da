package probes

import (
	"testing"

	"github.com/concprof/concprof/probes/internal/pyread"
	"github.com/concprof/concprof/probes/record"
)

func TestBlocking(t *testing.T) {
	get, call := record.Frame{Function: "get", File: "pages.py", Line: 41}, record.Frame{Function: "<call> connection.recv", File: "pages.py", Line: 41}
	nap, anchor := record.Frame{Function: "nap", File: "a.py", Line: 3}, record.Frame{Function: pyread.Anchor}
	stacks := []pyread.Stack{
		{Frames: []record.Frame{nap, anchor}, State: pyread.Python, Ns: 100},
		{Frames: []record.Frame{nap, anchor}, State: pyread.BlockedGIL, Ns: 7},
		{Frames: []record.Frame{call, get, anchor}, State: pyread.Blocked, Ns: 5},
		{Frames: []record.Frame{get, anchor}, State: pyread.Blocked, Ns: 4},
	}
	if got := blocking(stacks); got == nil || *got != get {
		t.Errorf("blocked in %v, want %v", got, get)
	}
	if got := blocking(stacks[:1]); got != nil {
		t.Errorf("blocked in %v, want nowhere", got)
	}
}

// TestAwaitsAreScaled holds that what a sample of tasks awaited stands for all.
func TestAwaitsAreScaled(t *testing.T) {
	rec := &record.Record{Ops: 1000, Loop: &record.Loop{Tasks: &record.Tasks{Sampled: 250, Awaits: []record.Await{{WallNs: 10, Count: 3}}}}}
	if got := awaits(rec); len(got) != 1 || got[0].WallNs != 40 || got[0].Count != 12 || rec.Loop.Tasks.Awaits[0].WallNs != 10 {
		t.Errorf("awaits %+v of %+v", got, rec.Loop.Tasks.Awaits)
	}
	if awaits(&record.Record{}) != nil {
		t.Error("awaits without a loop")
	}
}

// TestALoopThatOnlyWaits holds that ops of a loop which were seen on no stack are
// no problem if what they awaited is known.
func TestALoopThatOnlyWaits(t *testing.T) {
	for _, tt := range []struct {
		name string
		loop *record.Loop
		want string
	}{
		{"awaits", &record.Loop{Tasks: &record.Tasks{Sampled: 1, Awaits: []record.Await{{Wait: record.Timer, WallNs: 10, Count: 1}}}}, ""},
		{"no loop", nil, pyread.NoOp},
	} {
		f := &frames{result: &pyread.Result{Problem: pyread.NoOp, Seen: record.Python{Samples: 9, WindowNs: 1e8}}}
		rec := &record.Record{Ops: 1, Loop: tt.loop}
		f.Report(rec)
		for _, p := range rec.Profiles {
			if p.Problem != tt.want {
				t.Errorf("%s: the %s profile has the problem %q, want %q", tt.name, p.Kind, p.Problem, tt.want)
			}
		}
	}
}
