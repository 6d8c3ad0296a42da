package probes

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// TestRaceGo holds that the race detector finds what ops overwrite, with both
// lines of the user's code, that it finds nothing in ops that share nothing, and
// that no other trial runs its build.
func TestRaceGo(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: probes are built with the race detector")
	}
	side := plan.Cell{Model: model.Goroutines, Concurrency: 8}
	r := runAll(t, goModule(t, sharedOp), plan.Trial{Pass: plan.Race, Ops: 64, Cell: side}, plan.Trial{Pass: plan.Timing, Ops: 64, Cell: side})
	wantOK(t, r)
	race := r.Finished[0].Record.Race
	if race == nil || race.Found == 0 || len(race.Accesses) != 2 {
		t.Fatalf("found %+v", race)
	}
	t.Logf("%+v", race)
	for _, a := range race.Accesses {
		if len(a.Frames) == 0 || a.Frames[0].Function != "example.com/shared.Op" || filepath.Base(a.Frames[0].File) != "op.go" || a.Frames[0].Line < 9 || a.Frames[0].Line > 11 {
			t.Errorf("%+v, want a line of Op", a)
		}
	}
	if race := r.Finished[1].Record.Race; race != nil {
		t.Errorf("a timing trial reports races: %+v", race)
	}

	clean := strings.Replace(sharedOp, "var last int\n", "", 1)
	clean = strings.Replace(clean, "last = n", "last := n", 1)
	r = runAll(t, goModule(t, clean), plan.Trial{Pass: plan.Race, Ops: 64, Cell: side})
	wantOK(t, r)
	if race := r.Finished[0].Record.Race; race == nil || race.Found != 0 || len(race.Accesses) != 0 {
		t.Errorf("ops that share nothing: %+v", race)
	}
}

// TestRaceBuildIsForRaceTrials holds which binary trials of each pass run, and
// that without a C compiler all but the race trial can.
func TestRaceBuildIsForRaceTrials(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: probes are built with the race detector")
	}
	f := goModule(t, sharedOp)
	p, err := Prepare(context.Background(), f, PrepareOptions{Race: []string{"w"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if reason := p.NoRace("w"); reason != "" {
		t.Skipf("SKIPPED: the race detector: %s", reason)
	}
	tg := p.targets["w"]
	if tg.path == tg.race {
		t.Fatalf("both builds are %s", tg.path)
	}
	r := &run{prepared: p, options: Options{}, history: plan.History{Plan: planOf(f)}}
	for _, pass := range plan.Passes() {
		j, err := r.job(plan.Trial{Pass: pass, Cell: plan.Cell{Workload: "w", Model: model.Pool, Concurrency: 2}})
		if err != nil {
			t.Fatal(err)
		}
		if want := pass == plan.Race; j.Race != want || (j.Path == tg.race) != want {
			t.Errorf("pass %s runs %s, race %t", pass, j.Path, j.Race)
		}
	}
}

// TestNoRace holds that what cannot be built with the race detector says why,
// and is still built without.
func TestNoRace(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: probes are built")
	}
	f := goModule(t, sharedOp)
	f.Workloads = append(f.Workloads, workload.Workload{Name: "sleep", Steps: []workload.Step{{Sleep: &workload.Sleep{For: ms(1)}}}})
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "CGO_ENABLED=") })
	p, err := Prepare(context.Background(), f, PrepareOptions{Race: []string{"w", "sleep"}, Environ: append(env, "CGO_ENABLED=0")})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if reason := p.NoRace("w"); !strings.Contains(reason, "cgo") || p.targets["w"].path == "" {
		t.Errorf("without cgo: %q", reason)
	}
	if reason := p.NoRace("sleep"); !strings.Contains(reason, "Go functions") {
		t.Errorf("built-in steps: %q", reason)
	}
}

// TestRaceOnResume holds that a run which goes on where the race detector is not
// there any more leaves its trial out and does not end.
func TestRaceOnResume(t *testing.T) {
	f := &workload.File{Workloads: []workload.Workload{{Name: "w"}}}
	r := &run{prepared: &Prepared{targets: map[string]*target{"w": {noRace: "no compiler"}}}, history: plan.History{Plan: planOf(f)}}
	rec, err := r.measure(context.Background(), plan.Trial{Pass: plan.Race, Cell: plan.Cell{Workload: "w", Model: model.Pool, Concurrency: 8}})
	if err != nil || rec.Status != record.Skipped || rec.Reason != "no compiler" {
		t.Errorf("%+v, %v", rec, err)
	}
}
