//go:build pending

package cli

import "github.com/concprof/concprof/probes/plan"

// settings returns what the flags ask of a plan.
func (o *measureOptions) settings() plan.Settings {
	return plan.Settings{
		Models:      o.models,
		Concurrency: o.concurrency,
		Runs:        o.runs,
		Warmup:      o.warmup,
		Budget:      o.budget,
		Seed:        o.seed,
		Workloads:   o.workloads,
	}
}
