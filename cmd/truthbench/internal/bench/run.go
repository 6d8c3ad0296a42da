package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// A bench is a run of truthbench.
type bench struct {
	o         Options
	stderr    io.Writer
	began     time.Time
	now       func() time.Time
	program   string
	labels    []Label
	halves    map[model.Kind]half
	outcomes  *store[Outcome]
	sweeps    *store[Sweep]
	overheads *store[Overheads]
	build     string // what a verdict depends on besides the op
}

// A half is the part of a suite that has one kind of target.
type half struct {
	path   string
	file   *workload.File
	digest string // what a sweep depends on besides the op
}

// Run does what the command line says and prints the tables to stdout, also
// when it was interrupted: of what is there.
func Run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	began := time.Now()
	o, err := parse(stderr, args)
	if err != nil {
		return err
	}
	b, err := open(ctx, o, stderr)
	if err != nil {
		return err
	}
	b.began, b.now = began, time.Now
	err = b.measure(ctx, b.steps())
	if ctx.Err() == nil || b.any() {
		err = errors.Join(err, b.report(stdout))
	}
	return err
}

// any reports whether any of the chosen ops was run.
func (b *bench) any() bool {
	for _, l := range b.labels {
		if _, ok := b.outcomes.values[b.outcomeKey(l, 0)]; ok {
			return true
		}
	}
	return false
}

// open builds concprof and opens the cache.
func open(ctx context.Context, o Options, stderr io.Writer) (*bench, error) {
	b := &bench{o: o, stderr: stderr, program: o.Concprof, halves: make(map[model.Kind]half)}
	all, err := readLabels(o.Suite)
	if err != nil {
		return nil, fmt.Errorf("no suite: %w; run it in the repository's root, or name the suite's folder with -suite", err)
	}
	if b.labels, err = o.choose(all); err != nil {
		return nil, err
	}
	if err := o.known(all); err != nil {
		return nil, err
	}
	for kind, name := range files() {
		s := half{path: filepath.Join(o.Suite, name)}
		if s.file, err = workload.Load(s.path); err != nil {
			return nil, err
		}
		sources := map[model.Kind]string{model.Go: "*.go", model.Python: "*.py"}[kind]
		if s.digest, err = digest(filepath.Join(o.Suite, "*", sources), s.path); err != nil {
			return nil, err
		}
		b.halves[kind] = s
	}
	dir := filepath.Join(o.Cache, rundir.CurrentHost().Fingerprint)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if b.program == "" {
		b.program = filepath.Join(o.Cache, "concprof")
		out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", b.program, "./cmd/concprof").CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("cannot build concprof: %w\n%s", err, out)
		}
	}
	if b.program, err = filepath.Abs(b.program); err != nil {
		return nil, err
	}
	if b.build, err = digest(b.program); err != nil {
		return nil, err
	}
	if b.outcomes, err = openStore[Outcome](filepath.Join(dir, "outcomes.jsonl")); err != nil {
		return nil, err
	}
	if b.overheads, err = openStore[Overheads](filepath.Join(dir, "overheads.jsonl")); err != nil {
		return nil, err
	}
	b.sweeps, err = openStore[Sweep](filepath.Join(dir, "sweeps.jsonl"))
	return b, err
}

func (b *bench) outcomeKey(l Label, rep int) string {
	return fmt.Sprintf("%s %s %s hogs=%d budget=%v seed=%d", l.Name, b.build, b.halves[l.Target].digest, b.o.Hogs, b.budget(l), b.o.Seed+uint64(rep))
}

func (b *bench) sweepKey(l Label) string {
	return fmt.Sprintf("%s %s", l.Name, b.halves[l.Target].digest)
}

// own is what the suite gives an op for itself, 0 if it gives what all have.
func (b *bench) own(l Label) time.Duration {
	file := b.halves[l.Target].file
	for i := range file.Workloads {
		if w := &file.Workloads[i]; w.Name == l.Name && w.Measure != nil {
			return time.Duration(w.Measure.Budget)
		}
	}
	return 0
}

// budget is that of a run: an op that needs longer than others keeps its own.
func (b *bench) budget(l Label) time.Duration {
	file := time.Duration(b.halves[l.Target].file.Measure.Budget)
	return max(b.own(l), cmp.Or(b.o.Budget, file, workload.DefaultBudget))
}

// sweepBudget is that of the exhaustive sweep of an op.
func (b *bench) sweepBudget(l Label) time.Duration {
	return max(b.o.SweepBudget, b.own(l)*3/2, time.Duration(l.Sweep))
}
