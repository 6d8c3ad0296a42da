package cli

import (
	"os"
	"slices"
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

// TestUnenforcedIsSaid: what a workload is not held to here is in the manifest and
// stands in the verdict beside the host. It is no doubt about the verdict.
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
	for _, u := range probes.Unenforced() {
		if !slices.Contains(m.Host.Unenforced, u) {
			t.Errorf("the manifest does not tell of %q: %q", u, m.Host.Unenforced)
		}
	}
	m.Host.Unenforced = append(m.Host.Unenforced, "anything", rundir.ForeignCPU)
	res, err := analyzer.Analyze(&rundir.Run{Manifest: m}, analyzer.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(res.Run.Host.Unenforced, m.Host.Unenforced) {
		t.Errorf("the verdict tells of %q, the manifest of %q", res.Run.Host.Unenforced, m.Host.Unenforced)
	}
	// Without the CPU time of other programs, though, nobody knows how busy the host was.
	if len(res.Warnings) != 1 || res.Warnings[0].ID != analyzer.WarnNoDelay {
		t.Errorf("warnings %+v", res.Warnings)
	}
}
