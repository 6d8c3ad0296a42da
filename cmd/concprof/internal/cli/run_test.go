package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// testEnv returns an environment that holds nothing, and its two streams.
func testEnv(vars map[string]string, args ...string) (e *Env, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return &Env{
		Args:   args,
		Stdin:  strings.NewReader(""),
		Stdout: stdout,
		Stderr: stderr,
		LookupEnv: func(name string) (string, bool) {
			v, ok := vars[name]
			return v, ok
		},
		Now: func() time.Time { return time.Date(2024, 5, 17, 10, 0, 0, 0, time.UTC) },
	}, stdout, stderr
}

func TestExitCode(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"complete", nil, 0},
		{"anything", errors.New("x"), 1},
		{"usage", usage("", "x"), 2},
		{"wrapped usage", fmt.Errorf("y: %w", usage("", "x")), 2},
		{"faults of a file", &workload.Faults{}, 2},
		{"a file that cannot be read", &workload.FileError{}, 2},
		{"a plan that cannot be", fmt.Errorf("y: %w", &plan.SettingError{}), 2},
		{"targets that cannot be started", &probes.TargetError{}, 2},
		{"partial", &partialError{}, 4},
		{"could not write the result", &writeError{"x", syscall.ENOSPC}, 74},
		{"could not write the run", &rundir.WriteError{}, 74},
		{"written and partial", errors.Join(&rundir.WriteError{}, errors.New("x")), 74},
		{"evidence that was changed", errors.Join(nil, &rundir.ChangedError{}), 4},
		{"busy", &rundir.BusyError{}, 75},
		{"interrupted", &interruptError{signal: os.Interrupt}, 130},
		{"terminated", &interruptError{signal: syscall.SIGTERM}, 143},
		{"hung up", &interruptError{signal: syscall.SIGHUP}, 129},
	}
	for _, tt := range tests {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: exit code %d, want %d", tt.name, got, tt.want)
		}
	}
	for i, c := range exitCodes[1:] {
		if c.code <= exitCodes[i].code || c.means == "" {
			t.Errorf("exit code %d is out of order or unexplained", c.code)
		}
	}
}

// TestPrecedence: a flag overrides its variable, which overrides the default.
func TestPrecedence(t *testing.T) {
	tests := []struct {
		name string
		vars map[string]string
		args []string
		json bool
		code int
	}{
		{"default", nil, nil, false, 0},
		{"variable", map[string]string{"CONCPROF_FORMAT": "json"}, nil, true, 0},
		{"empty variable", map[string]string{"CONCPROF_FORMAT": ""}, nil, false, 0},
		{"flag", map[string]string{"CONCPROF_FORMAT": "xml"}, []string{"-f", "json"}, true, 0},
		{"flag over variable", map[string]string{"CONCPROF_FORMAT": "json"}, []string{"--format=text"}, false, 0},
		{"bad variable", map[string]string{"CONCPROF_FORMAT": "xml"}, nil, false, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, stdout, stderr := testEnv(tt.vars, append([]string{"models"}, tt.args...)...)
			if code := Run(t.Context(), e); code != tt.code {
				t.Fatalf("exit code %d, want %d: %s", code, tt.code, stderr)
			}
			if got := strings.HasPrefix(stdout.String(), "["); got != tt.json {
				t.Errorf("JSON is %v, want %v:\n%.100s", got, tt.json, stdout)
			}
		})
	}
}

// A slowWriter passes on what it gets once it may.
type slowWriter struct{ may, begun chan struct{} }

func (w slowWriter) Write(p []byte) (int, error) {
	close(w.begun)
	<-w.may
	return len(p), nil
}

// TestSecondSignal: the first waits for the command, the second does not.
func TestSecondSignal(t *testing.T) {
	e, _, _ := testEnv(nil, "version")
	signals := make(chan os.Signal, 2)
	w := slowWriter{may: make(chan struct{}), begun: make(chan struct{})}
	e.Stdout, e.Signals = w, signals
	ended := make(chan int)
	go func() { ended <- Run(t.Context(), e) }()
	<-w.begun
	signals <- os.Interrupt
	signals <- syscall.SIGTERM
	if code := <-ended; code != 143 {
		t.Errorf("exit code %d, want that of the second signal, 143", code)
	}
	close(w.may)
}

