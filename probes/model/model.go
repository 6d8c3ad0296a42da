// Package model names the concurrency models that concprof compares and says
// what each stands for and needs.
package model

import (
	"fmt"
	"strings"
)

// Model is a concurrency model. Its text goes to files, flags and profile
// labels unchanged.
type Model string

// The models.
const (
	Sequential      Model = "sequential"
	EventLoop       Model = "event-loop"
	Threads         Model = "threads"
	Goroutines      Model = "goroutines"
	Pool            Model = "pool"
	Processes       Model = "processes"
	Hybrid          Model = "hybrid"
	Subinterpreters Model = "subinterpreters"
)

// All returns every model, the simplest first: of models that are equally
// good, the one that comes first here is recommended.
func All() []Model {
	return []Model{Sequential, Pool, Goroutines, EventLoop, Threads, Hybrid, Subinterpreters, Processes}
}

// Parse returns the model of that name.
func Parse(s string) (Model, error) {
	for _, m := range All() {
		if string(m) == s {
			return m, nil
		}
	}
	names := make([]string, 0, len(All()))
	for _, m := range All() {
		names = append(names, string(m))
	}
	return "", fmt.Errorf("unknown model %q: want one of %s", s, strings.Join(names, ", "))
}

// Rank is the place of m in All, from 0 for the simplest.
func (m Model) Rank() int {
	for i, o := range All() {
		if m == o {
			return i
		}
	}
	return len(All())
}

// Kind is what a target consists of.
type Kind string

// The kinds of target.
const (
	Steps   Kind = "steps"   // built-in steps only
	Go      Kind = "go"      // Go functions, alone or among built-in steps
	Command Kind = "command" // a program, started once an op
	Python  Kind = "python"  // Python callables
)

// Target is what of a target decides which models can run it.
type Target struct {
	Kind  Kind
	Steps int // how many steps an op has
	// Pair is set when a step of a Python op is given twice, as a sync and as
	// an async callable.
	Pair bool `json:",omitempty"`
}

// Info describes a model.
type Info struct {
	Model     Model
	Go        string // how a Go target or built-in steps run under it
	Python    string // how a Python callable runs under it; "" if it does not
	StandsFor string
	Needs     string // "" if it needs nothing
}

// Infos describes every model, in the order of All.
func Infos() []Info {
	return []Info{
		{Sequential, "one op after another", "a loop", "the baseline", ""},
		{Pool, "N long-lived workers that take ops from a channel", "ThreadPoolExecutor(N)", "worker pools", ""},
		{Goroutines, "a goroutine per op, scheduled M:N", "", "Go's default", "a Go target or built-in steps"},
		{EventLoop, "goroutines on one P (GOMAXPROCS=1), the netpoller as reactor", "asyncio, create_task under a semaphore", "asyncio, libuv", "a target that runs in the probe process"},
		{Threads, "an OS thread per op in flight (runtime.LockOSThread)", "threading.Thread", "threading", "a target that runs in the probe process"},
		{Hybrid, "a goroutine per op, its CPU-bound steps through as many permits as cores", "asyncio, CPU-bound steps through to_thread or a process pool", "mixing asyncio and threads", "an op of at least two steps, or a Python callable that is both sync and async"},
		{Subinterpreters, "", "InterpreterPoolExecutor", "one GIL per interpreter", "CPython 3.14 or newer"},
		{Processes, "N child processes that take ops from a shared counter", "ProcessPoolExecutor(N)", "multiprocessing, prefork", "a target that runs in the probe process"},
	}
}

// Runs reports whether a target can run under m, and if not, why.
func (m Model) Runs(t Target) (bool, string) {
	switch {
	case m == Sequential || m == Pool:
		return true, ""
	case t.Kind == Command:
		return false, "a command is a process of its own under every model; only sequential and pool differ"
	case m == Subinterpreters && t.Kind != Python:
		return false, "subinterpreters exist in CPython only"
	case m == Goroutines && t.Kind == Python:
		return false, "goroutines exist in Go only"
	case m == Hybrid && t.Steps < 2 && t.Kind == Python && !t.Pair:
		return false, "an op of one callable has nothing to offload; several steps, or the same work as sync and async, would"
	case m == Hybrid && t.Steps < 2 && t.Kind != Python:
		return false, "an op of one step has nothing to offload"
	}
	return true, ""
}
