package reports

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/rundir"
)

// recordedRun judges the recorded run of testdata/runs/ledger: two Go
// functions, one that adds under a lock and one that writes to the disk, on a
// machine that was so busy that there is no recommendation.
func recordedRun(t testing.TB) *analyzer.Result {
	t.Helper()
	run, err := rundir.Open("../testdata/runs/ledger")
	if err != nil {
		t.Fatal(err)
	}
	res, err := analyzer.Analyze(run, analyzer.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// Every format of a recorded run, byte for byte. A pprof file is compressed,
// and what a compressor writes changes with Go's version, so that its text
// form is held instead.
func TestRecordedGolden(t *testing.T) {
	res := recordedRun(t)
	for _, f := range Exports() {
		t.Run(string(f), func(t *testing.T) {
			s := Selection{}
			if f.OfProfiles() && f != ExportSpeedscope {
				s.Workload = "post"
			}
			_, out := exported(t, res, f, s)
			if f == ExportPprof {
				p, err := profile.Read(out)
				if err != nil {
					t.Fatal(err)
				}
				out = []byte(p.String())
			}
			golden(t, "ledger."+string(f), out)
		})
	}
}

// The time line holds every trial once, on the row of its cell, and trials,
// of which only one runs at a time, do not overlap.
func TestChromeTrace(t *testing.T) {
	res := recordedRun(t)
	_, out := exported(t, res, ExportChromeTrace, Selection{})
	var doc struct {
		TraceEvents []struct {
			Name, Ph string
			TS, Dur  float64
			PID, TID int
			Args     map[string]any
		}
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	seen := map[string]bool{}
	end := 0.0
	for _, e := range doc.TraceEvents {
		row := fmt.Sprint(e.PID, "/", e.TID)
		switch e.Ph {
		case "M":
			if name, ok := e.Args["name"].(string); ok {
				names[e.Name+row] = name
			}
		case "X":
			id, ops := e.Args["trial"].(string)
			if seen[id] {
				t.Errorf("trial %s is there twice", id)
			}
			seen[id] = ops
			if names["thread_name"+row] == "" || names["process_name"+fmt.Sprint(e.PID, "/0")] == "" {
				t.Errorf("trial %s stands on a row without a name", id)
			}
			if e.TS+1 < end || e.Dur <= 0 { // a microsecond for the sums of fractions
				t.Errorf("%s of trial %q: from %v for %v, and the one before ended at %v", e.Name, id, e.TS, e.Dur, end)
			}
			end = e.TS + e.Dur
		}
	}
	if len(seen)-1 != res.Run.Trials { // less the setups, which name no trial
		t.Errorf("%d trials on the time line, and %d ran", len(seen)-1, res.Run.Trials)
	}
	if names["thread_name2/1"] != "sequential" || names["process_name2/0"] != "post" {
		t.Errorf("rows %v", names)
	}
	// A part of the run has the rows of that workload and the controls.
	_, part := exported(t, res, ExportChromeTrace, Selection{Workload: "save"})
	if strings.Contains(string(part), `"post"`) || !strings.Contains(string(part), `"save"`) {
		t.Error("a time line of one workload has another one")
	}
}

// benchstat itself, at the version of go.mod, reads what is exported for it.
func TestBenchstat(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("SKIPPED: no go command, benchstat did not read the export")
	}
	_, out := exported(t, recordedRun(t), ExportBenchfmt, Selection{})
	file := filepath.Join(t.TempDir(), "run.bench")
	if err := os.WriteFile(file, out, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(goTool, "run", "golang.org/x/perf/cmd/benchstat", "-col", "/model", "-row", "/workload /conc", "-format", "csv", file)
	cmd.Env = append(os.Environ(), "GOPROXY=off")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	table, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaints.String())
	}
	for _, want := range []string{",sequential,", ",pool,", ",event-loop,", "sec/op", "op/s", "post 1,", "save 8,"} {
		if !strings.Contains(string(table), want) {
			t.Errorf("benchstat's table has no %q:\n%s", want, table)
		}
	}
}
