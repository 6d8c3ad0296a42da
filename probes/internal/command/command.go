// Package command finds programs and makes steps of them.
package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/concprof/concprof/probes/harness"
)

// inputMark is replaced by the op's input in an argument.
const inputMark = "{input}"

// Find returns the absolute path of the program that argv[0] names: a path,
// which starts at dir, or a name that is looked up in the folders of path, a
// list as in $PATH. The error names what was searched.
func Find(argv0, dir, path string) (string, error) {
	if argv0 == "" {
		return "", errors.New("command has no name")
	}
	if strings.ContainsRune(argv0, filepath.Separator) {
		file := argv0
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		if err := executable(file); err != nil {
			return "", fmt.Errorf("command %q: %w", argv0, err)
		}
		return file, nil
	}
	for _, folder := range filepath.SplitList(path) {
		if !filepath.IsAbs(folder) {
			continue // a program of the current folder is not meant, see exec.ErrDot
		}
		if file := filepath.Join(folder, argv0); executable(file) == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("command %q: not found in PATH (%s)", argv0, path)
}

func executable(file string) error {
	info, err := os.Stat(file)
	var pe *fs.PathError
	switch {
	case errors.As(err, &pe):
		return fmt.Errorf("%s: %w", file, pe.Err)
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder", file)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable", file)
	}
	_, err = exec.LookPath(file) // asks the system, which knows more than the mode
	return err
}

// Step returns the step that runs argv, found as path, once an op. The op's
// input replaces "{input}" in the arguments; if no argument has it, a command
// with inputs is given them on its standard input.
func Step(name, path string, argv []string, dir string, inputs bool) harness.Step {
	s := harness.Step{Name: name, Kind: harness.KindExec, Dir: dir}
	s.Argv = append([]string{path}, argv[1:]...)
	marked := false
	for _, a := range argv[1:] {
		marked = marked || strings.Contains(a, inputMark)
	}
	if inputs && !marked {
		s.Stdin = "input"
	}
	return s
}
