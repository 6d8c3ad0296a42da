package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/concprof/concprof/probes"
)

// commands are what scripts can say beside testscript's own commands.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"await":     await,
		"exit":      exitCode,
		"files":     files,
		"interrupt": interrupt,
		"remove":    remove,
	}
}

// setup returns what gives scripts the program: on PATH, and as $CONCPROF for
// where a script sets PATH to something else.
func setup(path string) func(*testscript.Env) error {
	return func(env *testscript.Env) error {
		env.Setenv("PATH", path)
		for _, dir := range filepath.SplitList(path) {
			if program := filepath.Join(dir, "concprof"); env.Getenv("CONCPROF") == "" && isFile(program) {
				env.Setenv("CONCPROF", program)
			}
		}
		// Scripts have a home folder of their own, but what Go has built and
		// fetched is shared.
		names := []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"}
		out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
		if err != nil {
			return err
		}
		for i, value := range strings.Split(strings.TrimRight(string(out), "\n"), "\n") {
			env.Setenv(names[i], value)
		}
		return nil
	}
}

// condition knows [python]: whether an interpreter is found that Python
// targets can be measured with; and [namespace]: whether trials have PID
// namespaces.
func condition(name string) (bool, error) {
	switch name {
	case "python":
		_, err := probes.DefaultInterpreter(context.Background(), ".", nil)
		return err == nil, nil
	case "namespace":
		return probes.Namespaces(), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// exitCode runs a program and requires its exit code: exit 2 concprof nosuch.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit code program [args...]")
	}
	requireCode(ts, args[0], args[1:], ts.Exec(args[1], args[2:]...))
}

func requireCode(ts *testscript.TestScript, code string, args []string, err error) {
	want, bad := strconv.Atoi(code)
	ts.Check(bad)
	got := 0
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%q: exit code %d, want %d", args, got, want)
	}
}

// interrupt starts a program, sends it a signal once a line of its standard
// error matches, and requires its exit code:
//
//	interrupt INT 130 'one op took' concprof analyze
//
// The streams can be looked at as after exec.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}
	if neg || len(args) < 4 || signals[args[0]] == 0 {
		ts.Fatalf("usage: interrupt INT|TERM code pattern program [args...]")
	}
	pattern, err := regexp.Compile(args[2])
	ts.Check(err)
	// It is started here and not by ts.Exec, which would wait for it; "cat"
	// then hands its streams to the script.
	var stdout strings.Builder
	if args[3] == "concprof" {
		args[3] = ts.Getenv("CONCPROF")
	}
	cmd := exec.Command(args[3], args[4:]...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR"),
		"CONCPROF_NO_HOST_LOCK=" + ts.Getenv("CONCPROF_NO_HOST_LOCK")}
	cmd.Stdout = &stdout
	errors, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	var stderr strings.Builder
	sent := false
	for lines := bufio.NewReader(errors); ; {
		line, err := lines.ReadString('\n')
		stderr.WriteString(line)
		if !sent && pattern.MatchString(line) {
			sent = true
			ts.Check(cmd.Process.Signal(signals[args[0]]))
		}
		if err == io.EOF {
			break
		}
		ts.Check(err)
	}
	err = cmd.Wait()
	if !sent {
		ts.Fatalf("no line of standard error matches %q:\n%s", args[2], stderr.String())
	}
	outputs := []string{stdout.String(), stderr.String()}
	for i, name := range []string{"interrupted.stdout", "interrupted.stderr"} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(outputs[i]), 0o644))
	}
	ts.Check(ts.Exec("sh", "-c", "cat interrupted.stdout; cat interrupted.stderr >&2"))
	requireCode(ts, args[1], args[3:], err)
}

// await waits until a pattern matches a file.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await pattern")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		if len(found) > 0 {
			return
		}
	}
	ts.Fatalf("no file matches %s", args[0])
}

// files requires that each pattern matches a file, or with ! that none does.
func files(ts *testscript.TestScript, neg bool, args []string) {
	for _, pattern := range args {
		found, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if (len(found) > 0) == neg {
			ts.Fatalf("files %s: %q", pattern, found)
		}
	}
}

// remove deletes what patterns match, with all that is below.
func remove(ts *testscript.TestScript, neg bool, args []string) {
	for _, pattern := range args {
		found, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if neg || len(found) == 0 {
			ts.Fatalf("remove %s: %q", pattern, found)
		}
		for _, name := range found {
			ts.Check(os.RemoveAll(name))
		}
	}
}
