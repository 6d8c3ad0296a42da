package probes

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/internal/builtin"
	"github.com/concprof/concprof/probes/internal/command"
	"github.com/concprof/concprof/probes/internal/gofunc"
	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/internal/runner"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// job returns what is to be started for a trial.
func (r *run) job(t plan.Trial) (*runner.Job, error) {
	j := &runner.Job{
		Spec: harness.Spec{
			Trial: t.ID, Model: t.Cell.Model, Concurrency: max(t.Cell.Concurrency, 1), Cores: max(r.history.Plan.Cores, 1),
			Ops: t.Ops, ForNs: t.ForNs, MinOps: t.MinOps, Offload: t.Offload,
			LatencyEvery: t.LatencyEvery, Mode: mode(t.Pass),
		},
		Timeout:   workload.DefaultTimeout,
		ServerCPU: r.serverCPU,
	}
	if t.Pass == plan.Check {
		j.Spec.Results = record.MaxResults
	}
	var err error
	if t.Control != "" {
		err = r.control(j, t)
	} else {
		err = r.workload(j, t)
	}
	if err != nil {
		return nil, err
	}
	r.calibrated(&j.Spec, t)
	return j, nil
}

// mode says how trials of a pass are observed.
func mode(p plan.Pass) harness.Mode {
	switch p {
	case plan.Dry:
		return harness.ModeDry
	case plan.ControlRun, plan.Classify:
		return harness.ModeClassify
	case plan.Contention, plan.Profiling:
		return harness.ModeProfile
	case plan.Tracing:
		return harness.ModeTrace
	}
	return harness.ModeTiming
}

// control completes a job with a built-in op, in the built-in probe.
func (r *run) control(j *runner.Job, t plan.Trial) (err error) {
	if j.Path, err = proc.Self(); err != nil {
		return err
	}
	j.Name, j.Dir, j.Env = probeName, "/", allowed(r.prepared.environ)
	j.Limits = defaultLimits(j.Spec.Concurrency, r.prepared.memory)
	j.Spec.Steps, err = builtin.Control(t.Control)
	return err
}

// workload completes a job with the workload's op.
func (r *run) workload(j *runner.Job, t plan.Trial) error {
	name := t.Cell.Workload
	tg := r.prepared.targets[name]
	if tg == nil {
		return fmt.Errorf("trial %s: workload %q is not prepared", t.ID, name)
	}
	w := tg.workload
	steps, err := r.steps(tg)
	if err != nil {
		return fmt.Errorf("workload %s: %w", name, err)
	}
	j.Spec.Steps = steps
	j.Path, j.Name, j.Args, j.Dir = tg.path, tg.name, tg.args, tg.dir
	if t.Pass == plan.Race {
		if tg.race == "" {
			return fmt.Errorf("trial %s: workload %q is not built with the race detector", t.ID, name)
		}
		j.Path, j.Race = tg.race, true
	}
	if w.Inputs != nil {
		j.Spec.Inputs = &harness.Inputs{Count: w.Inputs.Count}
		if w.Inputs.File != "" {
			j.Spec.Inputs.File = r.prepared.inputs(w.Inputs.File)
		}
	}
	entries := w.Env
	for _, c := range w.Callables() {
		entries = slices.Concat(entries, c.Env)
	}
	env, secrets := declared(entries, r.prepared.environ)
	j.Env = slices.Concat(allowed(r.prepared.environ), r.addresses(), env)
	j.Redact = workload.NewRedactor(slices.Concat(secrets, workload.Credentials(r.prepared.environ)))
	j.Spec.NoDigest = w.Digest == "none"
	if first := firstGo(w); first != nil {
		j.Spec.Setup, j.Spec.Teardown = goKey(first, w.Setup), goKey(first, w.Teardown)
	}
	if tg.interpreter != nil {
		r.prepared.python(j, tg)
	}
	level := j.Spec.Concurrency
	for _, p := range r.history.Plan.Workloads {
		if p.Name != name {
			continue
		}
		if p.TimeoutNs > 0 {
			j.Timeout = time.Duration(p.TimeoutNs)
		}
		if d := time.Duration(t.TimeoutNs); d > 0 {
			j.Timeout = min(j.Timeout, d)
		}
		j.Spec.MaxRate = p.MaxRate
		if t.Pass == plan.Pilot || t.Pass == plan.Timing {
			j.Spec.Rate = p.Rate
		}
		level = max(level, p.Level())
	}
	j.Limits = r.prepared.limits(w, level)
	j.Prepare, j.Cleanup = tg.hook(w.Prepare, j.Env, r.prepared.dir), tg.hook(w.Cleanup, j.Env, r.prepared.dir)
	return nil
}

