package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
)

// measureOptions are the flags that say how to measure. A zero value leaves
// the choice to workload.yaml and then to the default, which is why the
// defaults in the help are text.
type measureOptions struct {
	models      modelList
	concurrency []int
	runs        int
	warmup      int
	budget      time.Duration
	seed        uint64
	exhaustive  bool
	race        bool
	workloads   []string
}

// AddFlags adds the flags.
func (o *measureOptions) AddFlags(fs *pflag.FlagSet) {
	fs.VarP(&o.models, "model", "m", `models to compare, such as "sequential,pool"; "all" for all (default all)`)
	fs.IntSliceVarP(&o.concurrency, "concurrency", "c", nil, "ops in flight, such as 1,8,64 (default "+levels(workload.DefaultConcurrency())+", and more where throughput still rises)")
	fs.IntVarP(&o.runs, "runs", "r", 0, fmt.Sprintf("timed trials of the baseline and of the best cells (default %d)", workload.DefaultRuns))
	fs.IntVarP(&o.warmup, "warmup", "w", -1, fmt.Sprintf("trials of each cell that are not counted (default %d)", workload.DefaultWarmup))
	fs.DurationVarP(&o.budget, "budget", "b", 0, fmt.Sprintf("time for one workload, all included (default %v)", workload.Duration(workload.DefaultBudget)))
	fs.BoolVar(&o.exhaustive, "exhaustive", false, "measure every cell in full: none is dropped because it cannot win (give a budget that holds them)")
	fs.BoolVar(&o.race, "race", false, "also run Go functions once under the race detector, 8 in flight (needs cgo and a C compiler)")
	fs.Uint64Var(&o.seed, "seed", 0, "seed of the order of trials (default 1)")
	fs.StringSliceVar(&o.workloads, "workload", nil, "workloads of the file to run (default all)")
	fs.Lookup("warmup").DefValue = "0" // the text says what the default is
}

// measureFlags are the names of the flags above.
var measureFlags = []string{"model", "concurrency", "runs", "warmup", "budget", "exhaustive", "race", "seed", "workload"}

// Validate has nothing to say: whether values fit each other and the file is
// for plan.Build to check, before anything runs.
func (o *measureOptions) Validate() error { return nil }

// settings returns what the flags ask of a plan, which checks the values.
func (o *measureOptions) settings() plan.Settings {
	return plan.Settings{
		Models:      o.models,
		Concurrency: o.concurrency,
		Runs:        o.runs,
		Warmup:      o.warmup,
		Budget:      o.budget,
		Exhaustive:  o.exhaustive,
		Race:        o.race,
		Seed:        o.seed,
		Workloads:   o.workloads,
	}
}

func levels(list []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]")
}

// modelList is a comma-separated list of models.
type modelList []model.Model

func (l *modelList) Type() string { return "models" }

func (l *modelList) String() string {
	names := make([]string, len(*l))
	for i, m := range *l {
		names[i] = string(m)
	}
	return strings.Join(names, ",")
}

// Set adds the models of a list; "all" is every model.
func (l *modelList) Set(s string) error {
	if s == "all" {
		*l = model.All()
		return nil
	}
	for _, name := range strings.Split(s, ",") {
		m, err := model.Parse(strings.TrimSpace(name))
		if err != nil {
			if near := workload.Nearest(name, modelNames()); near != "" {
				return fmt.Errorf("unknown model %q: did you mean %s?", name, near)
			}
			return err
		}
		*l = append(*l, m)
	}
	return nil
}

func modelNames() []string {
	all := modelList(model.All())
	return strings.Split(all.String(), ",")
}
