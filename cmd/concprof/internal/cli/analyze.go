package cli

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

type analyzeOptions struct {
	measure    measureOptions
	output     outputOptions
	gate       gateOptions
	foreign    foreignOptions
	dir        string
	against    string
	resume     bool
	noHostLock bool
}

// AddFlags adds the flags of analyze.
func (o *analyzeOptions) AddFlags(fs *pflag.FlagSet) {
	o.measure.AddFlags(fs)
	o.output.AddFlags(fs)
	o.gate.AddFlags(fs)
	o.foreign.AddFlags(fs)
	addDirFlag(fs, &o.dir)
	fs.StringVar(&o.against, "against", "", "measure this `revision` of the repository too, trial by trial beside this tree, and compare")
	fs.BoolVar(&o.resume, "resume", false, "go on with an interrupted run: finished trials are kept")
	fs.BoolVar(&o.noHostLock, "no-host-lock", false, "measure even while another run does on this host")
}

// Validate reports flags that are wrong by themselves.
func (o *analyzeOptions) Validate() error {
	return errors.Join(o.measure.Validate(), o.output.Validate(), o.gate.Validate())
}

func newAnalyzeCommand(a *app) *cobra.Command {
	o := &analyzeOptions{}
	cmd := &cobra.Command{
		Use:   "analyze [FILE | RUN | PKG.FUNC | MODULE:FUNC | -- COMMAND...]",
		Short: "Run, classify, recommend; or judge a recorded run again",
		Long: `analyze runs a workload under each concurrency model and prints the verdict: the
class, the model to use, and the evidence. A workload is one of a file
(workload.yaml by default), a Go function of the module you stand in, a Python
callable, or a command.

The evidence is kept in a run directory below --dir, with verdict.json,
report.html, report.md, bench.txt and profiles/ for go tool pprof. Nothing else
is written.

On a run directory, an archive of one (concprof export --archive), or latest, it
runs nothing: it judges the recorded evidence again, and writes those files anew
in a run directory.

Conditions on the verdict, --gate or the file's gate, decide the exit code: 3 if
one is not met, 5 if one cannot be decided.

--against REV measures another revision of the git repository too and says what
changed since. The trials of both are interleaved, so what happens on the
machine meanwhile happens to both. The revision is checked out in a temporary
place; tree, index and branches stay as they are. The workload file and the
inputs are this tree's on both sides, and what is not committed is part of it.
It takes twice the time. A gate such as "regression <= 5%" needs it.

Ctrl-C ends the run with a report of what there is; analyze --resume goes on.`,
		Example: `  concprof analyze workload.yaml
  concprof analyze ./internal/thumb.Render
  concprof analyze scraper:fetch,afetch
  concprof analyze jobs/resize.py:resize -m sequential,pool,processes
  concprof analyze -- gzip -9 -c access.log
  concprof analyze workload.yaml --budget 20s -m sequential,pool -c 1,8
  concprof analyze workload.yaml --report report.html -f json > verdict.json
  concprof analyze workload.yaml --gate "class == io-bound" --gate "speedup > 4"
  concprof analyze workload.yaml --against main --gate "regression <= 5%"
  concprof analyze ./internal/cache.Get --race
  concprof analyze --resume latest`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			return a.analyze(cmd, args, o)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func (a *app) analyze(cmd *cobra.Command, args []string, o *analyzeOptions) error {
	var t target
	var err error
	if dash := cmd.ArgsLenAtDash(); o.resume {
		t, err = o.resumed(args, dash)
	} else {
		t, err = a.findTarget(args, dash, o.dir)
	}
	if err != nil {
		return err
	}
	if t.run != "" {
		for _, name := range append([]string{"against"}, measureFlags...) {
			if cmd.Flags().Changed(name) {
				return usage("leave it out: a run keeps the settings that it began with", "--%s has no meaning for a run directory", name)
			}
		}
	}
	if err := o.foreign.load(cmd.Context(), a.Environ); err != nil {
		return err
	}
	switch {
	case o.resume:
		return a.resume(cmd.Context(), t.run, o)
	case t.run != "":
		run, err := openRun(t.run, o.dir)
		if err != nil {
			return err
		}
		return a.report(run, o)
	}
	return a.begin(cmd.Context(), t, o)
}

// resumed reads the arguments of analyze --resume.
func (o *analyzeOptions) resumed(args []string, dash int) (target, error) {
	const hint = "as in: concprof analyze --resume latest"
	switch {
	case dash >= 0 || len(args) > 1:
		return target{}, usage(hint, "--resume takes one run directory")
	case runArgument(args) == latest:
		return target{run: o.dir}, nil
	case isYAML(args[0]):
		return target{}, usage(hint, "--resume takes a run directory, not a workload file")
	}
	return target{run: args[0]}, nil
}

// begin starts a run.
func (a *app) begin(ctx context.Context, t target, o *analyzeOptions) error {
	if err := o.foreign.known(t.file); err != nil {
		return err
	}
	settings := o.measure.settings()
	settings.Gate = o.gate.gates
	p, err := plan.Build(t.file, settings)
	if err != nil {
		return withTargets(ctx, t.file, settings.Workloads, err)
	}
	if o.against != "" {
		return a.beginAgainst(ctx, t, p, o)
	}
	for _, w := range p.Workloads {
		if err := needBaseline(w.Gate, "add one: --against main"); err != nil {
			return err
		}
	}
	prepared, err := a.prepare(ctx, t.file, p)
	if err != nil {
		return err
	}
	defer prepared.Close()
	complete(p, prepared)
	m, err := a.manifest(t, p)
	if err != nil {
		return err
	}
	m.Interpreters = prepared.Interpreters()
	a.noteInterpreters(m.Interpreters)
	m, source := redacted(m, t.file, a.Environ)
	dir, err := rundir.Create(o.dir, m, source)
	if err != nil {
		return err
	}
	return a.measure(ctx, dir, prepared, plan.History{Plan: &m.Plan}, o)
}

// withTargets adds to what is wrong with a plan what is wrong with its targets, and
// before it: who gives the larger budget that is asked for would otherwise be told
// only then that there is no such function.
func withTargets(ctx context.Context, file *workload.File, workloads []string, wrong error) error {
	prepared, err := probes.Prepare(ctx, file, probes.PrepareOptions{Workloads: workloads})
	switch {
	case err == nil:
		return errors.Join(wrong, prepared.Close())
	case is[*probes.TargetError](err):
		return errors.Join(err, wrong)
	}
	return wrong
}

// resume goes on with a run.
func (a *app) resume(ctx context.Context, path string, o *analyzeOptions) error {
	// Opened first for what to say where there is no run.
	run, err := openRun(path, o.dir)
	if err != nil {
		return err
	}
	if run.IsArchive() {
		return usage("unpack it into a folder, and resume that", "%s is an archive of a run, which nothing is written to", path)
	}
	if run.Manifest.Against != nil && !run.Complete {
		return usage("run it again: what is interleaved is of one hour", "%s was measured against another revision, which cannot be resumed", run.Path)
	}
	dir, run, err := rundir.Resume(run.Path)
	if err != nil {
		return err
	}
	if run.Complete {
		a.notef("the run is complete: nothing is left to measure")
		return errors.Join(dir.Close(), a.conclude(run.Path, o, nil, nil))
	}
	file, err := sourceOf(run)
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	prepared, err := a.prepare(ctx, file, &run.Manifest.Plan)
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	defer prepared.Close()
	if err := sameInterpreters(run.Manifest.Interpreters, prepared.Interpreters()); err != nil {
		return errors.Join(err, dir.Close())
	}
	return a.measure(ctx, dir, prepared, run.History(), o)
}

// prepare builds and finds what a plan's workloads execute.
func (a *app) prepare(ctx context.Context, file *workload.File, p *plan.Plan) (*probes.Prepared, error) {
	return probes.Prepare(ctx, file, probes.PrepareOptions{Workloads: names(p.Workloads), Race: raced(p.Workloads)})
}

// raced returns the names of the workloads that are to be built with the race
// detector too.
func raced(ws []plan.Workload) []string {
	return names(slices.DeleteFunc(slices.Clone(ws), func(w plan.Workload) bool { return !w.Race || w.NoRace != "" }))
}

// complete enters into a plan what is known once its targets are prepared:
// where their code is, which Python runs them and which models that lacks.
func complete(p *plan.Plan, prepared *probes.Prepared) {
	for i := range p.Workloads {
		w := &p.Workloads[i]
		w.Root = prepared.Root(w.Name)
		w.Interpreter = prepared.Interpreter(w.Name)
		if w.Race {
			w.NoRace = prepared.NoRace(w.Name)
		}
		lacks := prepared.Lacks(w.Name)
		for _, m := range model.All() {
			if reason := lacks[m]; reason != "" {
				w.LeaveOut(m, reason)
			}
		}
	}
}

// noteInterpreters says which Python is going to run, for there may be several
// on a machine, and what of it cannot be measured.
func (a *app) noteInterpreters(all []rundir.Interpreter) {
	for _, i := range all {
		a.notef("%s: %s, %s (by %s)", strings.Join(i.Workloads, ", "), i.Interpreter, i.Path, i.Found)
		for _, note := range i.Notes {
			a.notef("%s", note)
		}
	}
}

// sameInterpreters refuses to go on with a run under another Python than it
// began with.
func sameInterpreters(before, now []rundir.Interpreter) error {
	for i, b := range before {
		if i < len(now) && (b.Path != now[i].Path || b.Interpreter != now[i].Interpreter) {
			return usage("begin a new run, or bring it back: it was "+b.Path,
				"the run began with %s, and would go on with %s, %s", b.Interpreter, now[i].Interpreter, now[i].Path)
		}
	}
	return nil
}

// measure runs the trials that are left of a run and reports on it, also when
// it was interrupted or failed. It closes dir.
func (a *app) measure(ctx context.Context, dir *rundir.Dir, prepared *probes.Prepared, h plan.History, o *analyzeOptions) error {
	a.announce(h, dir.Path())
	progress := newProgress(a)
	ran := probes.Run(ctx, prepared, probes.Options{
		Dir:        dir,
		Planner:    analyzer.NewPlanner(analyzer.DefaultOptions()),
		History:    h,
		Progress:   progress.update,
		NoHostLock: o.noHostLock,
	})
	progress.close()
	path := dir.Path()
	ran = errors.Join(ran, dir.Verify(), dir.Close())
	concluded := a.conclude(path, o, prepared.Root, nil)
	var interrupt *interruptError
	switch {
	case errors.As(context.Cause(ctx), &interrupt) && o.against != "":
		return &interruptError{signal: interrupt.signal, hint: "a run against another revision is not resumed: run it again"}
	case errors.As(context.Cause(ctx), &interrupt):
		return &interruptError{signal: interrupt.signal, hint: "to go on: concprof analyze --resume " + path}
	case ran != nil:
		return ran
	}
	return concluded
}

// announce says what is going to happen to the user's world.
func (a *app) announce(h plan.History, path string) {
	b := h.Plan.Bounds()
	a.notef("%s in %s: %s", count(len(h.Plan.Workloads), "workload"), filepath.ToSlash(path), bounds(b))
	for _, w := range h.Plan.Workloads {
		for _, s := range w.Skipped {
			if a.verbose {
				a.notef("%s: %s is skipped: %s", w.Name, s.Model, s.Reason)
			}
		}
	}
	if n := len(h.Finished); n > 0 {
		a.notef("kept from before: %s", count(n, "finished trial"))
	}
}

// conclude judges a run directory, writes its derived files and the reports
// that were asked for, and prints the verdict. root and base return the folder
// of the module that a workload was built from in this process, in the user's tree
// and at the other revision; they are nil if none was.
func (a *app) conclude(path string, o *analyzeOptions, root, base func(workload string) string) error {
	run, err := openRun(path, o.dir)
	if err != nil {
		return err
	}
	j, err := judgeAll(run)
	if err != nil {
		return err
	}
	var kept error
	if root != nil {
		kept = keepExcerpts(run.Path, j.res, root)
	}
	if base != nil && j.base != nil {
		kept = errors.Join(kept, keepExcerpts(j.base.Run.Path, j.base.Result, base))
	}
	return errors.Join(kept, a.tell(j, o))
}

// report judges a run, whose sources it does not read, and tells of it.
func (a *app) report(run *rundir.Run, o *analyzeOptions) error {
	j, err := judgeAll(run)
	if err != nil {
		return err
	}
	return a.tell(j, o)
}

// tell writes the derived files of a judged run anew and shows the result.
func (a *app) tell(j *judged, o *analyzeOptions) error {
	if err := errors.Join(j.ask(&o.gate), o.foreign.show(j.res)); err != nil {
		return err
	}
	if j.run.IsArchive() {
		if err := o.output.write(a, j); err != nil {
			return err
		}
		a.notef("%s stays as it is: what is derived from an archive is kept nowhere, --report FILE writes it", j.run.Path)
		return complain(j)
	}
	written := writeDerived(j.run.Path, j.res, j.comparison)
	if j.base != nil {
		written = errors.Join(written, writeDerived(j.base.Run.Path, j.base.Result, nil))
	}
	// What cannot be kept can still be read.
	if err := errors.Join(written, o.output.write(a, j)); err != nil {
		return err
	}
	a.notef("the run is kept in %s", j.run.Path)
	return complain(j)
}
