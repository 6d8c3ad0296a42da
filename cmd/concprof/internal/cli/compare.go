package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/reports"
)

type compareOptions struct {
	format comparisonFormat
	output string
	force  bool
	gate   gateOptions
	dir    string
}

// AddFlags adds the flags of compare.
func (o *compareOptions) AddFlags(fs *pflag.FlagSet) {
	fs.VarP(&o.format, "format", "f", "format: "+strings.Join(comparisonNames(), ", ")+" (default by the extension of --output, else text)")
	fs.StringVarP(&o.output, "output", "o", "", "write to a `file` instead of standard output (\"-\")")
	fs.BoolVar(&o.force, "force", false, "compare runs that were measured differently")
	o.gate.AddFlags(fs)
	addDirFlag(fs, &o.dir)
}

// Validate reports a file whose format is not known, or that has no folder.
func (o *compareOptions) Validate() error {
	if err := o.gate.Validate(); err != nil {
		return err
	}
	if o.output == "" || o.output == "-" {
		return nil
	}
	if o.format == "" {
		format, err := reports.FromExtension(o.output)
		if err == nil {
			err = o.format.Set(string(format))
		}
		if err != nil {
			return usage("add --format to choose one", "--output %s: %v", o.output, err)
		}
	}
	return writable(o.output)
}

func newCompareCommand(a *app) *cobra.Command {
	o := &compareOptions{}
	cmd := &cobra.Command{
		Use:   "compare [LABEL=]BASE [LABEL=]HEAD",
		Short: "Say what changed between two runs, and what cannot be told apart",
		Long: `compare judges two recorded runs and prints what changed from BASE to HEAD:
first classes and recommendations, then, for each cell that both have measured,
the median ops/s, the change and a p-value. Where ops arrive at a rate (load) it
is the p99 instead, and whether a cell still holds the rate. It runs nothing.
BASE and HEAD are as RUN in concprof report.

A cell differs if the Mann-Whitney U test on its trials says so at 5 %,
corrected by Holm over all cells of the comparison, and if the medians are
further apart than the larger noise floor of the two runs. Otherwise it is ~:
not equal, but not told apart.

Runs that were measured differently are refused: on another host, by another
concprof or Go, with other settings or another workload. --force compares them
all the same, under a warning. What changed on the machine between two runs
looks like a change of the code: measure both shortly after one another, or at
once, by concprof analyze --against.

Conditions, --gate, are on the verdict of HEAD and on what changed,
"regression <= 5%", and decide the exit code: 3 if one is not met, 5 if one
cannot be decided.`,
		Example: `  concprof compare .concprof/quickstart/20261102T093000Z-aaaaaa latest
  concprof compare main=runs/main pull-7=runs/pull -o compare.md
  concprof compare runs/main runs/pull --gate "regression(pool) <= 5%"`,
		Args: arguments(cobra.ExactArgs(2), "concprof compare takes two runs: BASE and HEAD"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			return a.compare(args, o)
		},
	}
	o.AddFlags(cmd.Flags())
	completeValues(cmd, "format", comparisonNames()...)
	return cmd
}

func (a *app) compare(args []string, o *compareOptions) error {
	var sides [2]compare.Side
	for i, label := range []string{"base", "head"} {
		s, err := openSide(args[i], label, o.dir)
		if err != nil {
			return err
		}
		sides[i] = s
	}
	if sides[0].Label == sides[1].Label {
		return usage("as in: concprof compare main=RUN pull=RUN", "both runs are called %s", sides[0].Label)
	}
	options := compare.DefaultOptions()
	options.Force = o.force
	c, err := compare.Compare(sides[0], sides[1], options)
	if different := (*compare.DifferentError)(nil); errors.As(err, &different) {
		return &usageError{err, "measure both the same way, or add --force to compare them under a warning"}
	}
	if err != nil {
		return err
	}
	res := sides[1].Result
	if err := res.Ask(o.gate.gates); err != nil {
		return err
	}
	c.Settle(res)
	c.Tell(res)
	if err := a.tellComparison(c, o); err != nil {
		return err
	}
	notMet, undecided := gateErrors(res)
	if notMet != nil {
		return notMet
	}
	return undecided
}

// tellComparison writes a comparison to where the flags say.
func (a *app) tellComparison(c *compare.Comparison, o *compareOptions) error {
	format := reports.Format(o.format)
	if format == "" {
		format = reports.Text
	}
	if o.output != "" && o.output != "-" {
		err := writeFile(o.output, func(w io.Writer) error {
			return reports.WriteComparison(w, format, c, reports.Options{Verbose: a.verbose})
		})
		if err == nil {
			a.notef("wrote %s", o.output)
		}
		return err
	}
	width := 0
	if a.StdoutTerminal {
		width = a.Width
	}
	return reports.WriteComparison(a.Stdout, format, c, reports.Options{
		Width: width, Color: a.useColor(a.StdoutTerminal), Verbose: a.verbose,
	})
}

// labelled is an argument LABEL=RUN.
var labelled = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{0,31})=(.+)$`)

// openSide opens and judges one run. A path that is there is no label.
func openSide(arg, label, root string) (compare.Side, error) {
	path := arg
	if m := labelled.FindStringSubmatch(arg); m != nil {
		if _, err := os.Lstat(arg); err != nil {
			label, path = m[1], m[2]
		}
	}
	run, err := openRun(path, root)
	if err != nil {
		return compare.Side{}, err
	}
	res, err := judge(run)
	return compare.Side{Label: label, Run: run, Result: res}, err
}

// comparisonFormat is the format of a comparison, "" if none was given.
type comparisonFormat reports.Format

func (f *comparisonFormat) String() string { return string(*f) }
func (f *comparisonFormat) Type() string   { return "format" }
func (f *comparisonFormat) Set(s string) error {
	for _, v := range reports.ComparisonFormats() {
		if string(v) == s {
			*f = comparisonFormat(v)
			return nil
		}
	}
	return fmt.Errorf("want %s", strings.Join(comparisonNames(), ", "))
}

func comparisonNames() []string {
	var names []string
	for _, f := range reports.ComparisonFormats() {
		names = append(names, string(f))
	}
	return names
}
