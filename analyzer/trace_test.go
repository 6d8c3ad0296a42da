package analyzer

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// asleepIn is a wall profile of ops that wait in a function of the runtime.
func asleepIn(t *testing.T, function string) []byte {
	t.Helper()
	_, wall := sampled(t, 1e6, 1, 99)
	p, err := pprof.ParseData(wall)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Function {
		if f.Name == "time.Sleep" {
			f.Name = function
		}
	}
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestTraces holds what an execution trace adds to the wall profiles: what is
// behind a channel, where that is outside of the process, and doubt, where
// neither what it saw nor what is behind that agrees with them.
func TestTraces(t *testing.T) {
	const sleep, receive = "time.Sleep", "runtime.chanrecv1"
	tests := []struct {
		name     string
		wall     string // where the wall profiles have the op wait
		trace    string // of which op, of the recorded ones
		change   func(data []byte) []byte
		digest   string
		wait     record.Wait // that leads in the verdict
		resolved record.Wait
		moved    bool
		warn     bool
		skipped  string
	}{
		{name: "both say timer", wall: sleep, trace: "sleep", wait: record.Timer, resolved: record.Timer},
		{name: "behind the channel is the network", wall: receive, trace: "client", wait: record.Network, resolved: record.Network, moved: true},
		{name: "behind two channels is the network", wall: receive, trace: "relay", wait: record.Network, resolved: record.Network, moved: true},
		{name: "behind the channel a worker sleeps", wall: receive, trace: "worker", wait: record.Channel, resolved: record.Timer},
		{name: "behind the channel is a timer", wall: receive, trace: "after", wait: record.Channel, resolved: record.Timer},
		{name: "what is behind agrees", wall: sleep, trace: "worker", wait: record.Timer, resolved: record.Timer},
		{name: "nothing agrees", wall: sleep, trace: "client", wait: record.Timer, resolved: record.Network, warn: true},
		{name: "a lock", wall: receive, trace: "mutex", wait: record.Channel, resolved: record.Lock, warn: true},
		{name: "cut", wall: sleep, trace: "sleep", change: func(b []byte) []byte { return b[:len(b)-9] }, wait: record.Timer, skipped: "not an execution trace"},
		{name: "changed", wall: sleep, trace: "sleep", digest: strings.Repeat("0", 64), wait: record.Timer, skipped: "was changed after the trial"},
		{name: "not written", wall: sleep, wait: record.Timer, skipped: "holds a secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 1e5, wait: 2e7})
			p := l.plan(20, 6, goModels, []int{1, 8}, "op")
			p.Workloads[0].Trace = true
			run := l.drive(t, p, DefaultOptions())
			wall := asleepIn(t, tt.wall)
			read := profiledRun(run, wall, wall, 100)
			traced := 0
			for i := range run.Finished {
				if f := &run.Finished[i]; f.Trial.Pass == plan.Tracing {
					traced++
					f.Record.Profiles = []record.Profile{{Kind: record.ExecutionTrace, File: record.TraceFile, SHA256: tt.digest}}
					if tt.trace == "" {
						f.Record.Profiles[0] = record.Profile{Kind: record.ExecutionTrace, Problem: "the execution trace holds a secret"}
					}
				}
			}
			if traced != 1 {
				t.Fatalf("%d traced trials", traced)
			}
			res, err := analyze(run, DefaultOptions(), func(trial, file string) ([]byte, error) {
				if file != record.TraceFile {
					return read(trial, file)
				}
				data, err := os.ReadFile(filepath.Join("exectrace", "testdata", tt.trace+".trace"))
				if tt.change != nil {
					data = tt.change(data)
				}
				return data, err
			})
			if err != nil {
				t.Fatal(err)
			}
			w := res.Workloads[0]
			if kind, share := leading(w.Waits); kind != tt.wait || share < 0.5 {
				t.Errorf("%s leads with %.2f, want %s: %v", kind, share, tt.wait, w.Waits)
			}
			if ws := warnings(w, WarnWaits); len(ws) > 0 != tt.warn || len(ws) > 0 && (ws[0].Remedy == "" || !strings.Contains(ws[0].Message, "%")) {
				t.Errorf("warnings %+v, want %t", ws, tt.warn)
			}
			x := w.Trace
			if x == nil || (tt.skipped == "") != (x.Skipped == "") || !strings.Contains(x.Skipped, tt.skipped) {
				t.Fatalf("trace %+v, want %q", x, tt.skipped)
			}
			said := slices.ContainsFunc(w.Evidence, func(s string) bool { return strings.Contains(s, "by an execution trace it waits for") })
			if said != (tt.skipped == "") {
				t.Errorf("evidence %q", w.Evidence)
			}
			if tt.skipped != "" {
				return
			}
			if !slices.ContainsFunc(w.Evidence, func(s string) bool { return strings.Contains(s, "most of that in example.com/m.work") }) {
				t.Errorf("where it waits is not told: %q", w.Evidence)
			}
			if kind, share := leading(x.Resolved); kind != tt.resolved || share < 0.5 || (x.Moved > 0.5) != tt.moved || x.WindowNs <= 0 {
				t.Errorf("resolved to %s with %.2f, moved %.2f, %d ns", kind, share, x.Moved, x.WindowNs)
			}
			ran := x.Running + x.Runnable + x.SystemCall
			for i, m := range []map[record.Wait]float64{w.Waits, x.Waits, x.Resolved} {
				sum, want := 0.0, 1-ran
				for _, s := range m {
					sum += s
				}
				if i == 0 {
					want = w.Split.Blocked
				}
				if math.Abs(sum-want) > 1e-9 {
					t.Errorf("waits %v add up to %.4f, want %.4f", m, sum, want)
				}
			}
		})
	}
}

// TestTraceFitsItsShare holds that an execution trace is left out where one op,
// or the shortest useful look, takes more than its share of the budget.
func TestTraceFitsItsShare(t *testing.T) {
	for _, tt := range []struct {
		name   string
		budget float64 // seconds
		wait   float64 // ns
		traced bool
	}{
		{"room", 20, 2e7, true},
		{"a long op", 20, 1e9, false},
		{"a small budget", 4, 2e6, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 1e5, wait: tt.wait})
			p := l.plan(tt.budget, 6, goModels, []int{1, 8}, "op")
			p.Workloads[0].Trace = true
			run := l.drive(t, p, DefaultOptions())
			var longest int64
			n := 0
			for _, f := range run.Finished {
				if f.Trial.Pass == plan.Tracing {
					n, longest = n+1, max(longest, f.Record.ElapsedNs)
				}
			}
			if n != btoi(tt.traced) {
				t.Errorf("%d traced trials", n)
			}
			if share := DefaultOptions().TraceShare * tt.budget * 1e9; float64(longest) > 1.1*share {
				t.Errorf("it took %d ns, its share is %.0f", longest, share)
			}
			if w := judged(t, run).Workloads[0]; !tt.traced && (w.Trace == nil || w.Trace.Skipped == "") {
				t.Errorf("trace %+v", w.Trace)
			}
		})
	}
}
