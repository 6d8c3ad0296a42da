package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
)

type planOptions struct {
	measure measureOptions
	format  listFormat
	against string
}

// AddFlags adds the flags of plan: those of analyze that say how to measure.
func (o *planOptions) AddFlags(fs *pflag.FlagSet) {
	o.measure.AddFlags(fs)
	o.format.AddFlag(fs)
	fs.StringVar(&o.against, "against", "", "show what analyze --against would measure, in this tree and at this revision")
}

// Validate reports flags that contradict each other; plan.Build checks values.
func (o *planOptions) Validate() error { return nil }

func newPlanCommand(a *app) *cobra.Command {
	o := &planOptions{}
	cmd := &cobra.Command{
		Use:   "plan [FILE | PKG.FUNC | MODULE:FUNC | -- COMMAND [ARG...]]",
		Short: "Show what analyze would measure, and what it costs",
		Long: `plan prints the cells that analyze would measure (a workload under a model at a
concurrency), what it leaves out and why, and the bounds on trials, time and
calls of your own work. It runs nothing; with --against it asks your git which
commit the revision is. Which workloads cannot run there shows only when they
are built: those are measured in this tree alone.`,
		Example: `  concprof plan workload.yaml
  concprof plan workload.yaml --budget 20s --model pool,goroutines -c 1,8
  concprof plan ./internal/thumb.Render
  concprof plan workload.yaml --against main
  concprof plan --format json workload.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			t, err := a.findTarget(args, cmd.ArgsLenAtDash(), defaultRoot)
			if err != nil {
				return err
			}
			if t.file == nil {
				return usage("name a workload file, a Go function or a command", "%s is a folder of runs, and plan shows what is still to be run", t.run)
			}
			p, err := plan.Build(t.file, o.measure.settings())
			if err != nil {
				return err
			}
			shown := planned{Plan: p, Bounds: p.Bounds()}
			switch {
			case o.against != "":
				_, commit, err := a.revision(cmd.Context(), t, o.against)
				if err != nil {
					return err
				}
				sameCells(p)
				shown.Against, shown.Bounds = &plannedAgainst{o.against, commit}, twice(p.Bounds())
			default:
				for _, w := range p.Workloads {
					if err := needBaseline(w.Gate, "add one: --against main"); err != nil {
						return err
					}
				}
			}
			if o.format == listJSON {
				return writeJSON(a.Stdout, shown)
			}
			return writePlan(a.Stdout, &shown)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

// planned is a plan with its bounds, as JSON. With another revision the bounds
// are those of both sides together.
type planned struct {
	Plan    *plan.Plan      `json:"plan"`
	Bounds  plan.Bounds     `json:"bounds"`
	Against *plannedAgainst `json:"against,omitempty"`
}

// plannedAgainst is the other revision that a plan is carried out at.
type plannedAgainst struct {
	Revision string `json:"revision"` // as the user named it
	Commit   string `json:"commit"`
}

// twice are the bounds of a plan that is carried out at two revisions.
func twice(b plan.Bounds) plan.Bounds {
	return plan.Bounds{
		MinTrials: 2 * b.MinTrials, MaxTrials: 2 * b.MaxTrials,
		MinTime: 2 * b.MinTime, MaxTime: 2 * b.MaxTime, MinOps: 2 * b.MinOps, MaxOps: 2 * b.MaxOps,
	}
}

// writePlan prints a plan as text.
func writePlan(w io.Writer, p *planned) error {
	for i := range p.Plan.Workloads {
		writePlannedWorkload(w, &p.Plan.Workloads[i])
		fmt.Fprintln(w)
	}
	with := "with"
	if x := p.Against; x != nil {
		fmt.Fprintf(w, "against %s (%s): all this in this tree and at that revision, trial by trial\n", printable(x.Revision), shortCommit(x.Commit))
		with = "at both and with"
	}
	_, err := fmt.Fprintf(w, "in all, %s the controls: %s, on %s\n", with, bounds(p.Bounds), count(p.Plan.Cores, "core"))
	return err
}

func writePlannedWorkload(w io.Writer, l *plan.Workload) {
	fmt.Fprintf(w, "%s: %s\n", l.Name, printable(l.Label))
	for _, row := range cellRows(l) {
		fmt.Fprintf(w, "  %-16s %s\n", row.model, row.levels)
	}
	for _, s := range l.Skipped {
		fmt.Fprintf(w, "  %-16s skipped: %s\n", s.Model, s.Reason)
	}
	if s := addable(l); s != "" {
		fmt.Fprintf(w, "  may add          %s\n", s)
	}
	fmt.Fprintf(w, "  measure          %s, %s, budget %v, at most %v a trial\n",
		count(l.Runs, "run"), count(l.Warmup, "warmup"), workload.Duration(l.BudgetNs), workload.Duration(l.TimeoutNs))
	if l.Exhaustive {
		fmt.Fprintln(w, "  exhaustive       every cell in full, none is dropped because it cannot win")
	}
	if l.Race {
		fmt.Fprintln(w, "  race             a trial of Go functions under the race detector")
	}
	if l.Rate > 0 {
		fmt.Fprintf(w, "  load             %v arrive in trials that time, evenly, whether or not they can start\n", workload.Rate(l.Rate))
	}
	best := l.Objective
	if len(l.Constraints) > 0 {
		best += " with " + strings.Join(l.Constraints, ", ")
	}
	fmt.Fprintf(w, "  recommend        %s\n", best)
	fmt.Fprintf(w, "  bounds           %s\n", bounds(l.Bounds()))
	if l.Runs < plan.LeastRuns {
		fmt.Fprintf(w, "  note             %s give a class but no recommendation: that needs %d\n", count(l.Runs, "run"), plan.LeastRuns)
	}
}

// addable says which levels a run may have beside those of the plan, "" if none.
func addable(l *plan.Workload) string {
	if l.Addable() == 0 {
		return ""
	}
	knee := fmt.Sprintf("%d levels at its knee", plan.KneeLevels)
	for _, c := range l.Cells {
		if n := l.Ceiling(c.Model); n > c.Concurrency && len(l.Doublings(c.Model)) > 0 {
			return fmt.Sprintf("levels up to %d where the curve still rises, and %s", n, knee)
		}
	}
	return knee + ", where the curve bends"
}

// A cellRow is a model and the levels that it is measured at.
type cellRow struct {
	model  model.Model
	levels string
}

func cellRows(l *plan.Workload) []cellRow {
	var rows []cellRow
	for _, c := range l.Cells {
		level := fmt.Sprint(c.Concurrency)
		if n := len(rows); n > 0 && rows[n-1].model == c.Model {
			rows[n-1].levels += ", " + level
			continue
		}
		rows = append(rows, cellRow{c.Model, "at " + level})
	}
	if l.BaselineAdded {
		rows[0].levels += " (not asked for: the baseline of the others)"
	} else {
		rows[0].levels += " (the baseline)"
	}
	return rows
}

// bounds says the least and the most in words.
func bounds(b plan.Bounds) string {
	ops := fmt.Sprintf("at least %s", count(int(b.MinOps), "op"))
	if b.MaxOps > 0 {
		ops = fmt.Sprintf("%d to %s", b.MinOps, count(int(b.MaxOps), "op"))
	}
	return fmt.Sprintf("%d to %s, %v to %v, %s", b.MinTrials, count(b.MaxTrials, "trial"),
		workload.Duration(b.MinTime.Round(100*time.Millisecond)), workload.Duration(b.MaxTime), ops)
}
