package probes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/concprof/concprof/probes/internal/command"
	"github.com/concprof/concprof/probes/internal/gofunc"
	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/internal/python"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// PrepareOptions choose what is prepared. The zero value prepares everything.
type PrepareOptions struct {
	// Workloads are the names of the workloads to prepare, nil for all.
	Workloads []string
	// Environ is what the allowed and the declared variables of workloads are
	// taken from, and what Go targets are built with: os.Environ() if nil.
	Environ []string
	// Checkout is set for another revision of the user's tree: the top of where
	// it is checked out, which f.Dir is below. Home is then the folder of the
	// user's own workload file. Inputs and interpreters are those found from
	// there, and servers are not looked for: both revisions get the same.
	Checkout, Home string
	// Race names the workloads whose Go code is also built with the race
	// detector, if that can be done here.
	Race []string
}

// Prepared is a workload file whose targets can be started. Close removes
// what was built.
type Prepared struct {
	file *workload.File
	dir  string // absolute: where relative paths of code start
	home string // absolute: where those of inputs and interpreters start
	// checkout is the top of another revision's tree, "" for the user's own.
	checkout string
	environ  []string
	memory   int64     // of the host, in bytes
	built    *workshop // of Go and Python targets, nil if there are none
	targets  map[string]*target
	servers  map[string]*proc.Command // commands of the user's, by name
	race     []string                 // workloads to be built with the race detector too
}

// A target is what a trial of a workload executes.
type target struct {
	workload *workload.Workload
	path     string            // of the probe
	name     string            // its argv[0]
	args     []string          // that follow
	dir      string            // its working directory
	root     string            // of the Go module or the Python modules, "" if there are none
	programs map[string]string // the paths of commands, by argv[0]
	// interpreter runs the workload's callables, nil if it has none.
	interpreter *python.Interpreter
	// race is the path of the same probe built with the race detector, noRace
	// why there is none.
	race, noRace string
}

// A TargetError lists everything that keeps targets from being started:
// faults of the user's file, machine or code. Nothing has been run. Each of
// them names its workload or server; those of Go code are a *gofunc.Error,
// whose text has the compiler's places.
type TargetError struct{ Faults []error }

