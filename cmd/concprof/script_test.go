package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/concprof/concprof/cmd/concprof/internal/decoder"
	"github.com/concprof/concprof/probes"
)

func TestMain(m *testing.M) {
	decoder.Main()
	probes.Main()
	testscript.Main(tidy{m}, map[string]func(){"concprof": func() { os.Exit(run()) }})
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
// ends, and a run ends hundreds of them; so there the program is built, once.
func searchPath(t *testing.T) string {
	if !raceDetector {
		return os.Getenv("PATH")
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir + string(filepath.ListSeparator) + os.Getenv("PATH")
}

// built returns the folder into which it has built concprof.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "concprof-test-")
	if err != nil {
		return "", err
	}
	builtDir = dir
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "concprof"), ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

var builtDir string

// A tidy test run removes what it has built.
type tidy struct{ *testing.M }

func (m tidy) Run() int {
	code := m.M.Run()
	if builtDir != "" {
		os.RemoveAll(builtDir)
	}
	return code
}
