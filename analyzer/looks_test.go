package analyzer

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// withProfiles lets every profiled trial of a run have left the recorded
// profiles of an op.
func withProfiles(run *rundir.Run, op string) reader {
	for i := range run.Finished {
		if f := &run.Finished[i]; f.Trial.Pass.Profiled() {
			f.Record.Profiles = []record.Profile{
				{Kind: record.CPUProfile, File: op + ".cpu.pb.gz"},
				{Kind: record.WallProfile, File: op + ".wall.pb.gz", AchievedHz: 90},
			}
		}
	}
	return func(_, file string) ([]byte, error) { return os.ReadFile(filepath.Join("profile", "testdata", file)) }
}

func TestWaitsAndLimitsOfRecordedProfiles(t *testing.T) {
	tests := []struct {
		name  string
		op    op
		wait  record.Wait
		limit LimitKind
	}{
		{"http", op{cpu: 1e5, wait: 2e7}, record.Network, ""},
		{"tcp", op{cpu: 1e5, wait: 2e7}, record.Network, ""},
		{"sleep", op{cpu: 1e5, wait: 2e7}, record.Timer, ""},
		{"channel", op{cpu: 1e5, wait: 2e7}, record.Channel, ""},
		{"mutex", op{cpu: 1e5, wait: 2e7, lock: 2e7}, record.Lock, LimitLock},
		{"exec", op{cpu: 1e5, wait: 2e7}, record.Subprocess, LimitLoopStall},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			run := l.drive(t, l.plan(15, 8, goModels, []int{1, 8, 64}, "op"), DefaultOptions())
			res, err := analyze(run, DefaultOptions(), withProfiles(run, tt.name))
			if err != nil {
				t.Fatal(err)
			}
			w := res.Workloads[0]
			if kind, share := leading(w.Waits); kind != tt.wait || share < 0.5 {
				t.Errorf("waits %v, want mostly %s", w.Waits, tt.wait)
			}
			for _, c := range w.Cells {
				var sum float64
				for _, share := range c.Waits {
					sum += share
				}
				if c.Waits != nil && math.Abs(sum-1) > 1e-6 {
					t.Errorf("%s at %d: shares sum to %v: %v", c.Model, c.Concurrency, sum, c.Waits)
				}
			}
			found := false
			for _, x := range w.Limits {
				if x.Kind == tt.limit {
					found = true
					if x.Function == "" || x.Line == 0 {
						t.Errorf("limit %+v has no place", x)
					}
				} else {
					t.Errorf("limit %+v, want %q only", x, tt.limit)
				}
			}
			if tt.limit != "" && !found {
				t.Errorf("no limit %s in %v", tt.limit, w.Limits)
			}
			if r := w.Recommendation; tt.limit == LimitLoopStall && r != nil && r.Model == model.EventLoop {
				t.Error("recommends an event loop for an op that stalls it")
			}
			paths := make(map[string]bool)
			for _, f := range DerivedFiles(res) {
				if paths[f.Path] || !filepath.IsLocal(f.Path) || !strings.HasPrefix(f.Path, "profiles/op/") {
					t.Errorf("path %q", f.Path)
				}
				paths[f.Path] = true
				if err := f.Write(discard{}); err != nil {
					t.Errorf("%s: %v", f.Path, err)
				}
			}
			for _, f := range w.Profiles {
				if (f.Path == "") == (f.Problem == "") || f.Path != "" && !paths[f.Path] {
					t.Errorf("profile %+v has no file and no problem, or both", f)
				}
			}
			if !paths["profiles/op/sequential-1.cpu.perop.pb.gz"] {
				t.Errorf("no profile of sequential in %v", paths)
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// A profile that is not the one that the trial left is not used, and said.
func TestChangedProfilesAreSaid(t *testing.T) {
	l := newLab("op", op{cpu: 2e6})
	run := l.drive(t, l.plan(15, 8, goModels, []int{1, 8}, "op"), DefaultOptions())
	withProfiles(run, "cpu")
	data, err := os.ReadFile("profile/testdata/cpu.cpu.pb.gz")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	for _, tt := range []struct {
		name, digest string
		want         int // warnings
	}{{"unknown", "", 0}, {"as it was", hex.EncodeToString(sum[:]), 0}, {"another", strings.Repeat("0", 64), 1}} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range run.Finished {
				for k := range run.Finished[i].Record.Profiles {
					run.Finished[i].Record.Profiles[k].SHA256 = tt.digest
				}
			}
			res, err := analyze(run, DefaultOptions(), func(string, string) ([]byte, error) { return data, nil })
			if err != nil {
				t.Fatal(err)
			}
			if got := len(warnings(res.Workloads[0], WarnChanged)); got != tt.want {
				t.Errorf("%d warnings, want %d", got, tt.want)
			}
		})
	}
}