// TestFirstSignal: the command's context ends, with the signal as its cause.
func TestFirstSignal(t *testing.T) {
	e, stdout, stderr := testEnv(nil, "doctor")
	signals := make(chan os.Signal, 1)
	signals <- os.Interrupt
	e.Signals = signals
	if code := Run(t.Context(), e); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "error: interrupted by interrupt\n") {
		t.Errorf("stdout %q, stderr %q", stdout, stderr)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestBrokenOutput(t *testing.T) {
	for err, want := range map[error]int{
		syscall.EPIPE:  0, // "| head"
		syscall.ENOSPC: 74,
		os.ErrClosed:   74,
	} {
		for _, command := range []string{"version", "models", "--help", "completion bash"} {
			e, _, _ := testEnv(nil, strings.Fields(command)...)
			e.Stdout = brokenWriter{err}
			if got := Run(context.Background(), e); got != want {
				t.Errorf("%s: %v: exit code %d, want %d", command, err, got, want)
			}
		}
	}
}

func TestPrintError(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nothing", nil, ""},
		{"plain", errors.New("cannot do it"), "error: cannot do it\n"},
		{"hint", usage("do that", "wrong"), "error: wrong\nhint: do that\n"},
		{"wrapped hint", fmt.Errorf("run: %w", usage("do that", "wrong")), "error: run: wrong\nhint: do that\n"},
		{"hint of a file", &workload.FileError{Path: "a", Reason: "b", Hint: "c"}, "error: cannot read a: b\nhint: c\n"},
		{"hint of a plan", &plan.SettingError{Reason: "b", Hint: "c"}, "error: b\nhint: c\n"},
		{"what steers a terminal", errors.New("a\x1b[2Jb\u202ec\x07"), `error: a\x1b[2Jb\u202ec\x07` + "\n"},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		if printError(&b, tt.err, 80); b.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, b.String(), tt.want)
		}
	}
}

func TestRunName(t *testing.T) {
	for in, want := range map[string]string{
		"quickstart":            "quickstart",
		"(*Index).Add":          "Index-.Add",
		"..":                    "run",
		"a b/c\n":               "a-b-c",
		strings.Repeat("x", 99): strings.Repeat("x", 64),
		"größe":                 "gr--e",
	} {
		if got := runName(in); got != want {
			t.Errorf("runName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSameInterpreters(t *testing.T) {
	of := func(version, path string) rundir.Interpreter {
		i := rundir.Interpreter{Path: path}
		i.Implementation, i.Version = "cpython", version
		return i
	}
	began := []rundir.Interpreter{of("3.11.2", "/usr/bin/python3")}
	for _, tt := range []struct {
		name string
		now  []rundir.Interpreter
		want string
	}{
		{"the same", began, ""},
		{"another version", []rundir.Interpreter{of("3.11.9", "/usr/bin/python3")}, "the run began with CPython 3.11.2, and would go on with CPython 3.11.9"},
		{"another place", []rundir.Interpreter{of("3.11.2", "/opt/python3")}, "/opt/python3"},
	} {
		err := sameInterpreters(began, tt.now)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestHostileNames holds that whatever an error, a note or a line of progress
// says, neither a terminal nor a CI runner is steered by it.
func TestHostileNames(t *testing.T) {
	for _, name := range hostile() {
		e, _, stderr := testEnv(nil)
		a := &app{Env: e}
		printError(stderr, &hintedError{fmt.Errorf("cannot do %s\n%s", name, name), name}, 0)
		a.notef("%s", name)
		p := newProgress(a)
		p.update(probes.Progress{Trial: plan.Trial{ID: name, Cell: plan.Cell{Workload: name}}, Record: &record.Record{Status: record.Failed, Reason: name}})
		p.update(probes.Progress{Trial: plan.Trial{Pass: plan.Dry, Cell: plan.Cell{Workload: name}}, Record: &record.Record{Status: record.OK, Dry: &record.Dry{Result: name}}})
		p.update(probes.Progress{Note: name})
		p.close()
		for line := range strings.Lines(stderr.String()) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
				t.Errorf("%.40q: a command of a CI runner: %q", name, line)
			}
		}
		for _, r := range stderr.String() {
			if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || r >= 0x202a && r <= 0x202e {
				t.Errorf("%.40q: %U is printed", name, r)
				break
			}
		}
	}
}

// hostile returns the names of testdata/hostile.txt, which every package that
// shows names of a workload is tested with.
func hostile() []string {
	data, err := os.ReadFile("../../../../testdata/hostile.txt")
	if err != nil {
		panic(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			names = append(names, name)
		} else if line[0] != '#' {
			panic(line)
		}
	}
	return names
}
