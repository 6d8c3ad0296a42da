package probes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

func ms(n int64) workload.Duration { return workload.Duration(n * int64(time.Millisecond)) }

// runAll runs trials of a file and returns the run.
func runAll(t *testing.T, f *workload.File, trials ...plan.Trial) *rundir.Run {
	t.Helper()
	p := planOf(f)
	dir, err := rundir.Create(t.TempDir(), rundir.Manifest{Name: "test", Created: time.Now(), Plan: *p}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var race []string
	for _, tr := range trials {
		if tr.Pass == plan.Race {
			race = []string{f.Workloads[0].Name}
		}
	}
	prepared, err := Prepare(context.Background(), f, PrepareOptions{Race: race})
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	if reason := prepared.NoRace(f.Workloads[0].Name); race != nil && reason != "" {
		t.Skipf("SKIPPED: the race detector: %s", reason)
	}
	var decisions script
	for i, tr := range trials {
		tr.ID = fmt.Sprintf("t%04d", i+1)
		if tr.Cell.Model == "" {
			tr.Cell.Model, tr.Cell.Concurrency = model.Sequential, 1
		}
		if tr.Control == "" {
			tr.Cell.Workload = f.Workloads[0].Name
		}
		decisions = append(decisions, plan.Decision{Trials: []plan.Trial{tr}})
	}
	o := Options{Dir: dir, History: plan.History{Plan: p}, NoHostLock: true, Planner: decisions}
	if err := Run(context.Background(), prepared, o); err != nil {
		t.Fatal(err)
	}
	r, err := rundir.Open(dir.Path())
	if err != nil {
		t.Fatal(err)
	}
	if !r.Complete || r.Torn || len(r.Finished) != len(trials) {
		t.Fatalf("run: complete %t, torn %t, %d finished", r.Complete, r.Torn, len(r.Finished))
	}
	return r
}

func wantOK(t *testing.T, r *rundir.Run) {
	t.Helper()
	for _, f := range r.Finished {
		if f.Record.Status != record.OK {
			t.Errorf("%s %s %s: %s: %s %v", f.Trial.ID, f.Trial.Pass, f.Trial.Control, f.Record.Status, f.Record.Reason, f.Record.Errors)
		}
	}
}

// Every pass, on built-in steps and a built-in server: what was calibrated dry
// is what the other trials do, and profiled trials leave their profiles.
func TestRunBuiltinSteps(t *testing.T) {
	f := &workload.File{
		Dir:     t.TempDir(),
		Servers: map[string]workload.Server{"api": {HTTP: &workload.BuiltinServer{Latency: ms(5)}}, "echo": {TCP: &workload.BuiltinServer{}}},
		Workloads: []workload.Workload{{Name: "w", Steps: []workload.Step{
			{HTTP: &workload.HTTP{Server: "api"}}, {TCP: &workload.TCP{Server: "echo"}}, {CPU: &workload.CPU{Kind: "sha256", For: ms(1)}},
		}}},
	}
	pool := plan.Cell{Model: model.Pool, Concurrency: 4}
	r := runAll(t, f,
		plan.Trial{Pass: plan.Dry}, plan.Trial{Pass: plan.Dry, Control: plan.ControlCPU}, plan.Trial{Pass: plan.Dry, Control: plan.ControlWait},
		plan.Trial{Pass: plan.ControlRun, Control: plan.ControlCPU, Ops: 50}, plan.Trial{Pass: plan.ControlRun, Control: plan.ControlWait, Ops: 20},
		plan.Trial{Pass: plan.Classify, Ops: 20}, plan.Trial{Pass: plan.Contention, Cell: pool, Ops: 40},
		plan.Trial{Pass: plan.Pilot, Cell: pool, ForNs: 2e7, MinOps: 8}, plan.Trial{Pass: plan.Timing, Cell: pool, Ops: 40},
		plan.Trial{Pass: plan.Timing, Cell: plan.Cell{Model: model.Processes, Concurrency: 2}, Ops: 20},
	)
	wantOK(t, r)
	if n := r.Finished[0].Record.Dry.Iterations; len(n) != 3 || n[2] <= 0 {
		t.Errorf("iterations %v", n)
	}
	for _, f := range r.Finished {
		if f.Trial.Ops > 0 && f.Record.Ops != f.Trial.Ops {
			t.Errorf("%s: %d ops, want %d", f.Trial.ID, f.Record.Ops, f.Trial.Ops)
		}
		if f.Record.Host == nil || f.Record.Exit == nil || f.Record.ElapsedNs < f.Record.WallNs {
			t.Errorf("%s: %+v", f.Trial.ID, f.Record)
		}
		if f.Trial.Pass.Profiled() != (len(f.Record.Profiles) > 0) {
			t.Errorf("%s: %d profiles in pass %s", f.Trial.ID, len(f.Record.Profiles), f.Trial.Pass)
		}
		for _, p := range f.Record.Profiles {
			if data, err := r.ReadProfile(f.Trial.ID, p.File); err != nil || len(data) == 0 {
				t.Errorf("%s: %s profile: %d bytes, %v", f.Trial.ID, p.Kind, len(data), err)
			}
		}
	}
	same, ops := r.Finished[5].Record.Digest.Compare(r.Finished[9].Record.Digest)
	if !same || ops == 0 {
		t.Errorf("results agree over %d ops: %t", ops, same)
	}
}

// A command sees its inputs, the servers' addresses and what is declared, and
// nothing else of the environment.
func TestRunCommand(t *testing.T) {
	t.Setenv("CANARY", "c4n4ry-value")
	t.Setenv("WANTED", "w4nted-value")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "inputs.txt"), []byte("one\ntwo\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	f := &workload.File{
		Dir:     dir,
		Servers: map[string]workload.Server{"my-api": {HTTP: &workload.BuiltinServer{}}},
		Workloads: []workload.Workload{{
			Name: "w", Command: []string{"sh", "-c", `echo "$0" >> seen; env >> seen; pwd >> seen; echo "$WANTED" >&2`, "{input}"},
			Inputs: &workload.Inputs{File: "inputs.txt"}, Env: []string{"WANTED", "MODE=fast", "PATH=/usr/bin:/bin"},
		}},
	}
	r := runAll(t, f, plan.Trial{Pass: plan.Timing, Ops: 2})
	wantOK(t, r)
	data, err := os.ReadFile(filepath.Join(dir, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	seen := string(data)
	for _, want := range []string{"one\n", "two\n", "WANTED=w4nted-value\n", "MODE=fast\n", "PATH=/usr/bin:/bin\n", "CONCPROF_SERVER_MY_API=127.0.0.1:", "TMPDIR=", dir + "\n"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the command did not see %q:\n%s", want, seen)
		}
	}
	if strings.Contains(seen, "c4n4ry") || strings.Contains(seen, r.Path) {
		t.Errorf("the command saw what it must not:\n%s", seen)
	}
	// What was passed to the workload is in no file of the run.
	err = filepath.WalkDir(r.Path, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), "w4nted-value") {
			t.Errorf("%s has the value of a variable", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRunKeepsToMaxOps(t *testing.T) {
	f := &workload.File{Dir: t.TempDir(), Workloads: []workload.Workload{{Name: "w", MaxOps: 10, Steps: []workload.Step{{Sleep: &workload.Sleep{For: ms(1)}}}}}}
	r := runAll(t, f,
		plan.Trial{Pass: plan.Timing, Ops: 4}, plan.Trial{Pass: plan.Timing, Ops: 4}, plan.Trial{Pass: plan.Timing, ForNs: 1e9, MinOps: 5},
		plan.Trial{Pass: plan.Timing, Ops: 4}, plan.Trial{Pass: plan.ControlRun, Control: plan.ControlWait, Ops: 2},
	)
	var ops []int64
	for _, f := range r.Finished {
		ops = append(ops, f.Record.Ops)
	}
	if fmt.Sprint(ops) != "[4 4 2 0 2]" || r.Finished[3].Record.Status != record.Skipped {
		t.Errorf("ops %v, the fourth %s", ops, r.Finished[3].Record.Status)
	}
}

func TestPrepareAndCleanupCommands(t *testing.T) {
	dir := t.TempDir()
	f := &workload.File{Dir: dir, Workloads: []workload.Workload{{
		Name: "w", Command: []string{"sh", "-c", "echo op >> log"},
		Prepare: []string{"sh", "-c", "echo prepare >> log; test ! -e fail || { echo no space >&2; exit 9; }"},
		Cleanup: []string{"sh", "-c", "echo cleanup >> log; touch fail"},
	}}}
	r := runAll(t, f, plan.Trial{Pass: plan.Dry}, plan.Trial{Pass: plan.Dry})
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil || string(log) != "prepare\nop\ncleanup\nprepare\ncleanup\n" {
		t.Errorf("log %q, %v", log, err)
	}
	if rec := r.Finished[0].Record; rec.Status != record.OK {
		t.Errorf("first: %s: %s", rec.Status, rec.Reason)
	}
	if rec := r.Finished[1].Record; rec.Status != record.SetupFailed || rec.Reason != "prepare: exit status 9: no space" {
		t.Errorf("second: %s: %s", rec.Status, rec.Reason)
	}
}

// It builds the probe, which takes seconds, or a minute on a cold cache.
func TestRunGoFunction(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a probe is built")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.22\n",
		"shop.go": `package shop

import (
	"errors"
	"os"
)

var ready string

func Open() error { ready = os.Getenv("CONCPROF_SERVER_API"); return nil }

func Sell(n int) (string, error) {
	if ready == "" {
		return "", errors.New("not open")
	}
	return "sold", nil
}

func Break(n int) int { return []int{1}[n+1] }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file := func(fn string) *workload.File {
		return &workload.File{
			Dir: dir, Servers: map[string]workload.Server{"api": {HTTP: &workload.BuiltinServer{}}},
			Workloads: []workload.Workload{{Name: "w", Go: &workload.GoFunc{Package: ".", Func: fn}, Setup: "Open"}},
		}
	}
	r := runAll(t, file("Sell"), plan.Trial{Pass: plan.Dry}, plan.Trial{Pass: plan.Timing, Ops: 100, Cell: plan.Cell{Model: model.Goroutines, Concurrency: 4}})
	wantOK(t, r)
	if d := r.Finished[0].Record.Dry; d == nil || d.Result != `"sold"` {
		t.Errorf("dry %+v", d)
	}
	rec := runAll(t, file("Break"), plan.Trial{Pass: plan.Dry}).Finished[0].Record
	if rec.Status != record.Failed || rec.Reason != "panic: runtime error: index out of range [1] with length 1" || rec.Frame != "example.com/shop.Break shop.go:19" {
		t.Errorf("%s: %s at %q", rec.Status, rec.Reason, rec.Frame)
	}
}

// A planner that wants nothing would have Run turn in circles.
func TestRunRefusesAPlannerWithoutAim(t *testing.T) {
	f := &workload.File{Dir: t.TempDir(), Workloads: []workload.Workload{{Name: "w", Command: []string{"true"}}}}
	prepared, err := Prepare(context.Background(), f, PrepareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := planOf(f)
	dir, err := rundir.Create(t.TempDir(), rundir.Manifest{Name: "test", Created: time.Now(), Plan: *p}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	o := Options{Dir: dir, History: plan.History{Plan: p}, NoHostLock: true, Planner: script{{}}}
	if err := Run(context.Background(), prepared, o); err == nil || !strings.Contains(err.Error(), "neither a trial nor the end") {
		t.Errorf("error %v", err)
	}
	o.Planner = script{{Trials: []plan.Trial{{ID: "t0001", Cell: plan.Cell{Workload: "other"}}}}}
	var we *rundir.WriteError
	if err := Run(context.Background(), prepared, o); err == nil || errors.As(err, &we) {
		t.Errorf("a trial of an unknown workload: %v", err)
	}
}

// A trial ends by its own deadline where that comes before the workload's, so
// a contention probe whose ops wait for each other leaves the budget to others.
func TestTrialsHaveDeadlinesOfTheirOwn(t *testing.T) {
	f := &workload.File{Dir: t.TempDir(), Workloads: []workload.Workload{{Name: "w", Command: []string{"sleep", "600"}}}}
	begun := time.Now()
	r := runAll(t, f, plan.Trial{Pass: plan.Pilot, Ops: 1, TimeoutNs: int64(500 * time.Millisecond)})
	if got := r.Finished[0].Record; got.Status != record.TimedOut {
		t.Errorf("%s: %s, want it to be ended", got.Status, got.Reason)
	}
	if d := time.Since(begun); d > workload.DefaultTimeout {
		t.Errorf("it took %v, as long as the workload's timeout", d)
	}
}
