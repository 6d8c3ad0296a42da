package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/cmd/concprof/internal/worktree"
	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// beginAgainst measures the workloads of t in the user's tree and at another
// revision, trial by trial.
func (a *app) beginAgainst(ctx context.Context, t target, p *plan.Plan, o *analyzeOptions) (err error) {
	repository, against, err := a.revisions(ctx, t, o.against)
	if err != nil {
		return err
	}
	sameCells(p)
	head, err := a.prepare(ctx, t.file, p)
	if err != nil {
		return err
	}
	defer head.Close()
	complete(p, head)

	tree, err := repository.Add(ctx, against.Commit, os.TempDir())
	if err != nil {
		return againstError(err)
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	base, basePlan, err := a.prepareBase(ctx, t.file, tree, p, against)
	if err != nil {
		return err
	}
	defer base.Close()
	if tree.NewFolder {
		against.Notes = append(against.Notes, "the revision does not have the folder of the workload file, which was made there")
	}
	if tree.Submodules {
		against.Notes = append(against.Notes, "the revision has submodules, which are not checked out")
	}
	a.noteAgainst(t.file, against)

	m, err := a.manifest(t, p)
	if err != nil {
		return err
	}
	m.Interpreters, m.Against = head.Interpreters(), against
	a.noteInterpreters(m.Interpreters)
	kept, source := redacted(m, t.file, a.Environ)
	dir, err := rundir.Create(o.dir, kept, source)
	if err != nil {
		return err
	}
	if base == nil {
		return a.measure(ctx, dir, head, plan.History{Plan: &kept.Plan}, o)
	}
	of := *against
	of.Side = rundir.SideBase
	m.Against, m.Interpreters, m.Plan = &of, base.Interpreters(), *basePlan
	keptBase, _ := redacted(m, t.file, a.Environ)
	baseDir, err := dir.CreateBase(keptBase, source)
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	return a.measurePair(ctx,
		probes.Side{Prepared: head, Dir: dir, Plan: &kept.Plan},
		probes.Side{Prepared: base, Dir: baseDir, Plan: &keptBase.Plan}, o)
}

// sameCells has both sides measure the same cells, whatever the pilots of one
// show.
func sameCells(p *plan.Plan) {
	for i := range p.Workloads {
		p.Workloads[i].MaxLevel = 0
	}
}

// revision finds the user's repository and the commit of a revision.
func (a *app) revision(ctx context.Context, t target, rev string) (*worktree.Repository, string, error) {
	environ := a.Environ
	if environ == nil {
		environ = os.Environ()
	}
	r, err := worktree.Find(ctx, t.file.Dir, environ)
	if err != nil {
		return nil, "", againstError(err)
	}
	commit, err := r.Resolve(ctx, rev)
	return r, commit, againstError(err)
}

// revisions finds the user's repository and the two revisions.
func (a *app) revisions(ctx context.Context, t target, rev string) (*worktree.Repository, *rundir.Against, error) {
	r, commit, err := a.revision(ctx, t, rev)
	if err != nil {
		return nil, nil, err
	}
	against := &rundir.Against{Side: rundir.SideHead, Revision: rev, Commit: commit}
	if against.Head, against.Modified, err = r.Head(ctx); err != nil {
		return nil, nil, againstError(err)
	}
	return r, against, nil
}

// againstError makes a usage error of what is wrong with a revision.
func againstError(err error) error {
	if e := (*worktree.Error)(nil); errors.As(err, &e) {
		return &usageError{fmt.Errorf("--against: %w", err), e.Hint}
	}
	return err
}

// prepareBase builds and finds what the workloads execute at the other
// revision. Those that cannot run there are left out of its plan, and told in
// against. It returns nil, and no error, if that is all of them.
func (a *app) prepareBase(ctx context.Context, file *workload.File, tree *worktree.Tree, p *plan.Plan, against *rundir.Against) (*probes.Prepared, *plan.Plan, error) {
	of := *p
	of.Workloads = slices.Clone(p.Workloads)
	home, err := filepath.Abs(file.Dir)
	if err != nil {
		return nil, nil, err
	}
	prepare := func(names []string) (*probes.Prepared, error) {
		// Only these: functions of one module are built together, and one that
		// is not there would keep all from being built.
		there := *file
		there.Dir = tree.Dir
		there.Workloads = slices.DeleteFunc(slices.Clone(file.Workloads), func(w workload.Workload) bool { return !slices.Contains(names, w.Name) })
		return probes.Prepare(ctx, &there, probes.PrepareOptions{Workloads: names, Race: raced(of.Workloads), Checkout: tree.Root, Home: home})
	}
	prepared, err := prepare(names(of.Workloads))
	if fault := (*probes.TargetError)(nil); errors.As(err, &fault) {
		if err := leaveOut(&of, against, tree, prepare); err != nil || len(of.Workloads) == 0 {
			return nil, nil, err
		}
		prepared, err = prepare(names(of.Workloads))
	}
	if err != nil {
		return nil, nil, err
	}
	complete(&of, prepared)
	return prepared, &of, nil
}

// leaveOut takes the workloads that cannot be prepared out of a plan, trying
// one after the other.
func leaveOut(p *plan.Plan, against *rundir.Against, tree *worktree.Tree, prepare func([]string) (*probes.Prepared, error)) error {
	var kept []plan.Workload
	for _, w := range p.Workloads {
		prepared, err := prepare([]string{w.Name})
		fault := (*probes.TargetError)(nil)
		switch {
		case errors.As(err, &fault):
			reason := strings.ReplaceAll(strings.TrimSpace(err.Error()), tree.Root+string(filepath.Separator), "")
			against.Absent = append(against.Absent, rundir.Absence{Workload: w.Name, Reason: reason})
			continue
		case err != nil:
			return err
		}
		if err := prepared.Close(); err != nil {
			return err
		}
		kept = append(kept, w)
	}
	p.Workloads = kept
	return nil
}

func names(ws []plan.Workload) []string {
	var out []string
	for _, w := range ws {
		out = append(out, w.Name)
	}
	return out
}

// noteAgainst says what is compared with what.
func (a *app) noteAgainst(file *workload.File, against *rundir.Against) {
	this := "this tree"
	if against.Modified {
		this += " with what is not committed"
	}
	a.notef("against %s (%s): %s and that revision, trial by trial, with the workload file and the inputs of this tree", baseLabel(against), shortCommit(against.Commit), this)
	for _, s := range file.Servers {
		if len(s.Command) > 0 {
			against.Notes = append(against.Notes, "servers that are commands run from this tree, for both")
			break
		}
	}
	for _, note := range against.Notes {
		a.notef("%s", note)
	}
	for _, x := range against.Absent {
		reason, _, _ := strings.Cut(x.Reason, "\n")
		a.notef("%s: not at %s, and so not compared: %s", x.Workload, baseLabel(against), reason)
	}
}

// measurePair runs the trials of both sides and reports on them, also when it
// was interrupted or failed. It closes both directories.
func (a *app) measurePair(ctx context.Context, head, base probes.Side, o *analyzeOptions) error {
	a.announce(plan.History{Plan: head.Plan}, head.Dir.Path())
	a.notef("and the same at the other revision, so twice that")
	progress := newProgress(a)
	ran := probes.RunPair(ctx, head, base, probes.PairOptions{
		Planner:    analyzer.NewPairPlanner(analyzer.DefaultOptions()),
		Progress:   progress.update,
		NoHostLock: o.noHostLock,
	})
	progress.close()
	path := head.Dir.Path()
	for _, s := range []probes.Side{head, base} {
		ran = errors.Join(ran, s.Dir.Verify(), s.Dir.Close())
	}
	concluded := a.conclude(path, o, head.Prepared.Root, base.Prepared.Root)
	var interrupt *interruptError
	switch {
	case errors.As(context.Cause(ctx), &interrupt):
		return &interruptError{signal: interrupt.signal, hint: "what is interleaved is not resumed: run it again"}
	case ran != nil:
		return ran
	}
	return concluded
}