// A profile that cannot be read is a warning, never the end of the judgement.
func TestBrokenProfilesAreSaid(t *testing.T) {
	l := newLab("op", op{cpu: 2e6})
	run := l.drive(t, l.plan(15, 8, goModels, []int{1, 8}, "op"), DefaultOptions())
	withProfiles(run, "cpu")
	res, err := analyze(run, DefaultOptions(), func(string, string) ([]byte, error) { return []byte("not a profile"), nil })
	if err != nil {
		t.Fatal(err)
	}
	w := res.Workloads[0]
	if w.Class != CPUBound || w.Recommendation == nil {
		t.Errorf("class %s, recommendation %v: clocks and timing need no profiles", w.Class, w.Recommendation)
	}
	found := false
	for _, x := range w.Warnings {
		found = found || x.ID == WarnProfiles
	}
	if !found || len(DerivedFiles(res)) > 0 {
		t.Errorf("warnings %v, files %v", w.Warnings, DerivedFiles(res))
	}
}

func TestDemandUsesTheRightClocks(t *testing.T) {
	tests := []struct {
		name string
		r    record.Record
		want float64
	}{
		{"computes on an idle machine", record.Record{WallNs: 100, Thread: &record.Thread{CPUNs: 99}}, 0.99},
		{"computes on a busy one", record.Record{WallNs: 200, Thread: &record.Thread{CPUNs: 99, RunnableNs: 100}}, 0.99},
		{"waits", record.Record{WallNs: 100, Thread: &record.Thread{CPUNs: 1, LabelledNs: 2}}, 0.02},
		{"computes on two goroutines", record.Record{WallNs: 100, Thread: &record.Thread{CPUNs: 50, LabelledNs: 190}}, 1.9},
		{"computes in a child", record.Record{WallNs: 100, Thread: &record.Thread{CPUNs: 2}, CPU: record.CPU{ChildrenNs: 90}}, 0.92},
		{"no thread clocks", record.Record{WallNs: 100, CPU: record.CPU{UserNs: 30, SystemNs: 30, ChildrenNs: 50}}, 0.6},
		{"held back by max_rate for nine tenths", record.Record{WallNs: 1000, Thread: &record.Thread{CPUNs: 99, PausedNs: 900}}, 0.99},
		{"held back, one sample of the CPU profile", record.Record{WallNs: 1e9, Thread: &record.Thread{CPUNs: 3e6, LabelledNs: 1e7, PausedNs: 996e6}}, 0.75},
		{"held back, computes on two goroutines", record.Record{WallNs: 1e9, Thread: &record.Thread{CPUNs: 5e7, LabelledNs: 2e8, PausedNs: 9e8}}, 2},
		{"held back, CPython's process computes in between", record.Record{WallNs: 1000, CPU: record.CPU{UserNs: 90}, Python: &record.Python{},
			Thread: &record.Thread{CPUNs: 50, PausedNs: 900, PausedCPUNs: 40}}, 0.5},
		{"more run-queue wait than wall", record.Record{WallNs: 100, Thread: &record.Thread{CPUNs: 50, RunnableNs: 120}}, 1},
		{"nothing", record.Record{}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := demandOf(&tt.r); math.Abs(got-tt.want) > 1e-9 {
				t.Errorf("demand %v, want %v", got, tt.want)
			}
			if tt.r.WallNs > 0 {
				s := splitOf([]plan.Finished{{Record: tt.r}})
				if math.Abs(s.OnCPU+s.Runnable+s.Blocked-1) > 1e-9 || s.Blocked < 0 {
					t.Errorf("split %+v", s)
				}
			}
		})
	}
}
