// Package python runs Python callables: it holds the probe, which is a Python
// program, and puts it where interpreters find it.
package python

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
)

// FileName is the name of the probe's file. The frame reader cuts stacks at
// the frames of a file of this name.
const FileName = "concprof_probe.py"

// Source is the text of the probe.
//
//go:embed probe.py
var Source []byte

// launcherName is the file that interpreters are given to run.
const launcherName = "launch.py"

// launcher imports the probe, which Python then keeps compiled beside it:
// compiling it anew in every trial, and in every worker, would take 60 ms. The
// workers of a process pool run it again under another name.
const launcher = `import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import concprof_probe

if __name__ == "__main__":
    concprof_probe.main()
`

// Install writes the probe into dir, a folder that is made for it or that
// belongs to nobody else, and returns the path of the file to run. All trials
// of a run should use the same folder, in which Python keeps the compiled
// probe.
func Install(dir string) (path string, err error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("install the Python probe: %w", err) }
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { // it may have been there
		return fail(err)
	}
	if err := os.WriteFile(filepath.Join(dir, FileName), Source, 0o600); err != nil {
		return fail(err)
	}
	path = filepath.Join(dir, launcherName)
	if err := os.WriteFile(path, []byte(launcher), 0o600); err != nil {
		return fail(err)
	}
	return path, nil
}
