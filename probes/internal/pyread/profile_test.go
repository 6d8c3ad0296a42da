package pyread

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/concprof/concprof/probes/record"
)

func TestProfiles(t *testing.T) {
	work := record.Frame{Function: "work", File: "/w.py", Line: 3}
	root := record.Frame{Function: Anchor}
	call := record.Frame{Function: "<call> time.sleep", File: "/w.py", Line: 3}
	r := &Result{
		Stacks: []Stack{
			{Frames: []record.Frame{work, root}, State: Python, GIL: true, Count: 3, Ns: 30},
			{Frames: []record.Frame{work, root}, State: Native, Count: 2, Ns: 20},
			{Frames: []record.Frame{call, work, root}, State: Blocked, Wait: record.Timer, Count: 5, Ns: 50},
			{Frames: []record.Frame{work, root}, State: GILWait, Wait: record.GIL, Count: 1, Ns: 10},
			{Frames: []record.Frame{work, root}, State: Runnable, Count: 1, Ns: 11},
			{Frames: []record.Frame{call, work, root}, State: BlockedGIL, Wait: record.Other, GIL: true, Count: 1, Ns: 12},
		},
		Seen: record.Python{Samples: 10, WindowNs: 100},
	}
	awaits := []record.Await{{
		Frames: []record.Frame{{Function: "concprof_op_async", File: "/concprof_probe.py", Line: 1}, {Function: "fetch", File: "/w.py", Line: 9}},
		Wait:   record.Network, WallNs: 500, Count: 7,
	}}
	type sample struct {
		Leaf, Root, State, Wait, GIL string
		Count, Ns                    int64
	}
	label := func(s *profile.Sample, key string) string {
		if v := s.Label[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	list := func(p *profile.Profile) (all []sample) {
		var buf bytes.Buffer
		if err := p.Write(&buf); err != nil {
			t.Fatal(err)
		}
		p, err := profile.Parse(&buf)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Comments) != 1 || p.Comments[0] != comment || p.Period != 10 {
			t.Errorf("comments %q, period %d", p.Comments, p.Period)
		}
		for _, s := range p.Sample {
			first, last := s.Location[0].Line[0].Function, s.Location[len(s.Location)-1].Line[0].Function
			all = append(all, sample{first.Name, last.Name, label(s, "state"), label(s, "wait"), label(s, "gil"), s.Value[0], s.Value[1]})
		}
		return all
	}
	cpu := []sample{
		{"work", Anchor, "running", "", "held", 3, 30},
		{"work", Anchor, "running", "", "none", 2, 20},
	}
	if diff := cmp.Diff(cpu, list(r.CPU())); diff != "" {
		t.Error(diff)
	}
	wall := append(cpu,
		sample{"<call> time.sleep", Anchor, "blocked", "timer", "", 5, 50},
		sample{"work", Anchor, "gil-wait", "gil", "", 1, 10},
		sample{"work", Anchor, "runnable", "", "", 1, 11},
		sample{"<call> time.sleep", Anchor, "blocked", "other", "held", 1, 12},
		sample{"fetch", Anchor, "blocked", "network", "", 7, 500},
	)
	if diff := cmp.Diff(wall, list(r.Wall(awaits))); diff != "" {
		t.Error(diff)
	}
	empty := &Result{}
	if err := empty.CPU().CheckValid(); err != nil {
		t.Error(err)
	}
	if awaits[0].Frames[0].Function != "concprof_op_async" {
		t.Error("the awaits were changed")
	}
}

func TestSyncWait(t *testing.T) {
	lib := "/usr/lib/python3.12/"
	f := func(file, function string) record.Frame { return record.Frame{File: file, Function: function} }
	mine := f("/home/me/app.py", "work")
	tests := []struct {
		name   string
		frames []record.Frame
		call   string
		want   record.Wait
	}{
		{"lock", []record.Frame{mine}, "mutex.acquire", record.Lock},
		{"queue", []record.Frame{f(lib+"threading.py", "Condition.wait"), f(lib+"queue.py", "Queue.get"), mine}, "waiter.acquire", record.Channel},
		{"semaphore", []record.Frame{f(lib+"threading.py", "Condition.wait"), f(lib+"threading.py", "Semaphore.acquire"), mine}, "waiter.acquire", record.Lock},
		{"event", []record.Frame{f(lib+"threading.py", "Condition.wait"), f(lib+"threading.py", "Event.wait"), mine}, "waiter.acquire", record.Channel},
		{"future", []record.Frame{f(lib+"threading.py", "Condition.wait"), f(lib+"concurrent/futures/_base.py", "Future.result"), mine}, "waiter.acquire", record.Channel},
		{"child", []record.Frame{f(lib+"selectors.py", "_PollLikeSelector.select"), f(lib+"subprocess.py", "Popen._communicate"), mine}, "self._selector.poll", record.Subprocess},
		{"C queue", []record.Frame{mine}, "jobs.get", record.Channel},
		{"somebody's own queue.py", []record.Frame{f("/home/me/queue.py", "get"), mine}, "x", ""},
		{"nothing", nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := syncWait(tt.frames, tt.call); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
