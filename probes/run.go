package probes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/concprof/concprof/probes/internal/lock"
	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/internal/server"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// Options say how a run goes.
type Options struct {
	Dir     *rundir.Dir
	Planner Planner
	// History holds the plan and, when a run is resumed, what it did before.
	History plan.History
	// Progress is called before and after each trial, nil for not.
	Progress func(Progress)
	// NoHostLock runs trials even while another concprof does on this host.
	NoHostLock bool
}

// Progress is where a run stands.
type Progress struct {
	// Planned counts the trials that were decided so far, or that the planner
	// expects if that is more; Finished those that have a record.
	Planned, Finished int
	Trial             plan.Trial
	Side              rundir.RunSide // of Trial, "" unless two runs are measured
	Record            *record.Record // of Trial; nil: it is being started
	// Spent is the time of all finished trials, Budget that of all workloads.
	Spent, Budget time.Duration
	Decision      *plan.Decision // the last one
	// Note is what else there is to say, such as what is being waited for;
	// Trial is not set then.
	Note string
}

// run is the state of Run.
type run struct {
	prepared *Prepared
	options  Options
	history  plan.History
	servers  []*server.Server
	hosts    map[string]string // host:port of every server
	// head is the run that this one is the base of, nil if it is none.
	head *run
}

// Run carries out what the planner decides until it is done. Each decision is
// journalled before it is carried out and each record when its trial has
// ended, so that a run that ends in any way can be resumed: Run then begins
// with the trials that were decided but have no record.
//
// When ctx is done, the current trial is ended without a record and Run
// returns ctx's error. It returns a *rundir.WriteError if the run directory
// cannot be written.
func Run(ctx context.Context, p *Prepared, o Options) error {
	r := &run{prepared: p, options: o, history: o.History}
	if r.history.Plan == nil {
		return errors.New("run: the history has no plan")
	}
	if err := proc.Adopt(); err != nil {
		return err
	}
	l, err := r.lockHost(ctx)
	if err != nil {
		return err
	}
	defer l.Release() //nolint:errcheck // the kernel frees it in any case
	if len(r.history.Decisions) > 0 {
		if err := o.Dir.AppendNote(rundir.Note{Kind: "resumed", Text: time.Now().UTC().Format(time.RFC3339)}); err != nil {
			return err
		}
	}
	defer r.stopServers()
	if err := r.startServers(ctx); err != nil {
		return err
	}
	return r.noteInterrupt(ctx, r.loop(ctx))
}

// noteInterrupt journals that err comes of ctx, if it does.
func (r *run) noteInterrupt(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	return errors.Join(err, r.options.Dir.AppendNote(rundir.Note{Kind: "interrupted", Text: time.Now().UTC().Format(time.RFC3339)}))
}

// hostLockFile is the lock of the host: in the user's own runtime folder, which
// nobody else can write to, or else where all users see it.
func hostLockFile(environ []string) string {
	dir, _ := lookup(environ, "XDG_RUNTIME_DIR")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() || !filepath.IsAbs(dir) {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "concprof.lock")
}

// lockHost waits until no other concprof measures on this host, unless it is
// not to. Where the lock cannot be taken at all it says so and goes on.
func (r *run) lockHost(ctx context.Context) (*lock.Lock, error) {
	if r.options.NoHostLock {
		return nil, nil
	}
	// Others need to read the file, no more, to lock it.
	l, err := lock.Wait(ctx, hostLockFile(r.prepared.environ), 0o644, func(busy *lock.BusyError) {
		r.note(fmt.Sprintf("waiting for another run on this host to end, which --no-host-lock does not: %v", busy))
	})
	if err != nil && ctx.Err() == nil {
		r.note(fmt.Sprintf("cannot tell whether another run is measuring on this host: %v", err))
		return nil, nil
	}
	return l, err
}

// loop carries out decisions until the planner is done.
func (r *run) loop(ctx context.Context) error {
	trials := rundir.Unfinished(r.history)
	done := false
	if n := len(r.history.Decisions); n > 0 {
		done = r.history.Decisions[n-1].Done
	}
	for {
		for _, t := range trials {
			if err := r.trial(ctx, t); err != nil {
				return err
			}
		}
		if done {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		d := r.options.Planner.Next(r.history)
		if err := r.decided(d); err != nil {
			return err
		}
		trials, done = d.Trials, d.Done
	}
}

// decided journals a decision.
func (r *run) decided(d plan.Decision) error {
	if len(d.Trials) == 0 && !d.Done {
		return errors.New("run: the planner wants neither a trial nor the end")
	}
	if err := r.options.Dir.AppendDecision(d); err != nil {
		return err
	}
	r.history.Decisions = append(r.history.Decisions, d)
	return nil
}

// trial runs one trial and journals its record.
func (r *run) trial(ctx context.Context, t plan.Trial) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.progress(t, nil)
	rec, err := r.measure(ctx, t)
	if err != nil {
		return err
	}
	f := plan.Finished{Trial: t, Record: *rec}
	if err := r.options.Dir.AppendTrial(f); err != nil {
		return err
	}
	r.history.Finished = append(r.history.Finished, f)
	r.progress(t, rec)
	return nil
}

// measure runs one trial.
func (r *run) measure(ctx context.Context, t plan.Trial) (*record.Record, error) {
	if reason := r.down(); reason != "" && t.Control == "" {
		return &record.Record{Status: record.SetupFailed, Stage: record.StageStart, Reason: reason}, nil
	}
	if tg := r.prepared.targets[t.Cell.Workload]; t.Pass == plan.Race && tg != nil && tg.race == "" {
		// It was built when the run began, and cannot be now that it is resumed.
		return &record.Record{Status: record.Skipped, Reason: r.prepared.NoRace(t.Cell.Workload)}, nil
	}
	j, err := r.job(t)
	if err != nil {
		return nil, err
	}
	if reason := r.bound(j, t); reason != "" {
		return &record.Record{Status: record.Skipped, Reason: reason}, nil
	}
	if j.Folder, err = r.options.Dir.TrialDir(t.ID); err != nil {
		return nil, err
	}
	return j.Run(ctx)
}

func (r *run) note(text string) {
	p := r.position()
	p.Note = text
	if r.options.Progress != nil {
		r.options.Progress(p)
	}
}

func (r *run) progress(t plan.Trial, rec *record.Record) {
	p := r.position()
	p.Trial, p.Record = t, rec
	if r.options.Progress != nil {
		r.options.Progress(p)
	}
}

func (r *run) position() Progress {
	p := Progress{Finished: len(r.history.Finished)}
	for i := range r.history.Decisions {
		p.Decision = &r.history.Decisions[i]
		p.Planned += len(p.Decision.Trials)
	}
	if p.Decision != nil {
		p.Planned = max(p.Planned, p.Decision.Expected)
	}
	for _, f := range r.history.Finished {
		p.Spent += time.Duration(f.Record.ElapsedNs)
	}
	for _, w := range r.history.Plan.Workloads {
		p.Budget += time.Duration(w.BudgetNs)
	}
	return p
}
