package cli

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// TestMain lets the test binary be the keeper that tries for a PID namespace.
func TestMain(m *testing.M) {
	probes.Main()
	os.Exit(m.Run())
}

// TestUnenforcedIsSaid: what a workload is not held to here is in the manifest,
// and once in the report.
func TestUnenforcedIsSaid(t *testing.T) {
	file, err := workload.Parse("w.yaml", []byte("version: 1\nworkloads:\n  - {name: a, command: [x]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{Env: &Env{Now: time.Now}}
	m, err := a.manifest(target{name: "a", file: file}, &plan.Plan{Workloads: []plan.Workload{{Name: "a", Label: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := analyzer.Analyze(&rundir.Run{Manifest: m}, analyzer.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	said, want := 0, 1
	if probes.Namespaces() {
		want = 0 // it is enforced
	}
	for _, w := range res.Warnings {
		if w.ID == analyzer.WarnUnenforced {
			said += strings.Count(w.Message, "no PID namespace")
		}
	}
	if said != want {
		t.Errorf("said %d times, want %d: %+v", said, want, res.Warnings)
	}
}
