package main

import (
	"os"
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
		Setup:               setup,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}
