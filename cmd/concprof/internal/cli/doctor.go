package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/cmd/concprof/internal/doctor"
)

type doctorOptions struct {
	format listFormat
}

// AddFlags adds the flags of doctor.
func (o *doctorOptions) AddFlags(fs *pflag.FlagSet) { o.format.AddFlag(fs) }

// Validate reports flags that contradict each other.
func (o *doctorOptions) Validate() error { return nil }

func newDoctorCommand(a *app) *cobra.Command {
	o := &doctorOptions{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this host can measure, and what to do where it cannot",
		Long: `doctor looks at this host for about a second and prints a line for each check on
standard output, with a remedy for each warning. A warning never stops a run: it
says what a run measures less exactly. The exit code is 0.`,
		Example: `  concprof doctor
  concprof doctor --format json`,
		Args: arguments(cobra.NoArgs, "concprof doctor takes no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := doctor.This().Checks(cmd.Context())
			if err := context.Cause(cmd.Context()); err != nil {
				return err
			}
			if o.format == listJSON {
				return writeJSON(a.Stdout, checks)
			}
			writeChecks(a.Stdout, checks, a.useColor(a.StdoutTerminal))
			return nil
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func writeChecks(w io.Writer, checks []doctor.Check, color bool) {
	for _, c := range checks {
		status := fmt.Sprintf("%-4s", c.Status)
		if color && c.Status == doctor.Warn {
			status = "\x1b[33m" + status + "\x1b[0m"
		}
		fmt.Fprintf(w, "%s  %-15s  %s\n", status, c.Name, printable(c.Finding))
		if c.Remedy != "" {
			fmt.Fprintf(w, "%23sremedy: %s\n", "", printable(c.Remedy))
		}
	}
}
