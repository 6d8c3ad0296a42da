package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
		Short: "List the concurrency models: what each is, needs, and whether it can run here",
		Long: `models lists the concurrency models on standard output, the simplest first: of
models that are equally good, the simplest is recommended.`,
		Example: `  concprof models
  concprof models --format json`,
		Args: arguments(cobra.NoArgs, "concprof models takes no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if o.format == listJSON {
				return writeJSON(a.Stdout, modelRows())
			}
			return writeModels(a.Stdout, modelRows())
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
	Needs     string      `json:"needs,omitempty"`
	Reason    string      `json:"reason,omitempty"` // why it cannot run here
}

func modelRows() []modelRow {
	rows := make([]modelRow, 0, len(model.Infos()))
	for _, info := range model.Infos() {
		row := modelRow{Model: info.Model, StandsFor: info.StandsFor, How: info.Go, Needs: info.Needs}
		// A Go target of two steps is the one that the most models can run.
		row.RunsHere, row.Reason = info.Model.Runs(model.Target{Kind: model.Go, Steps: 2})
		rows = append(rows, row)
	}
	return rows
}

func writeModels(w io.Writer, rows []modelRow) error {
	for _, r := range rows {
		here := "yes"
		if !r.RunsHere {
			here = "no"
		}
		fmt.Fprintf(w, "%-16s runs here: %-3s  stands for: %s\n", r.Model, here, r.StandsFor)
		if r.How != "" {
			fmt.Fprintf(w, "  how     %s\n", r.How)
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
