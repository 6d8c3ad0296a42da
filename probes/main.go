// Package probes measures: it prepares the targets of a workload file and
// runs the trials that a Planner asks for, each in a fresh process, into a run
// directory.
//
// A program that calls Run must call Main first thing in main, and a test
// binary in TestMain: keepers, built-in probes and built-in servers are the
// same executable, started again.
package probes

import (
	"fmt"
	"os"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/internal/server"
)

// probeName is argv[0] of a probe for built-in steps and commands. Roles are
// told by argv[0] rather than by the environment, which a workload's own
// processes would inherit.
const probeName = "concprof-probe"

// Main takes over if this process was started as a keeper, a probe or a
// server: it does not return then. Otherwise it does nothing.
func Main() {
	if len(os.Args) == 0 {
		return
	}
	switch name := os.Args[0]; name {
	case proc.KeeperName:
		proc.Rename(name)
		proc.Keep()
	case probeName:
		proc.Rename(name)
		harness.Main(nil)
	case server.Name:
		proc.Rename(name)
		err := server.Main()
		fmt.Fprintln(os.Stderr, "concprof server:", err)
		os.Exit(1)
	}
}
