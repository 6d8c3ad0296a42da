package cli

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type reportOptions struct {
	outputOptions
	gate    gateOptions
	foreign foreignOptions
	dir     string
}

// AddFlags adds the flags of report.
func (o *reportOptions) AddFlags(fs *pflag.FlagSet) {
	o.outputOptions.AddFlags(fs)
	o.gate.AddFlags(fs)
	o.foreign.AddFlags(fs)
	addDirFlag(fs, &o.dir)
}

func newReportCommand(a *app) *cobra.Command {
	o := &reportOptions{}
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Print or save the report of a run",
		Long: `report judges a recorded run again, runs nothing, and prints the report to
standard output, or writes it to the file of --output. RUN is a run directory,
an archive of one (concprof export --archive), a folder of runs, of which the
newest is taken, or latest, the default.

--profile shows a profile that another program made of the same work, cProfile,
py-spy, Austin or pprof, beside the run's own: what it says, what its numbers
are not, and for cProfile where sampling disagrees. Nothing is judged by it.

--anonymous is for a report that others read: it leaves out host, command,
folders, addresses, package paths, results, messages of errors and source.`,
		Example: `  concprof report
  concprof report latest -o report.html
  concprof report .concprof/quickstart --format markdown --report verdict.json
  concprof report latest --profile scrape=app.prof -o report.html
  concprof report latest --anonymous -o public.html`,
		Args: arguments(cobra.MaximumNArgs(1), "concprof report takes one run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(o.Validate(), o.gate.Validate()); err != nil {
				return err
			}
			run, err := openRun(runArgument(args), o.dir)
			if err != nil {
				return err
			}
			if err := o.foreign.load(cmd.Context(), a.Environ); err != nil {
				return err
			}
			j, err := judgeAll(run)
			if err != nil {
				return err
			}
			if err := errors.Join(j.ask(&o.gate), o.foreign.show(j.res)); err != nil {
				return err
			}
			if err := o.write(a, j); err != nil {
				return err
			}
			return complain(j)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

// runArgument returns the run that a command's arguments name.
func runArgument(args []string) string {
	if len(args) == 0 {
		return latest
	}
	return args[0]
}

// addDirFlag adds --dir.
func addDirFlag(fs *pflag.FlagSet, dir *string) {
	fs.StringVar(dir, "dir", defaultRoot, "`folder` that runs are kept in")
}