// steps returns the steps of a workload's op.
func (r *run) steps(t *target) ([]harness.Step, error) {
	w := t.workload
	inputs := w.Inputs != nil
	switch {
	case w.Go != nil:
		return []harness.Step{goStep(w.Name, w.Go)}, nil
	case w.Python != nil:
		return []harness.Step{r.prepared.pythonStep(w.Name, w.Python)}, nil
	case len(w.Command) > 0:
		return []harness.Step{command.Step(w.Name, t.programs[w.Command[0]], w.Command, r.prepared.dir, inputs)}, nil
	}
	steps := make([]harness.Step, 0, len(w.Steps))
	for _, s := range w.Steps {
		switch {
		case s.Go != nil:
			steps = append(steps, goStep(s.Name, s.Go))
		case s.Python != nil:
			steps = append(steps, r.prepared.pythonStep(s.Name, s.Python))
		case len(s.Exec) > 0:
			steps = append(steps, command.Step(s.Name, t.programs[s.Exec[0]], s.Exec, r.prepared.dir, inputs))
		default:
			h, err := builtin.Step(s, r.prepared.dir, r.hosts)
			if err != nil {
				return nil, err
			}
			steps = append(steps, h)
		}
	}
	// The plan has made up names for steps without one.
	for _, p := range r.history.Plan.Workloads {
		if p.Name == w.Name && len(p.Steps) == len(steps) {
			for i := range steps {
				steps[i].Name = p.Steps[i]
			}
		}
	}
	return steps, nil
}

func goStep(name string, g *workload.GoFunc) harness.Step {
	return harness.Step{Name: name, Kind: harness.KindGo, Func: gofunc.Key(g.Package, g.Func)}
}

// firstGo returns the workload's first Go function, in whose package setup
// and teardown are evaluated.
func firstGo(w *workload.Workload) *workload.GoFunc {
	if w.Go != nil {
		return w.Go
	}
	for _, s := range w.Steps {
		if s.Go != nil {
			return s.Go
		}
	}
	return nil
}

func goKey(g *workload.GoFunc, expr string) string {
	if expr == "" {
		return ""
	}
	return gofunc.Key(g.Package, expr)
}

// hook returns a prepare or cleanup command, nil if there is none.
func (t *target) hook(argv, env []string, dir string) *proc.Command {
	if len(argv) == 0 {
		return nil
	}
	return &proc.Command{Path: t.programs[argv[0]], Argv: argv, Dir: dir, Env: env}
}

// calibrated gives the steps the amounts of work that the dry trial of the
// same op found, so that all trials do the same work: also those of another
// revision, which follow the head's.
func (r *run) calibrated(s *harness.Spec, t plan.Trial) {
	finished := r.history.Finished
	if r.head != nil {
		finished = slices.Concat(r.head.history.Finished, finished)
	}
	for _, f := range finished {
		if f.Trial.Pass != plan.Dry || f.Record.Dry == nil ||
			f.Trial.Control != t.Control || (t.Control == "" && f.Trial.Cell.Workload != t.Cell.Workload) {
			continue
		}
		for i, n := range f.Record.Dry.Iterations {
			if i < len(s.Steps) && s.Steps[i].Iterations == 0 {
				s.Steps[i].Iterations = n
			}
		}
	}
}

// addresses returns the servers' addresses as variables.
func (r *run) addresses() []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(r.hosts)) {
		env = append(env, workload.ServerVariable(name)+"="+r.hosts[name])
	}
	return env
}
