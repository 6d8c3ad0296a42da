package probes

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/workload"
)

func TestPrepareReportsAllFaults(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f := &workload.File{
		Path: "workload.yaml", Dir: dir,
		Servers: map[string]workload.Server{"db": {Command: []string{"no-such-database"}}},
		Workloads: []workload.Workload{
			{Name: "a", Line: 3, Command: []string{"no-such-tool", "x"}},
			{Name: "b", Line: 7, Steps: []workload.Step{{Exec: []string{"./data"}}}, Inputs: &workload.Inputs{File: "missing.txt"}},
			{Name: "c", Line: 9, Command: []string{"true"}, Prepare: []string{"./missing"}, Inputs: &workload.Inputs{File: "."}},
			{Name: "d", Line: 11, Command: []string{"true"}},
		},
	}
	_, err := Prepare(context.Background(), f, PrepareOptions{Environ: []string{"PATH=/usr/bin:/bin"}})
	var te *TargetError
	if !errors.As(err, &te) {
		t.Fatalf("error %v", err)
	}
	text := err.Error()
	for _, want := range []string{
		`workload.yaml:3: workload a: command "no-such-tool": not found in PATH (/usr/bin:/bin)`,
		"workload.yaml:7: workload b", "data is not executable", "missing.txt: no such file",
		"workload.yaml:9: workload c", "missing: no such file", "inputs: . is not a file",
		`workload.yaml: server db: command "no-such-database": not found`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "workload d") {
		t.Errorf("a fault of what is right:\n%s", text)
	}

	// What is not to be run need not be there.
	f.Servers = nil
	p, err := Prepare(context.Background(), f, PrepareOptions{Workloads: []string{"d"}, Environ: []string{"PATH=/usr/bin:/bin"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}
