package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
	"github.com/concprof/concprof/reports"
)

type exportOptions struct {
	to          exportFlag
	output      string
	workload    string
	model       string
	concurrency int
	kind        string
	perOp       bool
	archive     string
	dir         string
}

// AddFlags adds the flags of export.
func (o *exportOptions) AddFlags(fs *pflag.FlagSet) {
	fs.Var(&o.to, "to", "format: "+strings.Join(exportNames(), ", "))
	fs.StringVarP(&o.output, "output", "o", "", "write to a `file` instead of standard output (\"-\")")
	fs.StringVar(&o.workload, "workload", "", "workload of the run (default the only one)")
	fs.StringVarP(&o.model, "model", "m", "", "model whose profile to export (default the recommended one)")
	fs.IntVarP(&o.concurrency, "concurrency", "c", 0, "ops in flight (default those that were profiled)")
	fs.StringVar(&o.kind, "kind", "", "kind of profile: "+strings.Join(kindNames(), ", ")+" (default wall; merged for pprof)")
	fs.BoolVar(&o.perOp, "per-op", false, "divide every time by the number of ops, to compare models")
	fs.StringVar(&o.archive, "archive", "", "write the whole run to one `file`, which every command reads in place")
	addDirFlag(fs, &o.dir)
}

// Validate reports flags that are missing or wrong.
func (o *exportOptions) Validate() error {
	switch {
	case o.archive != "" && o.to != "":
		return usage("give one of them", "--archive is of the whole run, --to of a part of it")
	case o.archive != "":
		return o.validateArchive()
	case o.to == "":
		return usage("add --to: "+strings.Join(exportNames(), ", "), "export needs a format")
	}
	if o.model != "" {
		if _, err := model.Parse(o.model); err != nil {
			hint := "concprof models lists the models"
			if near := workload.Nearest(o.model, modelNames()); near != "" {
				hint = "did you mean " + near + "?"
			}
			return usage(hint, "--model: %v", err)
		}
	}
	if o.concurrency < 0 {
		return usage("", "--concurrency %d: want a number of ops in flight", o.concurrency)
	}
	if o.kind != "" && !slices.Contains(kindNames(), o.kind) {
		return usage("want "+strings.Join(kindNames(), ", "), "unknown kind of profile %q", o.kind)
	}
	if o.output == "" || o.output == "-" {
		return nil
	}
	return writable(o.output)
}

func (o *exportOptions) selection() reports.Selection {
	return reports.Selection{
		Workload: o.workload, Model: model.Model(o.model), Concurrency: o.concurrency,
		Kind: record.ProfileKind(o.kind), PerOp: o.perOp,
	}
}

// selectionFlags are those that choose something of a run.
var selectionFlags = []string{"workload", "model", "concurrency", "kind", "per-op"}

