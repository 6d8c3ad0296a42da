package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// An app is one execution of the command line: its environment and the flags
// that every command has.
type app struct {
	*Env
	quiet   bool
	verbose bool
	color   colorMode
}

// colorMode says when to use colour: auto, always, never.
type colorMode string

const (
	colorAuto   colorMode = "auto"
	colorAlways colorMode = "always"
	colorNever  colorMode = "never"
)

func (c *colorMode) String() string { return string(*c) }
func (c *colorMode) Type() string   { return "when" }
func (c *colorMode) Set(s string) error {
	switch m := colorMode(s); m {
	case colorAuto, colorAlways, colorNever:
		*c = m
		return nil
	}
	return fmt.Errorf("want auto, always or never")
}

// useColor reports whether to colour what goes to a stream. NO_COLOR is
// honoured unless --color says otherwise (https://no-color.org).
func (a *app) useColor(terminal bool) bool {
	switch a.color {
	case colorAlways:
		return true
	case colorNever:
		return false
	}
	return terminal && a.lookup("NO_COLOR") == "" && a.lookup("TERM") != "dumb"
}

// AddFlags adds the flags that every command has.
func (a *app) AddFlags(fs *pflag.FlagSet) {
	fs.BoolVarP(&a.quiet, "quiet", "q", false, "print the result and errors only")
	fs.BoolVarP(&a.verbose, "verbose", "v", false, "print more: every cell, every decision")
	a.color = colorAuto
	fs.Var(&a.color, "color", "colour the output: auto, always, never")
}

// notef prints a line of progress or an announcement to standard error.
func (a *app) notef(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.Stderr, printable(fmt.Sprintf(format, args...)))
	}
}

// execute parses the command line and runs the command that it names.
func execute(ctx context.Context, e *Env) error {
	root := newRootCommand(&app{Env: e})
	root.SetArgs(e.Args)
	root.SetIn(e.Stdin)
	root.SetOut(e.Stdout)
	root.SetErr(e.Stderr)
	return root.ExecuteContext(ctx)
}

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "concprof",
		Short: "Is it I/O-bound or CPU-bound, and which concurrency model should it use?",
		Long: `concprof runs your own work under each concurrency model, in fresh processes,
while pprof and fgprof watch it on and off the CPU. The profile explains, the
measurement decides, and the answer can be attached to a pull request.

Results go to standard output; progress, warnings and errors to standard error.
A flag overrides the variable CONCPROF_<FLAG>, which overrides workload.yaml.`,
		Example: `  concprof init                      write a workload.yaml to start from
  concprof analyze workload.yaml     run, classify, recommend
  concprof analyze ./pkg.Func        a Go function of the module you stand in
  concprof analyze scraper:fetch     a Python callable, in your own interpreter
  concprof pprof latest              compare the models' profiles in a browser
  concprof report latest -o r.html   one page for the pull request`,
		Args:              cobra.ArbitraryArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return applyEnvironment(a.Env, cmd.Flags()) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	a.AddFlags(root.PersistentFlags())
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(a.showUsage)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(newHelpCommand())
	root.AddCommand(
		newInitCommand(a),
		newCheckCommand(a),
		newPlanCommand(a),
		newAnalyzeCommand(a),
		newReportCommand(a),
		newCompareCommand(a),
		newPprofCommand(a),
		newExportCommand(a),
		newModelsCommand(a),
		newDoctorCommand(a),
		newSchemaCommand(a),
		newCompletionCommand(a),
		newVersionCommand(a),
	)
	completeValues(root, "color", string(colorAuto), string(colorAlways), string(colorNever))
	for _, cmd := range root.Commands() {
		completeValues(cmd, "model", append(modelNames(), "all")...)
		formats := []string{string(listText), string(listJSON)}
		if f := cmd.Flag("format"); f != nil {
			if _, report := f.Value.(*formatFlag); report {
				formats = formatNames()
			}
		}
		completeValues(cmd, "format", formats...)
	}
	return root
}

// newHelpCommand replaces cobra's, which ends with 0 on an unknown command.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[0])
			}
			return found.Help()
		},
	}
}

// completeValues lets the shell complete the values of a flag.
func completeValues(cmd *cobra.Command, flag string, values ...string) {
	if cmd.Flag(flag) != nil {
		// The only error is a flag that is not there.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

func exitCodeTable() string {
	var b strings.Builder
	for _, c := range exitCodes {
		fmt.Fprintf(&b, "  %3d  %s\n", c.code, c.means)
	}
	return strings.TrimRight(b.String(), "\n")
}

// unknownCommand names the command that was probably meant. A file or folder
// in the command's place is probably meant for analyze.
func unknownCommand(root *cobra.Command, name string) error {
	root.SuggestionsMinimumDistance = 2
	hint := "concprof --help lists the commands"
	if near := root.SuggestionsFor(name); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	} else if strings.ContainsAny(name, "./:") {
		hint = "did you mean concprof analyze " + name + "?"
	}
	return usage(hint, "unknown command %q", name)
}

// flagError turns what pflag found wrong into a usage error, with the nearest
// flag where the name was wrong.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	hint := cmd.CommandPath() + " --help lists the flags"
	if missing := (*pflag.NotExistError)(nil); errors.As(err, &missing) {
		if near := nearestFlag(cmd.Flags(), missing.GetSpecifiedName()); near != "" {
			hint = "did you mean --" + near + "?"
		}
	}
	if invalid := (*pflag.InvalidValueError)(nil); errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "duration" {
		hint = "give it a unit, as in --" + invalid.GetFlag().Name + " 30s"
	}
	return &usageError{err, hint}
}

// arguments wraps a check of the number of arguments into a usage error.
func arguments(check cobra.PositionalArgs, hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			if len(args) == 0 || len(cmd.ValidArgs) == 0 { // cobra counts in "arg(s)"
				err = fmt.Errorf("%s given", count(len(args), "argument"))
			}
			return &usageError{err, hint}
		}
		return nil
	}
}
