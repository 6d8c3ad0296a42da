// Package bench runs the truth suite: each op once as a user would, with the
// built concprof, and once in an exhaustive sweep, which says what the best
// would have been.
//
// What it judges is verdict.json, the product's contract, and labels that do
// not rest on concprof. Nothing in the analyzer knows the suite.
package bench

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// repeated are the ops that a full run repeats: both languages, all classes,
// waits of two kinds, computing that scales and computing that one GIL holds.
const repeated = "http-far,sha256,mix-50,py-driver,py-python"

// Options are what the command line says.
type Options struct {
	Ops    string
	Target string // go or python, "" for both
	Sample int
	Seed   uint64
	Hogs   int
	// Repeat is how often the ops that Repeated names are run, others once.
	Repeat   int
	Repeated string
	Budget   time.Duration
	// Time ends the measuring: nothing is begun that is likely to pass it.
	Time time.Duration
	// Sweep compares with an exhaustive sweep of SweepBudget.
	Sweep       bool
	SweepBudget time.Duration
	// Overhead compares executors with loops by hand.
	Overhead bool
	Cache    string
	Format   string
	// Require is what must be met for truthbench to end well: all, or class
	// for no wrong class, which a busy machine can hold too.
	Require string
	// Suite is the folder with workload.yaml and labels.json.
	Suite string
	// Concprof is the program to hold against the suite; it is built if empty.
	Concprof string
}

// parse reads the command line.
func parse(stderr io.Writer, args []string) (Options, error) {
	var o Options
	fs := flag.NewFlagSet("truthbench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.Ops, "ops", "", "ops to run, separated by commas (default all)")
	fs.StringVar(&o.Target, "target", "", "go or python (default both)")
	fs.IntVar(&o.Sample, "sample", 0, "draw so many of the ops (default all)")
	fs.Uint64Var(&o.Seed, "seed", 1, "seed of the sample and of the runs")
	fs.IntVar(&o.Hogs, "hogs", 0, "busy processes beside the runs, not beside the sweeps")
	fs.IntVar(&o.Repeat, "repeat", 20, "runs of each op that -repeated names")
	fs.StringVar(&o.Repeated, "repeated", repeated, "ops, of those chosen, that are run more than once, or all")
	fs.DurationVar(&o.Time, "time", 0, "begin nothing that would end later, and print what is there (default no end)")
	fs.DurationVar(&o.Budget, "budget", 0, "budget of a run (default that of the suite)")
	fs.BoolVar(&o.Sweep, "sweep", true, "compare with an exhaustive sweep, which is measured if the cache has none")
	fs.DurationVar(&o.SweepBudget, "sweep-budget", 36*time.Second, "budget of a sweep; ops with a longer budget of their own get half as much again as that, and some what their label says")
	fs.BoolVar(&o.Overhead, "overhead", true, "compare the executors with loops by hand")
	fs.StringVar(&o.Cache, "cache", ".concprof/truth", "folder for results, sweeps and run directories")
	fs.StringVar(&o.Format, "format", "text", "text or markdown")
	fs.StringVar(&o.Require, "require", "all", "targets that must be met to end with 0: all, or class for no wrong class")
	fs.StringVar(&o.Suite, "suite", "testdata/truth", "folder with workload.yaml and labels.json")
	fs.StringVar(&o.Concprof, "concprof", "", "program to run (default: build ./cmd/concprof)")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case o.Format != "text" && o.Format != "markdown":
		return o, fmt.Errorf("unknown format %q: text or markdown", o.Format)
	case o.Require != "all" && o.Require != "class":
		return o, fmt.Errorf("unknown -require %q: all or class", o.Require)
	case o.Target != "" && o.Target != "go" && o.Target != "python":
		return o, fmt.Errorf("unknown -target %q: go or python", o.Target)
	case o.Time < 0 || o.Budget < 0 || o.SweepBudget <= 0:
		return o, fmt.Errorf("-time and -budget are not negative, and -sweep-budget is more than 0")
	case o.Repeat < 1 || o.Hogs < 0 || o.Hogs > 64 || o.Sample < 0:
		return o, fmt.Errorf("-repeat is at least 1, -hogs 0 to 64 and -sample at least 0")
	}
	return o, nil
}

// known says which of the ops to repeat the suite does not have.
func (o Options) known(all []Label) error {
	for _, name := range strings.Split(o.Repeated, ",") {
		if name != "" && name != "all" && !slices.ContainsFunc(all, func(l Label) bool { return l.Name == name }) {
			return fmt.Errorf("-repeated: the suite has no op %q", name)
		}
	}
	return nil
}

// choose returns the labels of the ops that are to be run, in the suite's
// order.
func (o Options) choose(all []Label) ([]Label, error) {
	chosen := all
	if o.Ops != "" {
		chosen = nil
		names := strings.Split(o.Ops, ",")
		for _, name := range names {
			if !slices.ContainsFunc(all, func(l Label) bool { return l.Name == name }) {
				return nil, fmt.Errorf("the suite has no op %q", name)
			}
		}
		for _, l := range all {
			if slices.Contains(names, l.Name) {
				chosen = append(chosen, l)
			}
		}
	}
	if o.Target != "" {
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(l Label) bool { return string(l.Target) != o.Target })
		if len(chosen) == 0 {
			return nil, fmt.Errorf("none of the ops chosen is in %s", o.Target)
		}
	}
	if o.Sample > 0 && o.Sample < len(chosen) {
		drawn := rand.New(rand.NewPCG(o.Seed, 0x7472757468)).Perm(len(chosen))[:o.Sample]
		slices.Sort(drawn)
		some := make([]Label, 0, len(drawn))
		for _, i := range drawn {
			some = append(some, chosen[i])
		}
		chosen = some
	}
	return chosen, nil
}

// runs is how often an op is run.
func (o Options) runs(l Label) int {
	if o.Repeated == "all" || slices.Contains(strings.Split(o.Repeated, ","), l.Name) {
		return o.Repeat
	}
	return 1
}
