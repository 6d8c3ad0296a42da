package runner

import (
	"bytes"
	"testing"

	"github.com/concprof/concprof/probes/record"
)

// Whatever a probe writes, what is taken of it is a record that a trial can
// have.
func FuzzEvents(f *testing.F) {
	begin := `{"event":"hello","token":"t","version":1}` + "\n" + `{"event":"ready","token":"t"}` + "\n"
	f.Add([]byte(begin + `{"event":"end","token":"t","record":{"status":"ok","ops":3,"wall_ns":5,"latency":{"counts":{"3":1},"n":1,"min":3,"max":3,"sum":3}}}` + "\n" + `{"event":"bye","token":"t"}` + "\n"))
	f.Add([]byte(begin + `{"event":"fatal","token":"t","stage":"ops","reason":"x"}` + "\n"))
	f.Add([]byte(begin + `{"event":"end","token":"t","record":{"ops":-1}}` + "\n"))
	f.Add([]byte(begin + `{"event":"end","token":"t","record":{"latency":{"counts":{"-1":9223372036854775807,"1":9223372036854775807}}}}` + "\n"))
	f.Add([]byte("null\n"))
	// As a Python probe says it.
	python := `{"event":"hello","token":"t","version":1,"pid":7,"runtime":"CPython 3.12","interpreter":{"version":"3.12.1"}}` + "\n" + `{"event":"ready","token":"t"}` + "\n"
	f.Add([]byte(python + `{"event":"end","token":"t","record":{"status":"ok","ops":3,"wall_ns":5,"notes":["2 tasks were never awaited"],"loop":{"idle_ns":1,"busy_ns":2,"turns":3,"tasks":{"sampled":1,"steps":2,"awaits":[{"function":"f","file":"a.py","line":1,"wait":"network","wall_ns":3,"count":1,"frames":[{"function":"f"}]}]},"blocking":{"function":"time.sleep"}},"python":{"approximate":"clocks only","samples":2,"python_ns":1}}}` + "\n" + `{"event":"bye","token":"t"}` + "\n"))
	f.Add([]byte(python + `{"event":"end","token":"t","record":{"ops":1,"wall_ns":1,"loop":{"turns":-1}}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := new(report)
		r.read(bytes.NewReader(data), "t", func(record.Event) {})
		if r.bad == "" && r.bye && r.record == nil {
			t.Error("a goodbye without a record")
		}
		if r.record == nil {
			return
		}
		rec := *r.record
		if rec.Ops < 0 || rec.FailedOps > rec.Ops || rec.WallNs < 0 || len(rec.Errors) > record.MaxErrors || rec.Exit != nil || rec.Host != nil {
			t.Errorf("took %+v", rec)
		}
		if l := rec.Loop; l != nil && (l.Turns < 0 || l.BusyNs < 0 || l.Tasks != nil && len(l.Tasks.Awaits) > maxAwaits) || len(rec.Notes) > record.MaxNotes {
			t.Errorf("took the loop %+v, %d notes", l, len(rec.Notes))
		}
		rec.Latency.Quantile(0.99)
		new(record.Histogram).Merge(rec.Latency)
	})
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		s    string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aéb", 2, "a"}, {"é", 1, ""}, {"日本", 5, "日"}} {
		if got := clip(tt.s, tt.n); got != tt.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
}

// A pause is part of the trial's time and ends after it began.
func TestCheckPause(t *testing.T) {
	for _, tt := range []struct {
		wall, paused, cpu int64
		ok                bool
	}{{100, 0, 0, true}, {100, 100, 3, true}, {100, 101, 0, false}, {100, -1, 0, false}, {100, 50, -1, false}} {
		r := &record.Record{Ops: 1, WallNs: tt.wall, Thread: &record.Thread{PausedNs: tt.paused, PausedCPUNs: tt.cpu}}
		if err := check(r); (err == nil) != tt.ok {
			t.Errorf("%+v: %v, want it taken: %t", tt, err, tt.ok)
		}
	}
}
