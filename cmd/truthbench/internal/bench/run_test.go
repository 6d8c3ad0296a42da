package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
)

// fake writes a program that stands for concprof: it notes what it is asked
// for and gives the same verdict of everything.
func fake(t *testing.T, verdict string) (program string, asked func() []string) {
	t.Helper()
	dir := t.TempDir()
	program, log := filepath.Join(dir, "concprof"), filepath.Join(dir, "asked")
	script := "#!/bin/sh\nfor a; do [ \"$a\" = --exhaustive ] && echo -n 'sweep ' >>" + log + "; done\n" +
		"echo \"$4 $(basename $2)\" >>" + log + "\ncat <<'END'\n" + verdict + "\nEND\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, func() []string {
		text, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		os.Remove(log)
		return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
	}
}

const ioBound = `{"schema": "concprof/1", "run": {"id": "x", "elapsed_ns": 1000000000, "noise": {"foreign_share": 0}}, "workloads": [{
 "name": "sleep", "class": "io-bound", "waits": {"timer": 1}, "demand_interval": [0, 0],
 "recommendation": {"model": "pool", "concurrency": 64}, "prediction": {"model": "pool", "concurrency": 64, "agrees": true},
 "cells": [{"model": "pool", "concurrency": 64, "status": "ok", "samples": [1, 1, 1, 1, 1, 1]},
           {"model": "sequential", "concurrency": 1, "status": "ok", "samples": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]}]}]}`

// A run measures each op once first, then what is repeated, then the other
// sweeps; what is known is not measured again, and what is cut off is told.
func TestRun(t *testing.T) {
	program, asked := fake(t, ioBound)
	cache := t.TempDir()
	run := func(more ...string) (string, string, error) {
		t.Helper()
		args := append([]string{
			"-concprof", program, "-suite", suite, "-cache", cache, "-overhead=false",
			"-ops", "py-sleep,sleep-long,sleep", "-require", "class", "-repeat", "3", "-repeated", "sleep",
		}, more...)
		var out, problems bytes.Buffer
		err := Run(context.Background(), &out, &problems, args)
		return out.String(), problems.String(), err
	}
	// Nothing fits into no time.
	out, problems, err := run("-time", "1ns")
	if !errors.Is(err, ErrNotMet) || len(asked()) != 0 || !strings.Contains(problems, "8 of 8 were not measured") || !strings.Contains(out, "no data") {
		t.Errorf("%v\n%s\n%s", err, problems, out)
	}
	// Of what does not fit the shorter is measured.
	if _, problems, err = run("-time", "60s"); err != nil || !strings.Contains(problems, "2 of 8 were not measured") {
		t.Errorf("%v\n%s", err, problems)
	}
	want := []string{
		"sleep workload.yaml", "py-sleep python.yaml", "sweep sleep workload.yaml",
		"sleep workload.yaml", "sleep workload.yaml", "sweep py-sleep python.yaml",
	}
	if got := asked(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// The same command goes on, and then has nothing to do.
	if out, _, err = run(); err != nil || !slices.Equal(asked(), []string{"sleep-long workload.yaml", "sweep sleep-long workload.yaml"}) {
		t.Errorf("%v\n%s", err, out)
	}
	if again, _, err := run(); err != nil || len(asked()) != 0 || again != out {
		t.Errorf("%v\n%s", err, again)
	}
	for _, want := range []string{"Go", "Python", "all", "1.000 (5 of 5)", "class 3/3, model 3/3"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	// Another seed is another run, but the sweep is the same.
	if _, _, err = run("-seed", "9", "-ops", "sleep", "-repeat", "1"); err != nil || len(asked()) != 1 {
		t.Error(err)
	}
	if _, _, err = run("-target", "python", "-ops", "sleep"); err == nil {
		t.Error("a Go op is in Python")
	}
	if _, _, err = run("-repeated", "nosuch"); err == nil {
		t.Error("an op that is not there is repeated")
	}
}

// What concprof cannot do stops no other op, but the run fails; a sweep that
// others disturbed is not kept.
func TestFailures(t *testing.T) {
	program, asked := fake(t, strings.Replace(ioBound, `"foreign_share": 0`, `"foreign_share": 0.5`, 1))
	args := []string{"-concprof", program, "-suite", suite, "-cache", t.TempDir(), "-overhead=false", "-ops", "sleep,py-sleep"}
	for range 2 {
		var out, problems bytes.Buffer
		err := Run(context.Background(), &out, &problems, args)
		if err == nil || strings.Count(err.Error(), "not kept") != 2 || !strings.Contains(out.String(), "py-sleep") {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	if got := asked(); len(got) != 6 { // two runs, and two sweeps twice
		t.Errorf("%q", got)
	}
	var problems bytes.Buffer
	if err := Run(context.Background(), new(bytes.Buffer), &problems, append(args, "-require", "class")); err != nil || strings.Count(problems.String(), "not kept") != 2 {
		t.Errorf("%v\n%s", err, problems.String())
	}
	asked()
	program, asked = fake(t, "no verdict")
	args[1] = program
	if err := Run(context.Background(), new(bytes.Buffer), new(bytes.Buffer), args); err == nil || len(asked()) != 4 {
		t.Error(err)
	}
}

// An interrupted run prints what is there.
func TestInterrupted(t *testing.T) {
	var problems bytes.Buffer
	b := &bench{o: Options{Cache: "here"}, stderr: &problems, now: time.Now}
	ctx, cancel := context.WithCancel(context.Background())
	done := 0
	s := step{what: "it", known: func() bool { return false }, do: func(context.Context) error {
		if done++; done == 2 {
			cancel()
		}
		return ctx.Err()
	}}
	err := b.measure(ctx, []step{s, s, s})
	if done != 2 || err == nil || !strings.Contains(err.Error(), "interrupted with 1 of 3 measured") {
		t.Errorf("%d, %v", done, err)
	}
}

func TestOverheads(t *testing.T) {
	got := overheadsIn(`goos: linux
BenchmarkOverhead/pool-2   1   30 ns/hand-op   33 ns/harness-op   1.100 ratio
BenchmarkOverhead/pool-2   1   30 ns/hand-op   36 ns/harness-op   1.200 ratio
BenchmarkOverhead/pool-2   1   30 ns/hand-op   60 ns/harness-op   2.000 ratio
BenchmarkOverhead/3.11.7/sequential-value   1   1291 ns/extra   18.2 ns/hand-op   71.86 ratio
PASS`)
	want := []Overhead{{"pool", 1.2, 6}, {"3.11.7/sequential-value", 71.86, 1291}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	kinds := []model.Kind{model.Go, model.Python}
	ratio, extra := executors(Overheads{model.Go: got[:1], model.Python: got[1:]}, kinds)
	if ratio.verdict != "not met" || extra.verdict != "met" || ratio.measured != "1.20 (pool)" {
		t.Errorf("%+v %+v", ratio, extra)
	}
	if ratio, extra = executors(nil, kinds); ratio.verdict != "no data" || extra.verdict != "no data" {
		t.Errorf("%+v %+v", ratio, extra)
	}
}

// Processes are rivals where the label says that an op has no state to share.
func TestRivals(t *testing.T) {
	s := Sweep{Cells: []SweptCell{{Setup{model.Processes, 2}, "ok", make([]float64, 6)}, {Setup{model.Pool, 2}, "ok", make([]float64, 5)}}}
	if got := s.rivals(Label{Models: []model.Model{model.Pool}}); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if got := s.rivals(Label{Models: []model.Model{model.Processes}}); len(got) != 1 {
		t.Errorf("%v", got)
	}
}
