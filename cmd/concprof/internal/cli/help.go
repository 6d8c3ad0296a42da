package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/reports"
)

// commandGroups are the commands in the order in which one comes to need them.
var commandGroups = []struct {
	title    string
	commands []string
}{
	{"Measure", []string{"init", "check", "plan", "analyze"}},
	{"Read what was measured", []string{"report", "compare", "pprof", "export"}},
	{"Look up", []string{"models", "doctor", "schema", "completion", "version", "help"}},
}

// maxHelpWidth is the most columns of help, however wide the terminal is.
const maxHelpWidth = 100

// showUsage writes what --help says after the description, as cobra's own does,
// but with flags that fit the terminal, commands in groups, and the exit codes
// last.
func (a *app) showUsage(cmd *cobra.Command) error {
	var b strings.Builder
	section := func(title, body string) {
		if body = strings.TrimRight(body, "\n"); body != "" {
			fmt.Fprintf(&b, "%s:\n%s\n\n", title, body)
		}
	}
	width := min(cmp.Or(a.Width, reports.DefaultWidth), maxHelpWidth)
	flags := func(title string, fs *pflag.FlagSet) { section(title, fs.FlagUsagesWrapped(width)) }
	if cmd.HasParent() {
		section("Usage", "  "+cmd.UseLine())
		section("Examples", cmd.Example)
		flags("Flags", cmd.LocalFlags())
		flags("Flags of every command", cmd.InheritedFlags())
	} else {
		section("Usage", "  concprof COMMAND [ARG...]")
		section("Examples", cmd.Example)
		for _, g := range commandGroups {
			section(g.title, commandList(cmd, g.commands))
		}
		flags("Flags of every command", cmd.LocalFlags())
		section("Exit codes", exitCodeTable())
		b.WriteString("concprof COMMAND --help tells more of a command.\n")
	}
	_, err := io.WriteString(cmd.OutOrStderr(), strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// commandList says what each of these commands does.
func commandList(root *cobra.Command, names []string) string {
	var b strings.Builder
	for _, name := range names {
		for _, c := range root.Commands() {
			if c.Name() == name {
				fmt.Fprintf(&b, "  %-10s  %s\n", name, c.Short)
			}
		}
	}
	return b.String()
}
