package probes

import (
	"context"
	"os"
	"path/filepath"

	"github.com/concprof/concprof/probes/internal/python"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/rundir"
)

// An Interpreter is a Python of this host, whatever workload may need it.
type Interpreter struct {
	rundir.Interpreter
	// Lacks are the models that it cannot run, with the reason.
	Lacks map[model.Model]string
}

// DefaultInterpreter asks the Python that a workload file in a folder would
// get if it named none what it is. The error says why there is none, and what
// to do.
func DefaultInterpreter(ctx context.Context, dir string, environ []string) (*Interpreter, error) {
	s, err := search(dir, environ)
	if err != nil {
		return nil, err
	}
	i, err := s.Find(ctx)
	if err != nil {
		return nil, err
	}
	return described(i), nil
}

// Interpreters asks every Python that can be found, seen from a folder, what
// it is. The first is the default, if there is one.
func Interpreters(ctx context.Context, dir string, environ []string) ([]*Interpreter, error) {
	s, err := search(dir, environ)
	if err != nil {
		return nil, err
	}
	var all []*Interpreter
	for _, i := range s.All(ctx) {
		all = append(all, described(i))
	}
	return all, ctx.Err()
}

// search looks from a folder; environ is os.Environ() if it is nil.
func search(dir string, environ []string) (python.Search, error) {
	if environ == nil {
		environ = os.Environ()
	}
	abs, err := filepath.Abs(dir)
	return python.Search{Dir: abs, Env: pythonEnv(environ)}, err
}

func described(i *python.Interpreter) *Interpreter {
	return &Interpreter{manifestOf(i), i.Lacks}
}

// manifestOf returns what a manifest says of an interpreter.
func manifestOf(i *python.Interpreter) rundir.Interpreter {
	return rundir.Interpreter{Interpreter: i.Interpreter, Path: i.Path, Found: i.Found, Notes: i.Notes()}
}