func newExportCommand(a *app) *cobra.Command {
	o := &exportOptions{}
	cmd := &cobra.Command{
		Use:   "export [RUN | FILE] {--to FORMAT | --archive FILE}",
		Short: "Write a run's profiles or results in the format of another tool",
		Long: `export writes what a run found in the format of another tool. It runs nothing.
RUN is as in concprof report. Of a profile that is not chosen the recommended
cell's is taken, else sequential's; standard error says which.

  pprof       a profile for go tool pprof
  folded      a line per stack, root first, for flame-graph scripts
  speedscope  every profile of the run, for https://www.speedscope.app
  pstats      a table of functions for Python's pstats; calls are samples
  benchfmt    Go's benchmark format, for benchstat
  github-action-benchmark          ops/s, as customBiggerIsBetter reads it
  github-action-benchmark-smaller  p50 and CPU time per op, as
                                   customSmallerIsBetter reads it
  sarif       the limits with file and line, for code scanning
  chrome-trace                     the trials as a time line, for
                                   https://ui.perfetto.dev and chrome://tracing

FILE is a profile of another program: cProfile's, folded stacks as py-spy's raw
format, Austin's text, or pprof's. It becomes pprof, folded or speedscope, and
is marked as what it is.

--archive keeps the evidence of a run in one zip file, with the SHA-256 of each
of its files. Wherever a command takes RUN it takes that file as well, and reads
it in place. The same run gives the same file.`,
		Example: `  concprof export --to speedscope -o run.speedscope.json
  concprof export latest --workload fetch --model pool --kind offcpu --to folded
  concprof export latest --to sarif -o limits.sarif
  concprof export app.prof --to pprof -o app.pb.gz
  concprof export latest --archive run.zip`,
		Args: arguments(cobra.MaximumNArgs(1), "concprof export takes one run or one profile"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			if o.archive != "" {
				return a.archive(cmd.Flags(), runArgument(args), o)
			}
			e, err := a.newExport(cmd.Context(), cmd.Flags(), runArgument(args), o)
			if wrong := (*reports.SelectionError)(nil); errors.As(err, &wrong) {
				return &usageError{err, wrong.Hint}
			}
			if err != nil {
				return err
			}
			return a.writeExport(e, o)
		},
	}
	o.AddFlags(cmd.Flags())
	completeValues(cmd, "to", exportNames()...)
	completeValues(cmd, "kind", kindNames()...)
	return cmd
}

// newExport chooses what to export of a run, or of a file that is there.
func (a *app) newExport(ctx context.Context, flags *pflag.FlagSet, path string, o *exportOptions) (*reports.Export, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() && path != latest && !rundir.IsArchive(path) {
		for _, name := range selectionFlags {
			if flags.Changed(name) {
				return nil, usage("", "--%s has no meaning for a profile of another program", name)
			}
		}
		return a.foreignExport(ctx, path, reports.ExportFormat(o.to))
	} else if errors.Is(err, fs.ErrNotExist) && path != latest && filepath.Ext(path) != "" {
		return nil, usage("name a run, or a profile of another program", "there is no run and no file %s", path)
	}
	run, err := openRun(path, o.dir)
	if err != nil {
		return nil, err
	}
	res, err := judge(run)
	if err != nil {
		return nil, err
	}
	return reports.NewExport(res, reports.ExportFormat(o.to), o.selection())
}

func (a *app) foreignExport(ctx context.Context, path string, to reports.ExportFormat) (*reports.Export, error) {
	p, err := readForeign(ctx, path, a.Environ)
	if err != nil {
		return nil, err
	}
	return reports.NewForeignExport(p, filepath.Base(path), to)
}

// writeExport writes an export to where the flags say, whole or not at all,
// and says what it is.
func (a *app) writeExport(e *reports.Export, o *exportOptions) error {
	if o.output != "" && o.output != "-" {
		if err := writeFile(o.output, e.Write); err != nil {
			return err
		}
		a.notef("wrote %s: %s", o.output, e.What)
		return nil
	}
	if a.StdoutTerminal && reports.ExportFormat(o.to).Binary() {
		return usage("add -o FILE, or send it to a program: | cat", "%s is not text, and standard output is a terminal", o.to)
	}
	var out bytes.Buffer
	if err := e.Write(&out); err != nil {
		return err
	}
	a.notef("exported %s", e.What)
	_, err := a.Stdout.Write(out.Bytes())
	return err
}

// exportFlag is a reports.ExportFormat on the command line, "" if none was
// given.
type exportFlag reports.ExportFormat

func (f *exportFlag) String() string { return string(*f) }
func (f *exportFlag) Type() string   { return "format" }
func (f *exportFlag) Set(s string) error {
	v, err := reports.ParseExport(s)
	*f = exportFlag(v)
	return err
}

func exportNames() []string {
	names := make([]string, 0, len(reports.Exports()))
	for _, f := range reports.Exports() {
		names = append(names, string(f))
	}
	return names
}

func kindNames() []string {
	var names []string
	for _, k := range record.ProfileKinds() {
		names = append(names, string(k))
	}
	return names
}
