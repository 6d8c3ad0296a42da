package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/google/pprof/profile"
)

// anchored sums the samples of a profile whose stacks go through runOp.
func anchored(t *testing.T, data []byte) (through, all int64) {
	t.Helper()
	p, err := profile.ParseData(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Sample {
		all += s.Value[0]
	stack:
		for _, l := range s.Location {
			for _, line := range l.Line {
				if line.Function.Name == "github.com/concprof/concprof/probes/harness.runOp" {
					through += s.Value[0]
					break stack
				}
			}
		}
	}
	return through, all
}

func TestClassifyCPU(t *testing.T) {
	o := probe(t, Spec{
		Mode: ModeClassify, ForNs: int64(400 * time.Millisecond),
		Steps: []Step{
			{Name: "hash", Kind: KindCPU, Work: "sha256", Iterations: 200},
			{Name: "wait", Kind: KindSleep, ForNs: int64(time.Millisecond)},
		},
	})
	r := o.record(t)
	if o.code != 0 || r.Thread == nil || len(r.Profiles) != 2 || len(r.Steps) != 2 {
		t.Fatalf("code %d, record %+v\n%s", o.code, r, o.stderr)
	}
	t.Logf("thread %+v wall %d steps %+v profiles %+v missing %q", *r.Thread, r.WallNs, r.Steps, r.Profiles, r.Missing)
	if through, all := anchored(t, o.cpu); through*2 < all {
		t.Errorf("%d of %d CPU samples go through the op", through, all)
	}
	if through, _ := anchored(t, o.wall); through == 0 {
		t.Error("no wall sample goes through the op")
	}
	hash, wait := r.Steps[0], r.Steps[1]
	if hash.Name != "hash" || hash.Ops == 0 || hash.CPUNs < wait.CPUNs {
		t.Errorf("steps %+v: the first computes, the second waits", r.Steps)
	}
	if r.Thread.CPUNs < hash.CPUNs/2 || r.Thread.LabelledNs == 0 {
		t.Errorf("thread %+v, steps %+v", r.Thread, r.Steps)
	}
}

// The time for which max_rate holds the next op back is no op's, and neither is
// what the thread does in it.
func TestClassifyHeldBack(t *testing.T) {
	o := probe(t, Spec{
		Mode: ModeClassify, Ops: 10, MaxRate: 50, LatencyEvery: 1,
		Steps: []Step{{Name: "hash", Kind: KindCPU, Work: "sha256", Iterations: 1}},
	})
	r := o.record(t)
	if o.code != 0 || r.Thread == nil || r.Latency == nil {
		t.Fatalf("code %d, record %+v\n%s", o.code, r, o.stderr)
	}
	// No sleep ends early: what is left of the time holds all ops.
	x := r.Thread
	if x.PausedNs <= 0 || x.PausedNs > r.WallNs || float64(r.WallNs-x.PausedNs) < r.Latency.Sum {
		t.Errorf("held back for %d of %d ns, ops took %.0f", x.PausedNs, r.WallNs, r.Latency.Sum)
	}
	if x.CPUNs <= 0 || x.PausedCPUNs <= 0 || x.RunnableNs < 0 {
		t.Errorf("thread %+v", *x)
	}
	o = probe(t, Spec{Mode: ModeClassify, Ops: 10, Steps: []Step{{Name: "hash", Kind: KindCPU, Work: "sha256", Iterations: 1}}})
	if r := o.record(t); r.Thread == nil || r.Thread.PausedNs != 0 {
		t.Errorf("thread %+v without a bound on the rate", r.Thread)
	}
}

func TestProfiledTooShort(t *testing.T) {
	// Ops that end at once leave the profilers with less than a tick.
	o := probe(t, Spec{
		Mode: ModeProfile, Model: model.Goroutines, Concurrency: 8, Ops: 1,
		Steps: []Step{{Kind: KindGo, Func: "nothing"}},
	})
	r := o.record(t)
	for _, p := range r.Profiles {
		if p.Kind == record.WallProfile && p.Samples == 0 {
			t.Errorf("profile %+v: want samples of an idle process", p)
		}
		if time.Duration(p.WindowNs) < minProfileWindow {
			t.Errorf("profile %+v: window too short", p)
		}
	}
}

// TestProfileModels holds that under every model the profiles see the op, at
// a rate that can be told.
func TestProfileModels(t *testing.T) {
	for _, m := range append(inProcess(), model.Processes) {
		t.Run(string(m), func(t *testing.T) {
			o := probe(t, Spec{
				Mode: ModeProfile, Model: m, Concurrency: 2, ForNs: int64(300 * time.Millisecond),
				Steps: []Step{{Name: "hash", Kind: KindCPU, Work: "sha256", Iterations: 50}},
			})
			r := o.record(t)
			if len(r.Profiles) != 2 || len(r.Missing) != 0 {
				t.Fatalf("profiles %+v, missing %q", r.Profiles, r.Missing)
			}
			for i, data := range [][]byte{o.cpu, o.wall} {
				p := r.Profiles[i]
				if through, all := anchored(t, data); through == 0 || through > all {
					t.Errorf("%+v: %d of %d samples go through the op", p, through, all)
				}
				if p.Samples == 0 || p.AchievedHz <= 0 {
					t.Errorf("profile %+v", p)
				}
			}
			t.Logf("%+v", r.Profiles)
		})
	}
}

func TestStopThatFails(t *testing.T) {
	if err := within(time.Minute, func() error { panic("integer divide by zero") }); err == nil {
		t.Error("a panic of the profiler is no error")
	}
	hang := make(chan struct{})
	defer close(hang)
	if err := within(time.Millisecond, func() error { <-hang; return nil }); err != errStopHangs {
		t.Errorf("a profiler that does not stop gives %v", err)
	}
}

func TestLeftGoroutines(t *testing.T) {
	o := probe(t, Spec{Model: model.Goroutines, Concurrency: 2, Ops: 20, Steps: goSpec("leaks").Steps})
	if n := o.record(t).Runtime.GoroutinesAt; n != 20 {
		t.Errorf("%d goroutines left, want one of each of 20 ops", n)
	}
	o = probe(t, Spec{Model: model.Goroutines, Concurrency: 2, Ops: 20, Steps: goSpec("nothing").Steps})
	if n := o.record(t).Runtime.GoroutinesAt; n != 0 {
		t.Errorf("%d goroutines left, want none", n)
	}
}

func TestOpenFiles(t *testing.T) {
	if openFiles() == 0 {
		t.Skip("SKIPPED: descriptors cannot be counted here: there is no /proc")
	}
	for fn, want := range map[string]int{"leaks files": 200, "nothing": 0} {
		r := probe(t, Spec{Model: model.Pool, Concurrency: 2, Ops: 200, Steps: goSpec(fn).Steps}).record(t).Runtime
		// The runtime opens a few of its own when it first waits.
		if n := r.OpenFilesAfter - r.OpenFilesBefore; r.OpenFilesBefore == 0 || n < want || n > want+5 {
			t.Errorf("%s: %d descriptors before, %d more after, want %d", fn, r.OpenFilesBefore, n, want)
		}
	}
}

func TestProcessorsBeforeAndAfter(t *testing.T) {
	for fn, want := range map[string]int{"processors": 7, "nothing": 2} {
		r := probe(t, Spec{Model: model.Pool, Concurrency: 2, Cores: 2, Ops: 20, Steps: goSpec(fn).Steps}).record(t).Runtime
		if r.GoMaxProcsBefore != 2 || r.GoMaxProcs != want {
			t.Errorf("%s: GOMAXPROCS %d before, %d after, want 2 and %d", fn, r.GoMaxProcsBefore, r.GoMaxProcs, want)
		}
	}
}

// TestSalvage has the profilers of ops that do not end stop by themselves, with
// profiles that can be read.
func TestSalvage(t *testing.T) {
	if at := salvageAt(30 * time.Second); at != 28*time.Second {
		t.Errorf("of 30s they stop after %v", at)
	}
	if at := salvageAt(2 * time.Second); at != 1500*time.Millisecond {
		t.Errorf("of 2s they stop after %v", at)
	}
	var cpu, wall *os.File
	for _, f := range []**os.File{&cpu, &wall} {
		var err error
		if *f, err = os.Create(filepath.Join(t.TempDir(), "profile")); err != nil {
			t.Fatal(err)
		}
	}
	p := &profilers{cpuOut: cpu, wallOut: wall}
	p.start()
	p.salvage(0)
	for _, f := range []*os.File{cpu, wall} {
		for { // until it is whole
			data, err := os.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			if len(data) > 0 {
				if _, err := profile.ParseData(data); err == nil {
					break
				}
			}
			time.Sleep(time.Millisecond)
		}
	}
	profiles, _ := p.stop()
	for _, r := range profiles {
		if !strings.Contains(r.Problem, "before the end") && !strings.Contains(r.Problem, "times a second") {
			t.Errorf("%+v", r)
		}
	}
	if len(profiles) != 2 {
		t.Errorf("%d profiles", len(profiles))
	}
}
