package probes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// toolVariable tells the test binary to be concprof, and what to run.
const toolVariable = "PROBES_TEST_TOOL"

func TestMain(m *testing.M) {
	Main()
	if scene := os.Getenv(toolVariable); scene != "" {
		os.Exit(tool(scene, os.Getenv("PROBES_TEST_DIR")))
	}
	os.Exit(m.Run())
}

// tool is what cmd does of Run: the first Ctrl-C ends the current trial, the
// second the process.
func tool(scene, dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	f := scenes(dir)[scene]
	prepared, err := Prepare(ctx, f, PrepareOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer prepared.Close()
	p := planOf(f)
	d, err := rundir.Create(dir, rundir.Manifest{Name: "run", Created: time.Now(), Plan: *p}, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 74
	}
	defer d.Close()
	err = Run(ctx, prepared, Options{Dir: d, History: plan.History{Plan: p}, Planner: dryRuns(f, 4), NoHostLock: true})
	switch {
	case errors.Is(err, context.Canceled):
		return 130
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// scenes are the workload files of the process tests. Each op runs a shell
// script, which can wait for the test by watching files.
func scenes(dir string) map[string]*workload.File {
	shell := func(script string) []string { return []string{"sh", "-c", script} }
	file := func(w workload.Workload) *workload.File {
		w.Name = "w"
		w.Env = []string{"MARK"}
		return &workload.File{
			Dir:       dir,
			Workloads: []workload.Workload{w},
			Servers: map[string]workload.Server{
				"api":  {HTTP: &workload.BuiltinServer{}},
				"user": {Command: shell("exec sleep 1000")},
			},
		}
	}
	return map[string]*workload.File{
		// A daemon of the op's own, and an op that takes its time.
		"daemon": file(workload.Workload{Command: shell(`(setsid sleep 1000 &) ; touch started; sleep 1000`)}),
		// The third op waits as long as the file block is there.
		"third": file(workload.Workload{Command: shell(`echo op >> ops; if [ $(wc -l < ops) -ge 3 ]; then touch started; while [ -e block ]; do sleep 0.02; done; fi`)}),
		// What is prepared is cleaned up, slowly, when a run is interrupted.
		"cleanup": file(workload.Workload{
			Command: shell(`touch started; trap "" INT TERM; sleep 1000`),
			Prepare: shell(`echo prepared >> hooks`),
			Cleanup: shell(`touch cleaning; while [ -e block ]; do sleep 0.02; done; echo cleaned >> hooks`),
		}),
	}
}

// planOf returns the least plan that Run can work with.
func planOf(f *workload.File) *plan.Plan {
	p := &plan.Plan{Cores: 2}
	for _, w := range f.Workloads {
		// Far from reached, however busy the host.
		p.Workloads = append(p.Workloads, plan.Workload{Name: w.Name, TimeoutNs: int64(time.Minute), MaxOps: w.MaxOps})
	}
	return p
}

// script is a planner that hands out the decisions it was given.
type script []plan.Decision

func (s script) Next(h plan.History) plan.Decision {
	if n := len(h.Decisions); n < len(s) {
		return s[n]
	}
	return plan.Decision{Done: true}
}

// dryRuns decides on n dry trials of the file's first workload at once.
func dryRuns(f *workload.File, n int) script {
	var d plan.Decision
	for i := range n {
		d.Trials = append(d.Trials, plan.Trial{
			ID: fmt.Sprintf("t%04d", i+1), Pass: plan.Dry, Rep: i, Ops: 1,
			Cell: plan.Cell{Workload: f.Workloads[0].Name, Model: model.Sequential, Concurrency: 1},
		})
	}
	return script{d}
}

// killHard is kill -9.
func killHard(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }
