package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/google/go-cmp/cmp"
)

func goSpec(fn string) Spec {
	return Spec{Ops: 200, Steps: []Step{{Name: "f", Kind: KindGo, Func: fn}}}
}

func TestTrialRecord(t *testing.T) {
	for _, m := range append(inProcess(), model.Processes) {
		t.Run(string(m), func(t *testing.T) {
			s := goSpec("square")
			s.Model, s.Concurrency = m, 4
			o := probe(t, s)
			r := o.record(t)
			want := []record.EventKind{record.Hello, record.Ready, record.End, record.Bye}
			if diff := cmp.Diff(want, o.kinds()); diff != "" || o.code != 0 {
				t.Errorf("exit code %d, events (-want +got):\n%s", o.code, diff)
			}
			switch {
			case r.Status != record.OK || r.Ops != 200 || r.FailedOps != 0:
				t.Errorf("record %+v", r)
			case r.WallNs <= 0 || r.SetupNs <= 0 || r.StartedNs == 0:
				t.Errorf("times %+v", r)
			case r.Latency == nil || r.LatencyEvery < 1 || r.Latency.N > r.Ops:
				t.Errorf("latency of every %d: %+v", r.LatencyEvery, r.Latency)
			case r.Memory.PeakRSSBytes == 0 || r.Threads == 0:
				t.Errorf("memory %+v, %d threads", r.Memory, r.Threads)
			case (r.Loop != nil) != (m == model.EventLoop):
				t.Errorf("loop %+v", r.Loop)
			}
			procs := 2
			if m == model.EventLoop {
				procs = 1
			}
			if r.Runtime.GoMaxProcs != procs {
				t.Errorf("GOMAXPROCS was %d, want %d", r.Runtime.GoMaxProcs, procs)
			}
		})
	}
}

func TestTrialEndings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spec   Spec
		code   int
		events []record.EventKind
		stage  record.Stage
		reason string
		stderr string
	}{
		{
			name: "panic", spec: goSpec("panics"), code: 2,
			events: []record.EventKind{record.Hello, record.Ready}, stderr: "panic: on purpose",
		},
		{
			name: "panic of a worker", code: 1,
			spec:   Spec{Model: model.Processes, Concurrency: 2, Ops: 10, Steps: goSpec("panics").Steps},
			events: []record.EventKind{record.Hello, record.Ready, record.Fatal},
			stage:  record.StageOps, reason: "exit status 2", stderr: "panic: on purpose",
		},
		{
			name: "unknown function", spec: goSpec("nowhere"), code: 1,
			events: []record.EventKind{record.Hello, record.Fatal},
			stage:  record.StageSetup, reason: `no function is registered as "nowhere"`,
		},
		{
			name: "unknown function of workers", code: 1,
			spec:   Spec{Model: model.Processes, Concurrency: 2, Ops: 10, Steps: goSpec("nowhere").Steps},
			events: []record.EventKind{record.Hello, record.Fatal},
			stage:  record.StageSetup, reason: `worker`,
		},
		{
			name: "input does not fit", spec: goSpec("wants-struct"), code: 1,
			events: []record.EventKind{record.Hello, record.Ready, record.Fatal},
			stage:  record.StageSetup, reason: "wants-struct takes",
		},
		{
			name: "setup fails", code: 1,
			spec:   Spec{Ops: 1, Setup: "fails", Steps: goSpec("nothing").Steps},
			events: []record.EventKind{record.Hello, record.Fatal},
			stage:  record.StageSetup, reason: "on purpose",
		},
		{
			name: "teardown fails", code: 1,
			spec:   Spec{Ops: 1, Teardown: "fails", Steps: goSpec("nothing").Steps},
			events: []record.EventKind{record.Hello, record.Ready, record.End, record.Fatal},
			stage:  record.StageTeardown, reason: "on purpose",
		},
		{
			name: "no ops", spec: Spec{Steps: goSpec("nothing").Steps}, code: 1,
			events: []record.EventKind{record.Fatal},
			stage:  record.StageStart, reason: "neither ops nor a time",
		},
		{
			name: "uncalibrated", code: 1,
			spec:   Spec{Ops: 1, Steps: []Step{{Kind: KindCPU, Work: "sha256", ForNs: 1000}}},
			events: []record.EventKind{record.Hello, record.Fatal},
			stage:  record.StageSetup, reason: "dry trial",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := probe(t, tt.spec)
			if diff := cmp.Diff(tt.events, o.kinds()); diff != "" || o.code != tt.code {
				t.Errorf("exit code %d, want %d; events (-want +got):\n%s%s", o.code, tt.code, diff, o.stderr)
			}
			if !strings.Contains(o.stderr, tt.stderr) {
				t.Errorf("stderr %q, want %q in it", o.stderr, tt.stderr)
			}
			last := o.events[len(o.events)-1]
			if last.Kind == record.Fatal && (last.Stage != tt.stage || !strings.Contains(last.Reason, tt.reason)) {
				t.Errorf("fatal event %+v, want stage %s, reason with %q", last, tt.stage, tt.reason)
			}
		})
	}
}

