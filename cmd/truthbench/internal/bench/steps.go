package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A step measures one thing that a table needs.
type step struct {
	what  string
	takes time.Duration // about
	known func() bool
	do    func(ctx context.Context) error
}

// steps are what a run has to measure, in the order of what a run that is cut
// off should have: each op once, then the sweeps and the other runs of those
// that are repeated, then what executors cost, then the other sweeps, drawn by
// the seed, so that those there are stand for all. Long ops come last.
func (b *bench) steps() []step {
	ls := slices.Clone(b.labels)
	slices.SortStableFunc(ls, func(x, y Label) int { return int(b.own(x) - b.own(y)) })
	var steps []step
	most := 1
	for _, l := range ls {
		steps = append(steps, b.runStep(l, 0))
		most = max(most, b.o.runs(l))
	}
	for _, l := range ls {
		if b.o.runs(l) > 1 && b.o.Sweep {
			steps = append(steps, b.sweepStep(l))
		}
	}
	for rep := 1; rep < most; rep++ {
		for _, l := range ls {
			if rep < b.o.runs(l) {
				steps = append(steps, b.runStep(l, rep))
			}
		}
	}
	if b.o.Overhead {
		steps = append(steps, b.overheadStep())
	}
	rand.New(rand.NewPCG(b.o.Seed, 0x7377656570)).Shuffle(len(ls), func(i, j int) { ls[i], ls[j] = ls[j], ls[i] })
	slices.SortStableFunc(ls, func(x, y Label) int { return int(b.own(x) - b.own(y)) })
	for _, l := range ls {
		if b.o.runs(l) == 1 && b.o.Sweep {
			steps = append(steps, b.sweepStep(l))
		}
	}
	return steps
}

func (b *bench) runStep(l Label, rep int) step {
	key := b.outcomeKey(l, rep)
	return step{
		what:  fmt.Sprintf("%s, run %d of %d", l.Name, rep+1, b.o.runs(l)),
		takes: b.budget(l),
		known: func() bool { _, ok := b.outcomes.values[key]; return ok },
		do:    func(ctx context.Context) error { return b.run(ctx, l, rep) },
	}
}

func (b *bench) sweepStep(l Label) step {
	key := b.sweepKey(l)
	return step{
		what:  l.Name + ", exhaustive sweep",
		takes: b.sweepBudget(l),
		known: func() bool { _, ok := b.sweeps.values[key]; return ok },
		do:    func(ctx context.Context) error { return b.sweep(ctx, l) },
	}
}

// measure does the steps that are not known yet, as long as there is time. One
// that fails is told and stops no other; a sweep that says nothing is no failure where only
// the class is required.
func (b *bench) measure(ctx context.Context, steps []step) error {
	steps = slices.DeleteFunc(steps, func(s step) bool { return s.known() })
	var left time.Duration
	for _, s := range steps {
		left += s.takes
	}
	var failed []error
	skipped := 0
	for i, s := range steps {
		if b.o.Time > 0 && b.now().Sub(b.began)+s.takes > b.o.Time {
			skipped++
			left -= s.takes
			continue
		}
		fmt.Fprintf(b.stderr, "%d of %d, about %v left: %s\n", i+1, len(steps), left.Round(time.Second), s.what)
		left -= s.takes
		err := s.do(ctx)
		if ctx.Err() != nil {
			failed = append(failed, fmt.Errorf("interrupted with %d of %d measured: the same command goes on; what was measured is kept in %s", i, len(steps), b.o.Cache))
			break
		}
		if err == nil {
			continue
		}
		fmt.Fprintf(b.stderr, "%s: %v\n", s.what, err)
		if !errors.Is(err, errNotKept) || b.o.Require != "class" {
			failed = append(failed, fmt.Errorf("%s: %w", s.what, err))
		}
	}
	if skipped > 0 {
		fmt.Fprintf(b.stderr, "the time is over: %d of %d were not measured; the same command goes on\n", skipped, len(steps))
	}
	return errors.Join(failed...)
}
