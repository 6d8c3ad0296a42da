package cli

import (
	"github.com/spf13/cobra"

	"github.com/concprof/concprof/cmd/concprof/internal/reference"
	"github.com/concprof/concprof/probes/workload"
)

// The formats of concprof schema.
const (
	schemaJSON     = "json"
	schemaMarkdown = "markdown"
)

func newSchemaCommand(a *app) *cobra.Command {
	format := schemaJSON
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of workload.yaml, or its reference",
		Long: `schema prints the JSON Schema (draft 2020-12) of workload.yaml to standard
output: the very schema that check and analyze hold a file to. Editors that know
it complete keys and show what each means. With --format markdown it prints the
same for people: how a file is written, and every key with what it takes, its
default and an example.`,
		Example: `  concprof schema > workload.schema.json
  concprof schema --format markdown | less

  # the first line of workload.yaml, for editors with a YAML language server:
  # yaml-language-server: $schema=./workload.schema.json`,
		Args: arguments(cobra.NoArgs, "concprof schema takes no arguments"),
		RunE: func(*cobra.Command, []string) error {
			out := workload.Schema()
			switch format {
			case schemaJSON:
			case schemaMarkdown:
				var err error
				if out, err = reference.Write(out); err != nil {
					return err
				}
			default:
				return usage("want json or markdown", "unknown format %q", format)
			}
			_, err := a.Stdout.Write(out)
			return err
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", format, "format: json, markdown")
	completeValues(cmd, "format", schemaJSON, schemaMarkdown)
	return cmd
}
