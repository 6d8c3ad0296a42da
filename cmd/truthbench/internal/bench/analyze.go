package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/concprof/concprof/analyzer"
)

// maxForeign is the share of the processors that others may take during a
// sweep: as much as concprof lets them for a recommendation.
const maxForeign = 0.15

// errNotKept is returned by a sweep that says nothing.
var errNotKept = errors.New("so it is not kept")

// run runs concprof on an op as a user would and keeps the verdict.
func (b *bench) run(ctx context.Context, l Label, rep int) error {
	stop, err := startHogs(b.o.Hogs)
	if err != nil {
		return err
	}
	res, err := b.analyze(ctx, l, "--seed", fmt.Sprint(b.o.Seed+uint64(rep)), "--budget", b.budget(l).String())
	stop()
	if err != nil {
		return err
	}
	return b.outcomes.put(b.outcomeKey(l, rep), outcomeOf(res))
}

// sweep measures every cell of an op in full and keeps that, unless it says
// nothing: the next run of truthbench tries again.
func (b *bench) sweep(ctx context.Context, l Label) error {
	res, err := b.analyze(ctx, l, "--exhaustive", "--seed", fmt.Sprint(b.o.Seed), "--budget", b.sweepBudget(l).String())
	if err != nil {
		return err
	}
	s := sweepOf(res)
	switch {
	case s.Foreign > maxForeign:
		return fmt.Errorf("other programs took %.0f %% of the processors, %w", 100*s.Foreign, errNotKept)
	case len(s.rivals(l)) == 0:
		return fmt.Errorf("no cell has %d trials in %v, %w", leastSamples, b.sweepBudget(l), errNotKept)
	}
	return b.sweeps.put(b.sweepKey(l), s)
}

// analyze runs concprof on one op and returns the verdict. A partial run (exit
// code 4) has one too.
func (b *bench) analyze(ctx context.Context, l Label, flags ...string) (*analyzer.Result, error) {
	args := append([]string{
		"analyze", b.halves[l.Target].path, "--workload", l.Name,
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
