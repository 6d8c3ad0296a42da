package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/model"
)

type modelsOptions struct {
	format listFormat
}

// AddFlags adds the flags of models.
func (o *modelsOptions) AddFlags(fs *pflag.FlagSet) { o.format.AddFlag(fs) }

// Validate reports flags that contradict each other.
func (o *modelsOptions) Validate() error { return nil }

func newModelsCommand(a *app) *cobra.Command {
	o := &modelsOptions{}
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List the models: what each is and needs, and whether it runs here",
		Long: `models lists the concurrency models on standard output, the simplest first: of
models that are equally good, the simplest is recommended. It asks the Python
that it finds what it can do.`,
		Example: `  concprof models
  concprof models --format json`,
		Args: arguments(cobra.NoArgs, "concprof models takes no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			python, err := probes.DefaultInterpreter(cmd.Context(), ".", nil)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			rows := modelRows(python, err)
			if o.format == listJSON {
				return writeJSON(a.Stdout, rows)
			}
			return writeModels(a.Stdout, rows)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

// A modelRow is what the list says of a model.
type modelRow struct {
	Model     model.Model `json:"model"`
	RunsHere  bool        `json:"runs_here"`
	StandsFor string      `json:"stands_for"`
	How       string      `json:"how,omitempty"`
	Python    string      `json:"python,omitempty"` // how Python callables run under it
	Needs     string      `json:"needs,omitempty"`
	Reason    string      `json:"reason,omitempty"` // why it cannot run here
}

// modelRows lists the models for a host whose Python is the given one, or has
// none because of err.
func modelRows(python *probes.Interpreter, err error) []modelRow {
	rows := make([]modelRow, 0, len(model.Infos()))
	for _, info := range model.Infos() {
		row := modelRow{Model: info.Model, StandsFor: info.StandsFor, How: info.Go, Python: info.Python, Needs: info.Needs}
		// Targets of two steps are those that the most models can run.
		row.RunsHere, row.Reason = info.Model.Runs(model.Target{Kind: model.Go, Steps: 2})
		if !row.RunsHere {
			row.RunsHere, row.Reason = runsInPython(info.Model, python, err)
		}
		rows = append(rows, row)
	}
	return rows
}

// runsInPython says of a model that no Go target can run whether a Python one
// can.
func runsInPython(m model.Model, python *probes.Interpreter, err error) (bool, string) {
	switch {
	case err != nil:
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return false, reason
	case python.Lacks[m] != "":
		return false, python.Lacks[m]
	}
	return m.Runs(model.Target{Kind: model.Python, Steps: 2})
}

func writeModels(w io.Writer, rows []modelRow) error {
	for _, r := range rows {
		here := "yes"
		if !r.RunsHere {
			here = "no"
		}
		fmt.Fprintf(w, "%-16s runs here: %-3s  stands for: %s\n", r.Model, here, r.StandsFor)
		if r.How != "" {
			fmt.Fprintf(w, "  Go      %s\n", r.How)
		}
		if r.Python != "" {
			fmt.Fprintf(w, "  Python  %s\n", r.Python)
		}
		if r.Needs != "" {
			fmt.Fprintf(w, "  needs   %s\n", r.Needs)
		}
		if r.Reason != "" {
			fmt.Fprintf(w, "  reason  %s\n", r.Reason)
		}
	}
	return nil
}
