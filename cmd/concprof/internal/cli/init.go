package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/concprof/concprof/cmd/concprof/internal/starter"
	"github.com/concprof/concprof/probes/workload"
)

func newInitCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a workload.yaml to start from",
		Long: `init looks at a folder, this one by default, and writes a commented
workload.yaml there. In a Go module it names functions that can be measured as
they are, those with a benchmark first, and of Python files the top-level
functions that need at most one argument. What needs more said, functions that
take text and plain Python functions, stands there as comments; where there is
nothing else, an example of built-in steps is what would be measured. It only
reads the files: it builds and runs nothing, and it never replaces a file.`,
		Example: `  concprof init
  concprof init ./service && concprof analyze ./service/workload.yaml`,
		Args: arguments(cobra.MaximumNArgs(1), "concprof init takes one folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return a.init(dir)
		},
	}
}

func (a *app) init(dir string) error {
	path := filepath.Join(dir, defaultFile)
	if info, err := os.Stat(dir); err != nil {
		return usage("make it first: mkdir -p "+dir, "cannot find the folder %s", dir)
	} else if !info.IsDir() {
		return usage("", "%s is not a folder", dir)
	}
	found, err := starter.Find(dir)
	if err != nil {
		return fmt.Errorf("look for functions in %s: %w", dir, err)
	}
	text := found.File()
	if _, err := workload.Parse(path, text); err != nil {
		return fmt.Errorf("what init wrote is not a workload file, which is a fault of concprof: %w", err)
	}
	if err := create(path, text); errors.Is(err, fs.ErrExist) {
		return usage("remove it first, or name another folder", "%s is there already", path)
	} else if err != nil {
		return &writeError{path, err}
	}
	fmt.Fprintf(a.Stdout, "wrote %s: %s\n", printable(path), printable(found.Summary()))
	a.notef("next: concprof analyze %s", path)
	return nil
}

// create writes a file that must not be there yet.
func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
