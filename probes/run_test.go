package probes

import (
	"context"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

func TestRunBuiltin(t *testing.T) {
	f := &workload.File{
		Dir:     t.TempDir(),
		Servers: map[string]workload.Server{"api": {HTTP: &workload.BuiltinServer{Latency: workload.Duration(5 * time.Millisecond)}}},
		Workloads: []workload.Workload{{Name: "w", Steps: []workload.Step{
			{HTTP: &workload.HTTP{Server: "api"}},
			{CPU: &workload.CPU{Kind: "sha256", For: workload.Duration(time.Millisecond)}},
		}}},
	}
	p := &plan.Plan{Cores: 2, Workloads: []plan.Workload{{Name: "w", TimeoutNs: int64(10 * time.Second)}}}
	cell := plan.Cell{Workload: "w", Model: model.Sequential, Concurrency: 1}
	dir, err := rundir.Create(t.TempDir(), rundir.Manifest{Name: "test", Created: time.Now(), Plan: *p}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	prepared, err := Prepare(context.Background(), f, PrepareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	err = Run(context.Background(), prepared, Options{
		Dir: dir, History: plan.History{Plan: p}, NoHostLock: true,
		Planner: script{
			{Trials: []plan.Trial{{ID: "t0001", Cell: cell, Pass: plan.Dry, Ops: 1}}},
			{Trials: []plan.Trial{{ID: "t0002", Cell: cell, Pass: plan.Timing, Ops: 20}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := rundir.Open(dir.Path())
	if err != nil {
		t.Fatal(err)
	}
	if !r.Complete || r.Torn || len(r.Finished) != 2 {
		t.Fatalf("run: complete %t, torn %t, %d finished", r.Complete, r.Torn, len(r.Finished))
	}
	for _, f := range r.Finished {
		if f.Record.Status != record.OK {
			t.Errorf("%s: %s: %s", f.Trial.ID, f.Record.Status, f.Record.Reason)
		}
		t.Logf("%+v %+v %+v", f.Record, f.Record.Host, f.Record.Exit)
	}
}
