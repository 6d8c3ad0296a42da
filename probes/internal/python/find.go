package python

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// minMinor is the oldest minor version of Python 3 that the probe runs under,
// readMinor the oldest whose frames are read from outside.
const (
	minMinor  = 9
	readMinor = 11
)

// byFile says of an interpreter that the workload file names it.
const byFile = "the workload file"

// An Interpreter is a Python that was found and has said what it is.
type Interpreter struct {
	record.Interpreter
	// Path is what trials execute: what the interpreter calls itself, which
	// may have been found behind a shim.
	Path string
	// Found says where it was found, "$VIRTUAL_ENV".
	Found string
	// Lacks are the models that it cannot run, with the reason.
	Lacks map[model.Model]string
}

// A Search is for the interpreter of one workload.
type Search struct {
	// Key is what the workload file says: a path relative to Dir, a name on
	// PATH, or "".
	Key string
	Dir string // absolute: the workload file's folder
	// Env is what interpreters are executed with; PATH and VIRTUAL_ENV are
	// taken from it.
	Env []string
}

// An Error says why there is no interpreter to run Python targets with.
// Nothing of the user's has been run.
type Error struct {
	Message string
	Hint    string // what to do, or ""
}

func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "\nhint: " + e.Hint
}

// Find returns the interpreter of a workload: by key, else that of
// $VIRTUAL_ENV, else of the nearest .venv upwards of the workload's folder,
// else the first python3 on PATH that runs, or python. It executes what it
// finds, to learn what it is. Its error is an *Error, or ctx's.
func (s Search) Find(ctx context.Context) (*Interpreter, error) {
	path, found, err := s.named()
	if err != nil {
		return nil, err
	}
	if path == "" {
		return s.onPath(ctx, "python3", "python")
	}
	i, err := s.ask(ctx, path)
	if err != nil {
		return nil, s.explain(ctx, found, err)
	}
	i.Found = found
	return i, i.tooOld()
}

// named returns the path of an interpreter that is meant, whether it is there
// or not, and where its name comes from; "" if none is.
func (s Search) named() (path, found string, err error) {
	switch venv := s.lookup("VIRTUAL_ENV"); {
	case strings.ContainsRune(s.Key, filepath.Separator):
		path = s.Key
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.Dir, path)
		}
		return path, byFile, nil
	case s.Key != "":
		paths := s.executables(s.Key)
		if len(paths) == 0 {
			return "", "", &Error{fmt.Sprintf("interpreter %s: not found in PATH (%s)", s.Key, s.lookup("PATH")), "name one that is there, or write a path with a slash: it is relative to the workload file"}
		}
		return paths[0], byFile, nil
	case venv != "":
		return filepath.Join(venv, "bin", "python"), "$VIRTUAL_ENV", nil
	}
	for dir := s.Dir; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, ".venv", "bin", "python")
		if _, err := os.Lstat(path); err == nil {
			return path, ".venv", nil
		}
		if dir == filepath.Dir(dir) {
			return "", "", nil
		}
	}
}

// onPath returns the first interpreter of these names on PATH that runs: a
// shim may be there that leads nowhere.
func (s Search) onPath(ctx context.Context, names ...string) (*Interpreter, error) {
	var failed error
	for _, name := range names {
		for _, path := range s.executables(name) {
			i, err := s.ask(ctx, path)
			switch {
			case err == nil:
				i.Found = "PATH"
				return i, i.tooOld()
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case failed == nil:
				failed = err
			}
		}
	}
	const hint = "install Python 3.11 or newer, or name yours in the workload file: interpreter: .venv/bin/python"
	if failed != nil {
		return nil, &Error{"no Python runs: " + failed.Error(), hint}
	}
	return nil, &Error{fmt.Sprintf("no Python found: neither %s on PATH (%s), nor $VIRTUAL_ENV, nor a .venv", strings.Join(names, " nor "), s.lookup("PATH")), hint}
}

// executables returns the files of a name on PATH that may be executed.
func (s Search) executables(name string) []string {
	var paths []string
	for _, folder := range filepath.SplitList(s.lookup("PATH")) {
		if !filepath.IsAbs(folder) {
			continue // a program of the current folder is not meant, see exec.ErrDot
		}
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			paths = append(paths, path)
		}
	}
	return paths
}

// lookup returns the value of a variable, the last one of its name.
func (s Search) lookup(name string) string {
	value := ""
	for _, kv := range s.Env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

// explain says of an interpreter that was meant why it does not run.
func (s Search) explain(ctx context.Context, found string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	what := found
	if found == byFile {
		what = "interpreter " + s.Key
	}
	e := &Error{Message: what + " does not run: " + err.Error()}
	switch {
	case found == "$VIRTUAL_ENV":
		e.Hint = "deactivate it, or make it again, or name another: interpreter: PATH"
	case found == ".venv":
		e.Hint = "make it again: python3 -m venv .venv; or name another: interpreter: PATH"
	case errors.Is(err, os.ErrNotExist):
		e.Hint = "a path is relative to the workload file's folder, " + s.Dir
	}
	return e
}

// tooOld returns an *Error if the probe cannot run under i.
func (i *Interpreter) tooOld() error {
	major, minor := i.version()
	if major > 3 || major == 3 && minor >= minMinor {
		return nil
	}
	return &Error{
		fmt.Sprintf("%s, by %s, is %v: too old, Python 3.%d is the oldest that can be measured", i.Path, i.Found, i.Interpreter, minMinor),
		"name a newer one in the workload file: interpreter: python3.11",
	}
}

// version returns the first two numbers of the version, 0 if they are none.
func (i *Interpreter) version() (major, minor int) {
	parts := strings.SplitN(i.Version, ".", 3)
	if len(parts) < 2 {
		return 0, 0
	}
	major, _ = strconv.Atoi(parts[0])
	minor, _ = strconv.Atoi(parts[1])
	return major, minor
}

// Notes tell what of a run will be less than with a CPython that is read
// fully, one sentence each.
func (i *Interpreter) Notes() []string {
	_, minor := i.version()
	switch {
	case i.Implementation != "cpython":
		return []string{fmt.Sprintf("%v: clocks only, frames are read of CPython alone", i.Interpreter)}
	case minor < readMinor:
		return []string{fmt.Sprintf("%v: its frames cannot be read from outside, profiles are approximate or missing; those of 3.%d and newer can", i.Interpreter, readMinor)}
	case i.FreeThreaded:
		return []string{fmt.Sprintf("%v: the frames of free-threaded builds cannot be read yet, profiles are approximate or missing", i.Interpreter)}
	}
	return nil
}
