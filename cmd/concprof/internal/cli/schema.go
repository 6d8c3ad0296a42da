package cli

import (
	"github.com/spf13/cobra"

	"github.com/concprof/concprof/probes/workload"
)

func newSchemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of workload.yaml",
		Long: `schema prints the JSON Schema (draft 2020-12) of workload.yaml to standard
output: the very schema that check and analyze hold a file to. Editors that know
it complete keys and show what each means.`,
		Example: `  concprof schema > workload.schema.json

  # the first line of workload.yaml, for editors with a YAML language server:
  # yaml-language-server: $schema=./workload.schema.json`,
		Args: arguments(cobra.NoArgs, "concprof schema takes no arguments"),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Stdout.Write(workload.Schema())
			return err
		},
	}
}
