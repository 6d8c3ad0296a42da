package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/concprof/concprof/probes"
)

func TestMain(m *testing.M) {
	probes.Main()
	testscript.Main(m, map[string]func(){"concprof": func() { os.Exit(run()) }})
}

// TestScript runs every command of the program as a user would: its output on
// both streams, its files and its exit code.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Cmds:                commands(),
		Setup:               setup(searchPath(t)),
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// searchPath returns a PATH on which concprof is found: this test itself under
// that name. A program under the race detector stays for a second when it
// ends, and a run ends hundreds of them; so there the program is built.
func searchPath(t *testing.T) string {
	if !raceDetector {
		return os.Getenv("PATH")
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "concprof"), ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir + string(filepath.ListSeparator) + os.Getenv("PATH")
}
