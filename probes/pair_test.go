package probes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// turns is a PairPlanner that lets the sides take turns, the base first.
type turns struct{ trials []plan.Trial }

func (p turns) Next(h [2]plan.History) (int, plan.Decision) {
	side := 1
	if len(h[1].Decisions) > len(h[0].Decisions) {
		side = 0
	}
	n := len(h[side].Decisions)
	if n == len(p.trials) {
		return side, plan.Decision{Done: true, Why: "done"}
	}
	t := p.trials[n]
	t.ID = fmt.Sprintf("t%04d", n+1)
	return side, plan.Decision{Trials: []plan.Trial{t}, Why: "next"}
}

// Two runs take turns on one server, do the same calibrated work, and leave a
// run directory each, the base's within the head's.
func TestRunPair(t *testing.T) {
	home := t.TempDir()
	f := &workload.File{
		Dir:     home,
		Servers: map[string]workload.Server{"api": {HTTP: &workload.BuiltinServer{Latency: ms(1), MaxConnections: 1}}},
		Workloads: []workload.Workload{{Name: "w", Steps: []workload.Step{
			{HTTP: &workload.HTTP{Server: "api"}}, {CPU: &workload.CPU{Kind: "sha256", For: ms(1)}},
		}}},
	}
	there := *f
	there.Dir = t.TempDir()
	p := planOf(f)
	against := rundir.Against{Side: rundir.SideHead, Revision: "main", Commit: "c"}
	m := rundir.Manifest{Name: "test", Created: time.Now(), Plan: *p, Against: &against}
	dir, err := rundir.Create(t.TempDir(), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	of := against
	of.Side, m.Against = rundir.SideBase, &of
	base, err := dir.CreateBase(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sides [2]Side
	for i, o := range []struct {
		file *workload.File
		dir  *rundir.Dir
		PrepareOptions
	}{{f, dir, PrepareOptions{}}, {&there, base, PrepareOptions{Checkout: there.Dir, Home: home}}} {
		prepared, err := Prepare(context.Background(), o.file, o.PrepareOptions)
		if err != nil {
			t.Fatal(err)
		}
		defer prepared.Close()
		defer o.dir.Close()
		sides[i] = Side{Prepared: prepared, Dir: o.dir, Plan: p}
	}
	cell := plan.Cell{Workload: "w", Model: model.Sequential, Concurrency: 1}
	var order []string
	err = RunPair(context.Background(), sides[0], sides[1], PairOptions{
		Planner: turns{[]plan.Trial{{Cell: cell, Pass: plan.Dry, Ops: 1}, {Cell: cell, Pass: plan.Timing, Ops: 5}}}, NoHostLock: true,
		Progress: func(at Progress) {
			if at.Record != nil {
				order = append(order, fmt.Sprintf("%s %s %d", at.Side, at.Trial.Pass, at.Finished))
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"base dry 1", "head dry 2", "base timing 3", "head timing 4"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	head, err := rundir.Open(dir.Path())
	if err != nil {
		t.Fatal(err)
	}
	other, err := head.OpenBase()
	if err != nil || other == nil {
		t.Fatalf("no base: %v", err)
	}
	for _, r := range []*rundir.Run{head, other} {
		if !r.Complete || len(r.Finished) != 2 {
			t.Errorf("%s: complete %v, %d trials", r.Path, r.Complete, len(r.Finished))
		}
		for _, f := range r.Finished {
			if f.Record.Status != record.OK {
				t.Errorf("%s %s: %s: %s", r.Path, f.Trial.ID, f.Record.Status, f.Record.Reason)
			}
		}
	}
}

// The calibration of a built-in step is the head's on both sides: found twice,
// it would differ by a few per cent.
func TestPairSharesCalibration(t *testing.T) {
	dry := func(n int64) plan.History {
		return plan.History{Finished: []plan.Finished{{
			Trial: plan.Trial{Pass: plan.Dry, Cell: plan.Cell{Workload: "w"}}, Record: record.Record{Dry: &record.Dry{Iterations: []int64{n}}},
		}}}
	}
	head := &run{history: dry(1000)}
	base := &run{history: dry(1100), head: head}
	for name, r := range map[string]*run{"head": head, "base": base} {
		spec := harness.Spec{Steps: []harness.Step{{Kind: "cpu"}}}
		r.calibrated(&spec, plan.Trial{Cell: plan.Cell{Workload: "w"}})
		if n := spec.Steps[0].Iterations; n != 1000 {
			t.Errorf("%s: %d iterations, want the head's 1000", name, n)
		}
	}
}

// Inputs are the user's at another revision too; code that is not there, or
// that would be the user's own, is refused.
func TestPrepareElsewhere(t *testing.T) {
	home, there := t.TempDir(), t.TempDir()
	for _, name := range []string{filepath.Join(home, "in.txt"), filepath.Join(there, "src", "app.py"), filepath.Join(there, "bench", "x")} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file := func(w workload.Workload) *workload.File {
		w.Name = "w"
		return &workload.File{Dir: filepath.Join(there, "bench"), Workloads: []workload.Workload{w}, Servers: map[string]workload.Server{"db": {Command: []string{"./not-there"}}}}
	}
	o := PrepareOptions{Checkout: there, Home: home}
	p, err := Prepare(context.Background(), file(workload.Workload{Command: []string{"true"}, Inputs: &workload.Inputs{File: "in.txt"}}), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.inputs("in.txt"); got != filepath.Join(home, "in.txt") {
		t.Errorf("inputs are %s", got)
	}
	p.Close()
	for name, tt := range map[string]struct {
		w    workload.Workload
		want string // "" for none of these
	}{
		"an absolute package":   {workload.Workload{Go: &workload.GoFunc{Package: "/abs", Func: "F"}}, "the same file at every revision"},
		"an absolute file":      {workload.Workload{Python: &workload.Python{File: "/abs/app.py", Sync: "f"}}, "the same file at every revision"},
		"a file not there":      {workload.Workload{Python: &workload.Python{File: "new.py", Sync: "f"}}, "there is no file new.py"},
		"a module not there":    {workload.Workload{Python: &workload.Python{Module: "json", Sync: "dumps"}}, "there is no module json"},
		"a module elsewhere":    {workload.Workload{Python: &workload.Python{Module: "app", Sync: "f", Path: []string{home}}}, "there is no module app"},
		"a module on its path":  {workload.Workload{Python: &workload.Python{Module: "app", Sync: "f", Path: []string{"../src"}}}, ""},
		"a step not there":      {workload.Workload{Steps: []workload.Step{{Python: &workload.Python{File: "new.py", Sync: "f"}}}}, "there is no file new.py"},
		"a command not there":   {workload.Workload{Command: []string{"./tool"}}, "tool"},
		"a command on the PATH": {workload.Workload{Command: []string{"true"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := file(tt.w)
			p := &Prepared{file: f, dir: f.Dir, home: home, checkout: there, environ: []string{"PATH=/usr/bin:/bin"}}
			_, err := p.find(&f.Workloads[0])
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// An interrupted pair says so in both journals.
func TestRunPairInterrupted(t *testing.T) {
	f := &workload.File{Dir: t.TempDir(), Workloads: []workload.Workload{{Name: "w", Steps: []workload.Step{{Sleep: &workload.Sleep{For: ms(1)}}}}}}
	p := planOf(f)
	m := rundir.Manifest{Name: "test", Created: time.Now(), Plan: *p}
	dir, err := rundir.Create(t.TempDir(), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	base, err := dir.CreateBase(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	prepared, err := Prepare(context.Background(), f, PrepareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cell := plan.Cell{Workload: "w", Model: model.Sequential, Concurrency: 1}
	err = RunPair(ctx, Side{prepared, dir, p}, Side{prepared, base, p}, PairOptions{
		Planner: turns{slices.Repeat([]plan.Trial{{Cell: cell, Pass: plan.Dry, Ops: 1}}, 100)}, NoHostLock: true,
		Progress: func(at Progress) {
			if at.Record != nil {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("RunPair: %v", err)
	}
	for _, d := range []*rundir.Dir{dir, base} {
		r, err := rundir.Open(d.Path())
		if err != nil || len(r.Notes) != 1 || r.Notes[0].Kind != "interrupted" || r.Complete {
			t.Errorf("%s: %+v, %v", d.Path(), r.Notes, err)
		}
	}
}
