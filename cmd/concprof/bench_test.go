package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nap is a workload that is quick.
const nap = "version: 1\nworkloads:\n  - name: nap\n    steps: [{sleep: 1ms}]\n"

// A bench is a folder with nap.yaml in which concprof is run.
type bench struct {
	dir string
	env []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir(), env: append(os.Environ(), "PATH="+searchPath(t), "TMPDIR="+t.TempDir(), "CONCPROF_NO_HOST_LOCK=true")}
	if err := os.WriteFile(filepath.Join(b.dir, "nap.yaml"), []byte(nap), 0o666); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(lookIn(b.env, program), args...)
	cmd.Dir, cmd.Env = b.dir, b.env
	return cmd
}

// concprof runs it and returns its exit code and what it printed.
func (b *bench) concprof(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	cmd := b.command("concprof", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// lookIn finds a program on an environment's PATH.
func lookIn(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		path, ok := strings.CutPrefix(env[i], "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			if program := filepath.Join(dir, name); isFile(program) {
				return program
			}
		}
	}
	return name
}
