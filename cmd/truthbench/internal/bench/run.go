package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// A bench is a run of truthbench.
type bench struct {
	o        Options
	stderr   io.Writer
	program  string
	file     *workload.File
	labels   []Label
	outcomes *store[Outcome]
	sweeps   *store[Sweep]
	build    string // what a verdict depends on besides the op
	suite    string // what a sweep depends on besides the op
}

// Run does what the command line says and prints the tables to stdout.
func Run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	o, err := parse(stderr, args)
	if err != nil {
		return err
	}
	b, err := open(ctx, o, stderr)
	if err != nil {
		return err
	}
	for i, l := range b.labels {
		fmt.Fprintf(stderr, "%d of %d: %s\n", i+1, len(b.labels), l.Name)
		if err := b.op(ctx, l); err != nil {
			return fmt.Errorf("%s: %w; what was measured is kept in %s", l.Name, err, o.Cache)
		}
	}
	return b.report(stdout)
}

// open builds concprof and opens the cache.
func open(ctx context.Context, o Options, stderr io.Writer) (*bench, error) {
	b := &bench{o: o, stderr: stderr, program: o.Concprof}
	all, err := readLabels(o.Suite)
	if err != nil {
		return nil, fmt.Errorf("no suite: %w; run it in the repository's root, or name the suite's folder with -suite", err)
	}
	if b.labels, err = o.choose(all); err != nil {
		return nil, err
	}
	if b.file, err = workload.Load(filepath.Join(o.Suite, "workload.yaml")); err != nil {
		return nil, err
	}
	fingerprint := rundir.CurrentHost().Fingerprint
	dir := filepath.Join(o.Cache, fingerprint)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if b.program == "" {
		b.program = filepath.Join(o.Cache, "concprof")
		out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.program, "./cmd/concprof").CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("cannot build concprof: %w\n%s", err, out)
		}
	}
	if b.program, err = filepath.Abs(b.program); err != nil {
		return nil, err
	}
	if b.suite, err = digest(filepath.Join(o.Suite, "*", "*.go"), filepath.Join(o.Suite, "workload.yaml")); err != nil {
		return nil, err
	}
	if b.build, err = digest(b.program); err != nil {
		return nil, err
	}
	if b.outcomes, err = openStore[Outcome](filepath.Join(dir, "outcomes.jsonl")); err != nil {
		return nil, err
	}
	b.sweeps, err = openStore[Sweep](filepath.Join(dir, "sweeps.jsonl"))
	return b, err
}

// op measures what the cache does not have of an op.
func (b *bench) op(ctx context.Context, l Label) error {
	for rep := range b.o.Repeat {
		key := b.outcomeKey(l, rep)
		if _, known := b.outcomes.values[key]; known {
			continue
		}
		stop, err := startHogs(b.o.Hogs)
		if err != nil {
			return err
		}
		res, err := b.analyze(ctx, l, "--seed", fmt.Sprint(b.o.Seed+uint64(rep)), "--budget", cmp.Or(b.o.Budget, b.budget(l)).String())
		stop()
		if err != nil {
			return err
		}
		if err := b.outcomes.put(key, outcomeOf(res)); err != nil {
			return err
		}
	}
	if _, known := b.sweeps.values[b.sweepKey(l)]; known || !b.o.Sweep {
		return nil
	}
	budget := max(b.o.SweepBudget, 6*b.budget(l))
	if b.budget(l) <= b.o.SweepBudget/2 {
		budget = b.o.SweepBudget
	}
	res, err := b.analyze(ctx, l, "--exhaustive", "--seed", fmt.Sprint(b.o.Seed), "--budget", budget.String())
	if err != nil {
		return err
	}
	return b.sweeps.put(b.sweepKey(l), sweepOf(res))
}

func (b *bench) outcomeKey(l Label, rep int) string {
	return fmt.Sprintf("%s %s %s hogs=%d budget=%v seed=%d", l.Name, b.build, b.suite, b.o.Hogs, cmp.Or(b.o.Budget, b.budget(l)), b.o.Seed+uint64(rep))
}

func (b *bench) sweepKey(l Label) string {
	return fmt.Sprintf("%s %s", l.Name, b.suite)
}

// budget is what the suite gives an op.
func (b *bench) budget(l Label) time.Duration {
	for i := range b.file.Workloads {
		if w := &b.file.Workloads[i]; w.Name == l.Name && w.Measure != nil && w.Measure.Budget > 0 {
			return time.Duration(w.Measure.Budget)
		}
	}
	return cmp.Or(time.Duration(b.file.Measure.Budget), workload.DefaultBudget)
}

// analyze runs concprof on one op as a user would and returns the verdict. A
// partial run (exit code 4) has one too.
func (b *bench) analyze(ctx context.Context, l Label, flags ...string) (*analyzer.Result, error) {
	args := append([]string{
		"analyze", filepath.Join(b.o.Suite, "workload.yaml"), "--workload", l.Name,
		"--format", "json", "--dir", filepath.Join(b.o.Cache, "runs"),
	}, flags...)
	cmd := exec.CommandContext(ctx, b.program, args...)
	// As Ctrl-C: concprof ends what it started.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	ran := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var res analyzer.Result
	if err := json.Unmarshal(out.Bytes(), &res); err != nil || len(res.Workloads) != 1 {
		return nil, fmt.Errorf("concprof gave no verdict (%v):\n%s", ran, strings.TrimSpace(problems.String()))
	}
	return &res, nil
}
