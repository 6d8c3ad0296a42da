package gofunc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// minGo is the oldest toolchain that can compile the harness.
const minGo = 22 // of 1.x

// killDelay is how long a go command that was told to stop may take.
const killDelay = 3 * time.Second

// A gocmd runs the user's go command in one folder.
type gocmd struct {
	dir string
	env []string
	// what `go env` says there
	mod, work, version string
}

// newGocmd looks at the go command and its settings. They are the user's own,
// but for three: no switch to another toolchain, no -toolexec, and a binary
// for this machine.
func newGocmd(ctx context.Context, dir string, env []string) (*gocmd, error) {
	if env == nil {
		env = os.Environ()
	}
	g := new(gocmd)
	g.env = append(append(g.env, env...), "GOTOOLCHAIN=local", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	g.chdir(dir)

	out, err := g.run(ctx, "env", "-json", "GOMOD", "GOWORK", "GOFLAGS", "GOVERSION")
	if err != nil {
		return nil, fmt.Errorf("a Go function needs the go command: run go env: %w", err)
	}
	var vars struct{ GOMOD, GOWORK, GOFLAGS, GOVERSION string }
	if err := json.Unmarshal(out, &vars); err != nil {
		return nil, fmt.Errorf("run go env: %w", err)
	}
	g.mod, g.work, g.version = vars.GOMOD, vars.GOWORK, vars.GOVERSION
	g.env = append(g.env, "GOFLAGS="+scrubFlags(vars.GOFLAGS))
	return g, nil
}

// chdir makes dir the folder of the next commands. The go command takes a
// folder's name from PWD, so that what it lists and what it builds are called
// alike below symbolic links.
func (g *gocmd) chdir(dir string) {
	g.dir = dir
	g.env = append(g.env, "PWD="+dir)
}

// run runs the go command and returns its standard output. An error of type
// *goError holds what it printed.
func (g *gocmd) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = g.dir, g.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = killDelay
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stdout.Bytes(), &goError{args: args, output: stderr.String()}
	}
	return stdout.Bytes(), err
}

// goError is a go command that failed.
type goError struct {
	args   []string
	output string
}

func (e *goError) Error() string {
	return fmt.Sprintf("go %s: %s", e.args[0], strings.TrimSpace(e.output))
}

// tooOld reports whether the toolchain of that version cannot compile the
// harness. Versions that are not releases are given the benefit of the doubt.
func tooOld(version string) bool {
	var minor int
	if _, err := fmt.Sscanf(version, "go1.%d", &minor); err != nil {
		return false
	}
	return minor < minGo
}

// scrubFlags removes from GOFLAGS what would run a program of someone's for
// every compilation, redirect the build, or let it write go.mod: they are
// flags of the user's own builds, not of a measurement.
func scrubFlags(flags string) string {
	var kept []string
	for _, f := range splitFlags(flags) {
		name, value, _ := strings.Cut(strings.TrimLeft(strings.Trim(f, `'"`), "-"), "=")
		if name == "mod" && value == "mod" {
			continue
		}
		switch name {
		case "toolexec", "overlay", "o", "n", "C", "buildmode", "json":
			continue
		}
		kept = append(kept, f)
	}
	return strings.Join(kept, " ")
}

// splitFlags splits at white space outside quotes, as the go command does,
// and keeps the quotes.
func splitFlags(s string) []string {
	var out []string
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return out
		}
		end := strings.IndexAny(s, " \t\r\n")
		if s[0] == '\'' || s[0] == '"' {
			if i := strings.IndexByte(s[1:], s[0]); i >= 0 {
				end = i + 2
			}
		}
		if end < 0 {
			end = len(s)
		}
		out = append(out, s[:end])
		s = s[end:]
	}
}