func TestEveryOpFails(t *testing.T) {
	r := probe(t, goSpec("fails")).record(t)
	if r.Status != record.Failed || r.FailedOps != 200 || !strings.Contains(r.Reason, "on purpose") {
		t.Errorf("record %+v", r)
	}
}

func TestStandardOutputIsTheOps(t *testing.T) {
	s := goSpec("print")
	s.Ops = 2
	if o := probe(t, s); o.stdout != "from the op\nfrom the op\n" {
		t.Errorf("stdout %q", o.stdout)
	}
}

func TestDry(t *testing.T) {
	const want = time.Millisecond
	o := probe(t, Spec{Mode: ModeDry, Model: model.Pool, Concurrency: 8, Steps: []Step{
		{Name: "a", Kind: KindCPU, Work: "sha256", ForNs: int64(want)},
		{Name: "b", Kind: KindLock, Work: "cpu", ForNs: int64(want)},
		{Name: "c", Kind: KindSleep, ForNs: 1000},
		{Name: "d", Kind: KindCPU, Work: "json", Iterations: 3},
	}})
	r := o.record(t)
	if r.Ops != 1 || r.Dry == nil || len(r.Dry.Iterations) != 4 {
		t.Fatalf("record %+v, dry %+v", r, r.Dry)
	}
	n := r.Dry.Iterations
	if n[0] < 2 || n[0] != n[1] || n[2] != 0 || n[3] != 3 {
		t.Errorf("iterations %d: want equal amounts for equal times, none for a sleep, and what was fixed", n)
	}
	if r.Dry.Result == "" || r.Dry.OpNs <= 0 {
		t.Errorf("dry %+v", r.Dry)
	}
}

func TestForTime(t *testing.T) {
	for _, m := range []model.Model{model.Sequential, model.Goroutines, model.Processes} {
		t.Run(string(m), func(t *testing.T) {
			s := Spec{Model: m, Concurrency: 2, ForNs: int64(50 * time.Millisecond), Steps: goSpec("square").Steps}
			r := probe(t, s).record(t)
			if got := time.Duration(r.WallNs); got < 50*time.Millisecond || got > 5*time.Second {
				t.Errorf("took %s", got)
			}
			if r.Ops < 2 || r.Digest.Ops != r.Ops {
				t.Errorf("%d ops, digest of %d", r.Ops, r.Digest.Ops)
			}
			s.ForNs, s.MinOps = 1, 300
			if r := probe(t, s).record(t); r.Ops < 300 || r.Ops > 300+2 {
				t.Errorf("%d ops, want the least number, 300", r.Ops)
			}
			s.ForNs, s.MinOps, s.MaxOps = int64(time.Hour), 0, 100
			if r := probe(t, s).record(t); r.Ops != 100 {
				t.Errorf("%d ops, want the greatest number, 100", r.Ops)
			}
			s.MaxRate = 1000
			if r := probe(t, s).record(t); r.Ops != 100 || r.WallNs < int64(95*time.Millisecond) {
				t.Errorf("%d ops in %s at a rate of 1000/s", r.Ops, time.Duration(r.WallNs))
			}
		})
	}
}

func TestInputsOfFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte("a\r\nbb\n\nccc"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := loadInputs(&Inputs{File: file})
	if err != nil {
		t.Fatal(err)
	}
	var got []any
	for op := int64(0); op < 6; op++ {
		got = append(got, in.of(op))
	}
	if diff := cmp.Diff([]any{"a", "bb", "", "ccc", "a", "bb"}, got); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
}
