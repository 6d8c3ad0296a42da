package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpFits: the help of every command can be read on a terminal of 80
// columns, and has an example.
func TestHelpFits(t *testing.T) {
	var listed []string
	for _, g := range commandGroups {
		listed = append(listed, g.commands...)
	}
	root := newRootCommand(&app{Env: &Env{}})
	root.InitDefaultHelpCmd()
	names := []string{""}
	for _, c := range root.Commands() {
		names = append(names, c.Name())
		if !slices.Contains(listed, c.Name()) {
			t.Errorf("%s is in no group", c.Name())
		}
	}
	if len(names) != len(listed)+1 {
		t.Errorf("%q are listed, %q are there", listed, names[1:])
	}
	for _, name := range names {
		var out bytes.Buffer
		args := []string{"--help"}
		if name != "" {
			args = []string{name, "--help"}
		}
		if code := Run(t.Context(), &Env{Args: args, Stdout: &out, Stderr: &out}); code != exitOK {
			t.Errorf("%s: exit code %d", name, code)
		}
		if name != "help" && !strings.Contains(out.String(), "\nExamples:\n") {
			t.Errorf("%s has no example:\n%s", name, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
	}
}
