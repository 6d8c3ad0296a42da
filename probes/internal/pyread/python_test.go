//go:build linux && (amd64 || arm64)

package pyread

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// An interpreter is a real CPython on this machine.
type interpreter struct {
	path  string // sys.executable, behind all shims
	minor string // "3.11"
	full  string // "3.11.7"
}

// candidates are the names under which interpreters are looked for.
var candidates = []string{
	"python3", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "python3.15",
}

// known are the minor versions that the reader reads.
var known = []string{"3.11", "3.12", "3.13", "3.14", "3.15"}

// find executes each candidate once and returns the interpreters behind them.
var find = sync.OnceValue(func() []interpreter {
	var all []interpreter
	seen := map[string]bool{}
	names := candidates
	// One or, separated as in PATH, several.
	names = append(filepath.SplitList(os.Getenv("CONCPROF_TEST_PYTHON")), names...)
	// pyenv's shims on PATH lead to one version only.
	if home, err := os.UserHomeDir(); err == nil {
		below, _ := filepath.Glob(filepath.Join(cmp.Or(os.Getenv("PYENV_ROOT"), filepath.Join(home, ".pyenv")), "versions", "3.1[1-9]*", "bin", "python3"))
		names = append(names, below...)
	}
	for _, name := range names {
		out, err := exec.Command(name, "-c", "import os, sys, sysconfig\n"+
			"print(os.path.realpath(sys.executable), '%d.%d' % sys.version_info[:2], '%d.%d.%d' % sys.version_info[:3],"+
			" sys.implementation.name, sysconfig.get_config_var('Py_GIL_DISABLED') or 0, sep='\\t')").Output()
		f := strings.Split(strings.TrimSpace(string(out)), "\t")
		if err != nil || len(f) != 5 || f[3] != "cpython" || f[4] != "0" || seen[f[0]] {
			continue
		}
		seen[f[0]] = true
		all = append(all, interpreter{path: f[0], minor: f[1], full: f[2]})
	}
	return all
})

// each runs a test with every interpreter that the reader reads, and says
// aloud which ones it was not run with.
func each(t *testing.T, test func(t *testing.T, python interpreter)) {
	t.Helper()
	tested := map[string]bool{}
	for _, python := range find() {
		for _, minor := range known {
			if python.minor == minor && !tested[python.full] {
				tested[python.full], tested[minor] = true, true
				t.Run(python.full, func(t *testing.T) { test(t, python) })
			}
		}
	}
	for _, minor := range known {
		if !tested[minor] {
			t.Logf("NOT TESTED with CPython %s: there is none here", minor)
		}
	}
	if len(tested) == 0 {
		t.Skip("SKIPPED: there is no CPython here that the reader reads")
	}
}

// one runs a test with one interpreter.
func one(t *testing.T) interpreter {
	t.Helper()
	for _, python := range find() {
		for _, minor := range known {
			if python.minor == minor {
				return python
			}
		}
	}
	t.Skip("SKIPPED: there is no CPython here that the reader reads")
	return interpreter{}
}

// A program is a run of testdata/concprof_probe.py.
type program struct {
	pid  int
	stop func() map[string]int64 // ends it and returns what it printed
}

// start runs the program until it is ready.
func start(t testing.TB, python interpreter, mode, argument string) program {
	t.Helper()
	return begin(t, mode, exec.Command(python.path, "testdata/concprof_probe.py", mode, argument))
}

// begin runs a command that runs the program until it is ready. What the
// command itself prints before and after is passed over.
func begin(t testing.TB, mode string, cmd *exec.Cmd) program {
	t.Helper()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	var once sync.Once
	result := map[string]int64{}
	stop := func() map[string]int64 {
		once.Do(func() {
			in.Close()
			rest, _ := io.ReadAll(lines)
			cmd.Wait()
			guard.Stop()
			if i := bytes.IndexByte(rest, '{'); i >= 0 {
				if err := json.NewDecoder(bytes.NewReader(rest[i:])).Decode(&result); err != nil {
					t.Errorf("%s: %v in %q", mode, err, rest)
				}
			}
		})
		return result
	}
	t.Cleanup(func() { stop() })
	for line := ""; line != "ready\n"; {
		var err error
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatalf("%s is not ready: %q, %v", mode, line, err)
		}
	}
	return program{pid: cmd.Process.Pid, stop: stop}
}

// watch reads a program for some time.
func watch(t testing.TB, pid int, d time.Duration, o Options) *Result {
	t.Helper()
	o.ProbeFile = "/concprof_probe.py"
	s, err := Start(context.Background(), pid, o)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(d)
	return s.Stop()
}

// grow watches a program for longer and longer until enough says that it was
// seen, and fails after the last time with what enough complains of.
func grow(t *testing.T, python interpreter, mode, argument string, o Options, enough func(*Result) string) {
	t.Helper()
	p := start(t, python, mode, argument)
	complaint := ""
	for d := 500 * time.Millisecond; d <= 8*time.Second; d *= 2 {
		r := watch(t, p.pid, d, o)
		if complaint = enough(r); complaint == "" {
			return
		}
	}
	t.Error(complaint)
}

// times returns the thread time of a result in all its states.
func times(r *Result) map[State]int64 {
	s := r.Seen
	return map[State]int64{
		Python: s.PythonNs, NativeGIL: s.NativeGILNs, Native: s.NativeNs, GILWait: s.GILWaitNs,
		BlockedGIL: s.BlockedGILNs, Blocked: s.BlockedNs, Runnable: s.RunnableNs,
	}
}

// sum adds times up.
func sum(t map[State]int64) (all int64) {
	for _, ns := range t {
		all += ns
	}
	return all
}

// waits returns the thread time of a result by what was waited for.
func waits(r *Result) map[record.Wait]int64 {
	w := map[record.Wait]int64{}
	for _, s := range r.Stacks {
		w[s.Wait] += s.Ns
	}
	return w
}
