package probes

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
)

// fakePython writes a program that answers as an interpreter of that version.
func fakePython(t *testing.T, path, version string) {
	t.Helper()
	script := "#!/bin/sh\necho\necho 'concprof-interpreter: {\"implementation\": \"cpython\", \"version\": \"" + version +
		"\", \"gil\": true, \"executable\": \"\", \"lacks\": {\"subinterpreters\": \"came later\"}}'\n"
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestPythonJob holds what a Python probe is started with.
func TestPythonJob(t *testing.T) {
	dir := t.TempDir()
	fakePython(t, filepath.Join(dir, ".venv", "bin", "python"), "3.12.1")
	fakePython(t, filepath.Join(dir, "old", "python3"), "3.10.1")
	f := &workload.File{Path: "w.yaml", Dir: dir, Workloads: []workload.Workload{
		{
			Name: "steps", Env: []string{"TOKEN", "A=1"}, Setup: "connect", Teardown: "close",
			Steps: []workload.Step{
				{Python: &workload.Python{File: "lib/a.py", Sync: "f", Async: "af", Path: []string{"more", "lib"}, Env: []string{"A=2"}}},
				{Name: "second", Python: &workload.Python{Module: "b", Sync: "C.g"}},
			},
		},
		{Name: "old", Python: &workload.Python{Module: "b", Async: "g", Interpreter: "old/python3"}},
		{Name: "none", Command: []string{"true"}},
	}}
	p, err := Prepare(context.Background(), f, PrepareOptions{Environ: []string{
		"PATH=/usr/bin:/bin", "PYTHONPATH=/secret", "PYTHONHASHSEED=0", "TOKEN=t0ken", "PYENV_VERSION=3.12.1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	built, err := plan.Build(f, plan.Settings{Warmup: -1})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{prepared: p, history: plan.History{Plan: built}, hosts: map[string]string{"api": "127.0.0.1:80"}}
	j, err := r.job(plan.Trial{ID: "t0001", Cell: plan.Cell{Workload: "steps", Model: model.Threads, Concurrency: 4}, Pass: plan.Profiling})
	if err != nil {
		t.Fatal(err)
	}

	python := filepath.Join(dir, ".venv", "bin", "python")
	if j.Path != python || j.Name != python || j.Dir != dir || len(j.Args) != 1 || !strings.HasPrefix(j.Args[0], p.built.dir) || j.Observer == nil {
		t.Errorf("starts %s as %s with %v in %s", j.Path, j.Name, j.Args, j.Dir)
	}
	if _, err := os.Stat(j.Args[0]); err != nil {
		t.Error(err)
	}
	want := []harness.Step{
		{Name: "python", Kind: harness.KindPython, Path: filepath.Join(dir, "lib/a.py"), Sync: "f", Async: "af"},
		{Name: "second", Kind: harness.KindPython, Module: "b", Sync: "C.g"},
	}
	if d := cmp.Diff(want, j.Spec.Steps); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{dir, filepath.Join(dir, "lib"), filepath.Join(dir, "more")}, j.Spec.PythonPath); d != "" {
		t.Error(d)
	}
	if j.Spec.Setup != "connect" || j.Spec.Teardown != "close" {
		t.Errorf("setup %q, teardown %q", j.Spec.Setup, j.Spec.Teardown)
	}
	env := strings.Join(j.Env, "\n") + "\n"
	for _, has := range []string{"PATH=/usr/bin:/bin\n", "TOKEN=t0ken\n", "PYENV_VERSION=3.12.1\n", "A=1\nA=2\n", "CONCPROF_SERVER_API=127.0.0.1:80\n", "PYTHONPYCACHEPREFIX=" + p.built.dir} {
		if !strings.Contains(env, has) {
			t.Errorf("no %q in\n%s", has, env)
		}
	}
	for _, hasNot := range []string{"PYTHONPATH", "PYTHONHASHSEED"} {
		if strings.Contains(env, hasNot) {
			t.Errorf("%s in\n%s", hasNot, env)
		}
	}

	// What the manifest says of them.
	found := p.Interpreters()
	if len(found) != 2 || found[0].Version != "3.12.1" || found[0].Found != ".venv" || !slices.Equal(found[0].Workloads, []string{"steps"}) ||
		found[1].Version != "3.10.1" || len(found[1].Notes) != 1 {
		t.Errorf("found %+v", found)
	}
	if p.Lacks("steps")[model.Subinterpreters] != "came later" || p.Lacks("none") != nil || p.Interpreter("none") != nil || p.Root("steps") != dir {
		t.Errorf("lacks %v, root %q", p.Lacks("steps"), p.Root("steps"))
	}

	// It sees as many descriptors as its largest level needs.
	f.Workloads[0].Measure = &workload.Measure{Concurrency: []int{10_000}}
	if r.history.Plan, err = plan.Build(f, plan.Settings{Warmup: -1}); err != nil {
		t.Fatal(err)
	}
	if j, err = r.job(plan.Trial{Cell: plan.Cell{Workload: "steps", Model: model.Sequential, Concurrency: 1}}); err != nil || j.Limits.OpenFiles < 20_000 {
		t.Errorf("limits %+v, %v", j.Limits, err)
	}
}

// TestPythonFaults holds that an interpreter that cannot be used is a fault of
// the workload, told with its line.
func TestPythonFaults(t *testing.T) {
	dir := t.TempDir()
	fakePython(t, filepath.Join(dir, "python3"), "3.8.18")
	f := &workload.File{Path: "w.yaml", Dir: dir, Workloads: []workload.Workload{
		{Name: "a", Line: 3, Python: &workload.Python{Module: "m", Sync: "f"}},
		{Name: "b", Line: 5, Python: &workload.Python{Module: "m", Sync: "f", Interpreter: "./python3"}},
	}}
	_, err := Prepare(context.Background(), f, PrepareOptions{Environ: []string{"PATH=" + t.TempDir()}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"w.yaml:3: workload a: no Python found", "w.yaml:5: workload b: ", "too old", "\nhint: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}
