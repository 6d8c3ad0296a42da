package probes

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// checkTrials run ops under sequential and side by side, keeping their results.
func checkTrials(m model.Model, ops int64) []plan.Trial {
	return []plan.Trial{
		{Pass: plan.Check, Ops: ops},
		{Pass: plan.Check, Ops: ops, Cell: plan.Cell{Model: m, Concurrency: 4}},
		{Pass: plan.Timing, Ops: ops},
	}
}

// wantDifference holds that the check trials tell the op that differs, and what
// it returned, and that no other trial keeps results.
func wantDifference(t *testing.T, r *rundir.Run) {
	t.Helper()
	wantOK(t, r)
	a, b := r.Finished[0].Record, r.Finished[1].Record
	op, in, out, differ := record.FirstDifference(a.Results, b.Results, min(a.Ops, b.Ops))
	switch {
	case int64(len(a.Results)) != min(a.Ops, record.MaxResults):
		t.Errorf("%d results of %d ops", len(a.Results), a.Ops)
	case !differ || in == nil || out == nil || in.Shown == "" || out.Shown == "" || in.Shown == out.Shown:
		t.Errorf("op %d: sequential %+v, the other %+v", op, in, out)
	default:
		t.Logf("op %d: sequential %s, the other %s", op, in.Shown, out.Shown)
	}
	if n := len(r.Finished[2].Record.Results); n > 0 {
		t.Errorf("a timing trial kept %d results", n)
	}
	for _, res := range b.Results {
		if len(res.Shown) > record.MaxShown {
			t.Fatalf("%d bytes are shown of op %d", len(res.Shown), res.Op)
		}
	}
}

// sharedOp keeps its input where the next op replaces it.
const sharedOp = `package shared

import "time"

var last int

// Op returns what it kept, or what another op did.
func Op(n int) int {
	last = n
	time.Sleep(2 * time.Millisecond)
	return 1000 + last
}
`

// goModule makes a module of one file and returns a workload of its Op.
func goModule(t *testing.T, source string) *workload.File {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/shared\n\ngo 1.21\n", "op.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return &workload.File{Dir: dir, Workloads: []workload.Workload{{
		Name: "w", Go: &workload.GoFunc{Package: ".", Func: "Op"}, Inputs: &workload.Inputs{Count: 1 << 20},
	}}}
}

// TestFirstDifferenceGo holds that of a Go function whose ops overwrite each
// other's state the first op that differs is told.
func TestFirstDifferenceGo(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a probe is built")
	}
	wantDifference(t, runAll(t, goModule(t, sharedOp), checkTrials(model.Goroutines, 60)...))
}

// TestFirstDifferencePython holds the same of a Python callable.
func TestFirstDifferencePython(t *testing.T) {
	for _, m := range []model.Model{model.Threads, model.Pool} {
		w := workload.Workload{Python: &workload.Python{File: "shared.py", Sync: "op"}, Inputs: &workload.Inputs{Count: 1000}}
		wantDifference(t, runPython(t, w, checkTrials(m, 60)...))
	}
}

// TestResultsAgree holds that ops which share nothing agree one by one under
// every model, in processes too.
func TestResultsAgree(t *testing.T) {
	f := goModule(t, "package shared\n\nimport \"fmt\"\n\n// Op depends on its input only.\nfunc Op(n int) string { return fmt.Sprint(\"row \", n) }\n")
	r := runAll(t, f,
		plan.Trial{Pass: plan.Check, Ops: 1100},
		plan.Trial{Pass: plan.Check, Ops: 1100, Cell: plan.Cell{Model: model.Pool, Concurrency: 3}},
		plan.Trial{Pass: plan.Check, Ops: 1100, Cell: plan.Cell{Model: model.Processes, Concurrency: 2}})
	wantOK(t, r)
	for _, f := range r.Finished {
		res := f.Record.Results
		if len(res) != record.MaxResults || res[7].Op != 7 || res[7].Shown != `"row 7"` {
			t.Errorf("%s: %d results", f.Trial.Cell, len(res))
			continue
		}
		if op, _, _, differ := record.FirstDifference(r.Finished[0].Record.Results, res, 1100); differ {
			t.Errorf("%s: op %d differs", f.Trial.Cell, op)
		}
	}
}
