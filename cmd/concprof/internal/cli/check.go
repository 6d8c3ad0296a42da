package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
)

type checkOptions struct {
	format listFormat
	build  bool
}

// AddFlags adds the flags of check.
func (o *checkOptions) AddFlags(fs *pflag.FlagSet) {
	o.format.AddFlag(fs)
	fs.BoolVar(&o.build, "build", false, "also compile the Go functions, find the commands and ask the Python interpreters")
}

// Validate reports flags that contradict each other.
func (o *checkOptions) Validate() error { return nil }

func newCheckCommand(a *app) *cobra.Command {
	o := &checkOptions{}
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a workload file without running anything",
		Long: `check reads a workload file (workload.yaml by default) and prints every fault
that it finds, each with its line, column and what to do about it. It runs
nothing of what the file names, and opens no network. With --build it also
compiles the Go functions that the file names, in your module and with your own
toolchain, finds its commands, and asks each Python interpreter what it is; it
still calls and imports nothing of yours.`,
		Example: `  concprof check
  concprof check ci/workload.yaml
  concprof check --build
  concprof check --format json workload.yaml`,
		Args: arguments(cobra.MaximumNArgs(1), "concprof check takes one workload file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			path := defaultFile
			if len(args) == 1 {
				path = args[0]
			}
			return a.check(cmd.Context(), path, o)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

// A checked is the result of a check, as JSON.
type checked struct {
	File   string           `json:"file"`
	OK     bool             `json:"ok"`
	Faults []workload.Fault `json:"faults,omitempty"`
	// More counts the faults that are not listed.
	More int `json:"more_faults,omitempty"`
	// Error is why the file as a whole cannot be used.
	Error string `json:"error,omitempty"`
}

func (a *app) check(ctx context.Context, path string, o *checkOptions) error {
	f, p, err := loadPlan(path)
	if f != nil && o.build {
		err = errors.Join(a.buildTargets(ctx, f), err)
	}
	if o.format == listJSON {
		result := checked{File: path, OK: err == nil}
		if faults := (*workload.Faults)(nil); errors.As(err, &faults) {
			result.Faults, result.More = faults.List, faults.More
		} else if err != nil {
			result.Error = err.Error()
		}
		return errors.Join(err, writeJSON(a.Stdout, result))
	}
	if err != nil {
		return err
	}
	return writeChecked(a.Stdout, path, f, p)
}

// loadPlan reads a file and plans it with no flags: a budget that holds
// nothing is a fault of the file too.
func loadPlan(path string) (*workload.File, *plan.Plan, error) {
	f, err := workload.Load(path)
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.Build(f, plan.Settings{Warmup: -1})
	return f, p, err
}

// buildTargets builds what a run would, says which Python it would use, and
// throws it away.
func (a *app) buildTargets(ctx context.Context, f *workload.File) error {
	prepared, err := probes.Prepare(ctx, f, probes.PrepareOptions{})
	if err != nil {
		return err
	}
	a.noteInterpreters(prepared.Interpreters())
	return prepared.Close()
}

func writeChecked(w io.Writer, path string, f *workload.File, p *plan.Plan) error {
	width := 0
	for _, l := range p.Workloads {
		width = max(width, len(l.Name))
	}
	cells := 0
	for _, l := range p.Workloads {
		cells += len(l.Cells)
		fmt.Fprintf(w, "%-*s  %s\n", width, l.Name, printable(l.Label))
	}
	summary := count(len(p.Workloads), "workload")
	if n := len(f.Servers); n > 0 {
		summary += ", " + count(n, "server")
	}
	_, err := fmt.Fprintf(w, "%s: ok: %s, %s\n", printable(path), summary, count(cells, "cell"))
	return err
}
