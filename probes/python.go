package probes

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/internal/python"
	"github.com/concprof/concprof/probes/internal/runner"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// pythonPassed are the variables that Python targets may see beside those
// that every process may: what tells an interpreter, or a shim in front of it,
// which environment it belongs to.
var pythonPassed = []string{"VIRTUAL_ENV", "PYENV_ROOT", "PYENV_VERSION"}

// pythonEnv returns the part of the environment that interpreters see.
func pythonEnv(environ []string) []string {
	env := allowed(environ)
	for _, name := range pythonPassed {
		if value, ok := lookup(environ, name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// interpret finds the interpreters of the Python targets, asks each of them
// once what it is, and installs the probe.
func (p *Prepared) interpret(ctx context.Context) (faults []error, err error) {
	type found struct {
		*python.Interpreter
		err error
	}
	asked := map[string]found{} // by key
	probe := ""
	for i := range p.file.Workloads {
		w := &p.file.Workloads[i]
		t := p.targets[w.Name]
		if t == nil || len(w.Callables()) == 0 {
			continue
		}
		key := w.Interpreter()
		f, ok := asked[key]
		if !ok {
			f.Interpreter, f.err = python.Search{Key: key, Dir: p.home, Env: pythonEnv(p.environ)}.Find(ctx)
			asked[key] = f
		}
		var fault *python.Error
		switch {
		case errors.As(f.err, &fault):
			faults = append(faults, place(p.file, w.Line, "workload "+w.Name, fault))
			continue
		case f.err != nil:
			return nil, f.err
		}
		if probe == "" {
			if err := p.openWorkshop(); err != nil {
				return nil, err
			}
			if probe, err = python.Install(filepath.Join(p.built.dir, "python")); err != nil {
				return nil, rundir.NewWriteError(p.built.dir, err)
			}
		}
		// An interpreter learns from argv[0] which environment it is of.
		t.interpreter, t.path, t.name, t.args = f.Interpreter, f.Path, f.Path, []string{probe}
		t.root = p.dir
	}
	return faults, nil
}

// Interpreters returns what runs the Python targets, in the order in which
// the file needs them.
func (p *Prepared) Interpreters() []rundir.Interpreter {
	var all []rundir.Interpreter
	at := map[*python.Interpreter]int{}
	for _, w := range p.file.Workloads {
		t := p.targets[w.Name]
		if t == nil || t.interpreter == nil {
			continue
		}
		i, ok := at[t.interpreter]
		if !ok {
			i = len(all)
			at[t.interpreter] = i
			all = append(all, manifestOf(t.interpreter))
		}
		all[i].Workloads = append(all[i].Workloads, w.Name)
	}
	return all
}

// Interpreter returns what runs a workload's callables, nil if it has none.
func (p *Prepared) Interpreter(name string) *record.Interpreter {
	t := p.targets[name]
	if t == nil || t.interpreter == nil {
		return nil
	}
	return &t.interpreter.Interpreter
}

// Lacks returns the models that the interpreter of a workload cannot run, with
// the reason.
func (p *Prepared) Lacks(name string) map[model.Model]string {
	t := p.targets[name]
	if t == nil || t.interpreter == nil {
		return nil
	}
	return t.interpreter.Lacks
}

// python completes a job with what the Python probe needs.
func (p *Prepared) python(j *runner.Job, t *target) {
	w := t.workload
	j.Spec.Setup, j.Spec.Teardown = w.Setup, w.Teardown
	j.Spec.PythonPath = p.pythonPath(w)
	j.Observer = &frames{model: j.Spec.Model}
	// Compiled once a run: neither in the user's folders nor in every trial.
	j.Env = slices.Concat(pythonEnv(p.environ), []string{"PYTHONPYCACHEPREFIX=" + filepath.Join(p.built.dir, "pycache")}, j.Env)
}

// pythonPath returns the folders in which a workload's modules are looked
// for: that of the workload file, those of its Python files, and path.
func (p *Prepared) pythonPath(w *workload.Workload) []string {
	folders := []string{p.dir}
	add := func(folder string) {
		if !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	for _, c := range w.Callables() {
		if c.File != "" {
			add(filepath.Dir(p.path(c.File)))
		}
	}
	for _, c := range w.Callables() {
		for _, folder := range c.Path {
			add(p.path(folder))
		}
	}
	return folders
}

// pythonStep returns the step that calls a callable.
func (p *Prepared) pythonStep(name string, c *workload.Python) harness.Step {
	s := harness.Step{Name: name, Kind: harness.KindPython, Module: c.Module, Sync: c.Sync, Async: c.Async}
	if c.File != "" {
		s.Path = p.path(c.File)
	}
	return s
}