func (e *TargetError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults.
func (e *TargetError) Unwrap() []error { return e.Faults }

// Prepare builds the Go targets of f, finds its commands and inputs, and asks
// the interpreters of its Python targets what they are. It returns a *TargetError if any of them cannot be started.
func Prepare(ctx context.Context, f *workload.File, o PrepareOptions) (_ *Prepared, err error) {
	p := &Prepared{file: f, environ: o.Environ, race: o.Race, memory: rundir.CurrentHost().MemoryBytes, targets: map[string]*target{}, servers: map[string]*proc.Command{}}
	if p.environ == nil {
		p.environ = os.Environ()
	}
	if p.dir, err = filepath.Abs(f.Dir); err != nil {
		return nil, err
	}
	p.home, p.checkout = p.dir, o.Checkout
	if p.checkout != "" {
		p.home = o.Home
	}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	var faults []error
	for i := range f.Workloads {
		w := &f.Workloads[i]
		if !chosen(o.Workloads, w.Name) {
			continue
		}
		t, err := p.find(w)
		if err != nil {
			faults = append(faults, place(f, w.Line, "workload "+w.Name, err))
		}
		p.targets[w.Name] = t
	}
	for name, s := range f.Servers {
		if len(s.Command) == 0 || p.checkout != "" {
			continue
		}
		c, err := p.command(s.Command)
		if err != nil {
			faults = append(faults, place(f, 0, "server "+name, err))
			continue
		}
		p.servers[name] = c
	}
	for _, prepare := range []func(context.Context) ([]error, error){p.interpret, p.build} {
		fs, err := prepare(ctx)
		if err != nil {
			return nil, err
		}
		faults = append(faults, fs...)
	}
	if len(faults) > 0 {
		return nil, &TargetError{faults}
	}
	return p, nil
}

func chosen(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return len(names) == 0
}

// place says where in the file a fault is.
func place(f *workload.File, line int, what string, err error) error {
	switch {
	case f.Path == "":
		return err
	case line == 0:
		return fmt.Errorf("%s: %s: %w", f.Path, what, err)
	}
	return fmt.Errorf("%s:%d: %s: %w", f.Path, line, what, err)
}

// find checks what can be checked of a workload without building it.
func (p *Prepared) find(w *workload.Workload) (*target, error) {
	t := &target{workload: w, name: probeName, dir: p.dir, programs: map[string]string{}}
	commands := [][]string{w.Command, w.Prepare, w.Cleanup}
	for _, s := range w.Steps {
		commands = append(commands, s.Exec)
	}
	var errs []error
	for _, argv := range commands {
		if len(argv) == 0 {
			continue
		}
		path, err := p.program(argv[0])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		t.programs[argv[0]] = path
	}
	if w.Inputs != nil && w.Inputs.File != "" {
		if info, err := os.Stat(p.inputs(w.Inputs.File)); err != nil {
			errs = append(errs, fmt.Errorf("inputs: %w", err))
		} else if !info.Mode().IsRegular() {
			errs = append(errs, fmt.Errorf("inputs: %s is not a file", w.Inputs.File))
		}
	}
	if p.checkout != "" {
		errs = append(errs, p.elsewhere(w)...)
	}
	var err error
	if t.path, err = proc.Self(); err != nil {
		errs = append(errs, err)
	}
	return t, errors.Join(errs...)
}

// build builds the Go targets.
func (p *Prepared) build(ctx context.Context) (faults []error, err error) {
	for _, r := range gofunc.Requests(p.file) {
		wanted := false
		for _, name := range r.Workloads {
			wanted = wanted || p.targets[name] != nil
		}
		if !wanted {
			continue
		}
		if err := p.openWorkshop(); err != nil {
			return nil, err
		}
		if r.Out, err = os.MkdirTemp(p.built.dir, ""); err != nil {
			return nil, rundir.NewWriteError(p.built.dir, err)
		}
		r.Env = p.environ
		b, err := gofunc.Build(ctx, r)
		var fault *gofunc.Error
		switch {
		case errors.As(err, &fault):
			faults = append(faults, fault)
			continue
		case err != nil:
			return nil, err
		}
		for _, name := range b.Workloads {
			if t := p.targets[name]; t != nil {
				t.path, t.dir, t.root = b.Path, b.ModuleDir, b.ModuleDir
			}
		}
		if err := p.buildRace(ctx, r); err != nil {
			return nil, err
		}
	}
	return faults, nil
}

// openWorkshop makes a folder for what is built, unless there is one.
func (p *Prepared) openWorkshop() (err error) {
	if p.built == nil {
		p.built, err = openWorkshop(os.TempDir())
	}
	return err
}

// Root returns the folder that a workload's code is below: that of its Go
// module, or the workload file's for Python; "" for what has no code.
func (p *Prepared) Root(name string) string {
	if t := p.targets[name]; t != nil {
		return t.root
	}
	return ""
}

// path returns a path of the file as an absolute one.
func (p *Prepared) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.dir, name)
}

// inputs returns the path of a file of inputs.
func (p *Prepared) inputs(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.home, name)
}

func (p *Prepared) program(argv0 string) (string, error) {
	path, _ := lookup(p.environ, "PATH")
	return command.Find(argv0, p.dir, path)
}

// command returns a command of the file, which sees the allowed variables
// only.
func (p *Prepared) command(argv []string) (*proc.Command, error) {
	path, err := p.program(argv[0])
	if err != nil {
		return nil, err
	}
	return &proc.Command{Path: path, Argv: argv, Dir: p.dir, Env: allowed(p.environ)}, nil
}

// Close removes what was built. Closing nil does nothing.
func (p *Prepared) Close() error {
	if p == nil {
		return nil
	}
	return p.built.close()
}
