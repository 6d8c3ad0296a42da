package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/concprof/concprof/probes"
)

// python looks for the interpreters that Python targets could run in: the one
// that a workload without a key would get, and the others.
func (h Host) python(ctx context.Context) []Check {
	const name, others = "python", "python-others"
	const none = "install Python 3.11 or newer, or activate an environment; commands, built-in steps and Go functions need none"
	if h.Interpreters == nil {
		return nil
	}
	first, all, err := h.Interpreters(ctx)
	if err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return []Check{warn(name, none, "%s: Python callables cannot be analysed", reason)}
	}
	checks := []Check{ok(name, "%s", interpreterLine(first))}
	if len(first.Notes) > 0 {
		checks[0] = warn(name, "use CPython 3.11 or newer: interpreter: .venv/bin/python in the workload file", "%s", interpreterLine(first))
	}
	var rest []string
	for _, i := range all {
		if i.Path != first.Path {
			rest = append(rest, interpreterLine(i))
		}
	}
	if len(rest) > 0 {
		checks = append(checks, ok(others, "%s", strings.Join(rest, "; ")))
	}
	return checks
}

// interpreters looks from the current folder.
func interpreters(ctx context.Context) (*probes.Interpreter, []*probes.Interpreter, error) {
	first, err := probes.DefaultInterpreter(ctx, ".", nil)
	if err != nil {
		return nil, nil, err
	}
	all, err := probes.Interpreters(ctx, ".", nil)
	return first, all, err
}

// interpreterLine names an interpreter with what it cannot do.
func interpreterLine(i *probes.Interpreter) string {
	line := fmt.Sprintf("%v (%s, by %s)", i.Interpreter.Interpreter, i.Path, i.Found)
	for _, note := range i.Notes {
		if _, what, found := strings.Cut(note, ": "); found {
			line += ", " + what
		}
	}
	return line
}
