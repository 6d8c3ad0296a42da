package probes

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// runPython runs trials of the modules in testdata/py, in the Python that is
// found.
func runPython(t *testing.T, w workload.Workload, trials ...plan.Trial) *rundir.Run {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: dozens of interpreters are started")
	}
	dir, err := filepath.Abs("../testdata/py")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DefaultInterpreter(context.Background(), dir, nil); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	w.Name = "w"
	return runAll(t, &workload.File{
		Dir:       dir,
		Servers:   map[string]workload.Server{"api": {HTTP: &workload.BuiltinServer{Latency: ms(2), Bytes: 2048}}},
		Workloads: []workload.Workload{w},
	}, trials...)
}

// TestRunPython holds that each shape of a Python op runs under every model,
// and returns the same there.
func TestRunPython(t *testing.T) {
	pages := func(sync, async string) *workload.Python {
		return &workload.Python{File: "pages.py", Sync: sync, Async: async}
	}
	pair := pages("fetch", "afetch")
	tests := []struct {
		name     string
		workload workload.Workload
	}{
		{"sync", workload.Workload{Python: pages("fetch", "")}},
		{"async", workload.Workload{Python: pages("", "afetch")}},
		{"pair", workload.Workload{Python: pair}},
		{"module", workload.Workload{Python: &workload.Python{Module: "compute", Sync: "primes"}}},
		{"steps", workload.Workload{Steps: []workload.Step{{Python: pair}, {Python: pages("checksum", "")}}}},
		{"input", workload.Workload{Python: &workload.Python{File: "orders.py", Sync: "item"}, Inputs: &workload.Inputs{Count: 5}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trials := []plan.Trial{{Pass: plan.Dry}, {Pass: plan.Classify, Ops: 10}}
			for _, m := range []model.Model{model.EventLoop, model.Threads, model.Pool, model.Processes, model.Hybrid} {
				if ok, _ := m.Runs(tt.workload.Target()); ok {
					trials = append(trials, plan.Trial{Pass: plan.Timing, Ops: 10, Cell: plan.Cell{Model: m, Concurrency: 2}})
				}
			}
			r := runPython(t, tt.workload, trials...)
			wantOK(t, r)
			first := r.Finished[1].Record
			for _, f := range r.Finished[1:] {
				if same, n := f.Record.Digest.Compare(first.Digest); !same || n == 0 || f.Record.Ops != 10 {
					t.Errorf("%s: %d ops, of %d the results agree: %t", f.Trial.Cell, f.Record.Ops, n, same)
				}
			}
			if r.Finished[0].Record.Dry == nil || r.Finished[0].Record.Dry.Result == "" {
				t.Errorf("dry: %+v", r.Finished[0].Record.Dry)
			}
		})
	}
}

// TestRunPythonProfiles holds that profiled trials are looked at from outside,
// or say why they are not.
func TestRunPythonProfiles(t *testing.T) {
	primes := workload.Workload{Python: &workload.Python{Module: "compute", Sync: "primes"}}
	r := runPython(t, primes,
		plan.Trial{Pass: plan.Classify, ForNs: 3e8, MinOps: 10},
		plan.Trial{Pass: plan.Profiling, ForNs: 3e8, MinOps: 10, Cell: plan.Cell{Model: model.Threads, Concurrency: 4}},
	)
	wantOK(t, r)
	for _, f := range r.Finished {
		p := f.Record.Python
		switch {
		case p == nil || len(f.Record.Profiles) != 2:
			t.Errorf("%s: nothing was seen: %+v, %+v", f.Trial.Pass, p, f.Record.Profiles)
		case p.Approximate != "":
			t.Skipf("SKIPPED: %s: %s", f.Trial.Pass, p.Approximate)
		case p.Samples == 0 || p.PythonNs == 0:
			t.Errorf("%s: %+v", f.Trial.Pass, p)
		}
		for _, profile := range f.Record.Profiles {
			data, err := r.ReadProfile(f.Trial.ID, profile.File)
			if profile.Problem == "" && (err != nil || len(data) == 0) {
				t.Errorf("%s: %s profile: %d bytes, %v", f.Trial.Pass, profile.Kind, len(data), err)
			}
		}
	}
}

// TestRunPythonFails holds what a callable that fails is recorded as: all ops
// fail alike, and their error is counted by type.
func TestRunPythonFails(t *testing.T) {
	w := workload.Workload{Python: &workload.Python{File: "orders.py", Sync: "order", Async: "aorder"}}
	var trials []plan.Trial
	for _, m := range []model.Model{model.Sequential, model.EventLoop, model.Threads, model.Pool, model.Processes} {
		trials = append(trials, plan.Trial{Pass: plan.Timing, Ops: 20, Cell: plan.Cell{Model: m, Concurrency: 2}})
	}
	for _, f := range runPython(t, w, trials...).Finished {
		r := f.Record
		if r.Status != record.OK || r.FailedOps != 2 || len(r.Errors) != 2 || r.Errors[0].Message != "nothing left of item 9" && r.Errors[1].Message != "nothing left of item 9" {
			t.Errorf("%s: %s, %d failed, %+v", f.Trial.Cell, r.Status, r.FailedOps, r.Errors)
		}
	}
}
