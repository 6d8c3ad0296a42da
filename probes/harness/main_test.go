package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// roleEnv makes the test binary be a probe.
const roleEnv = "CONCPROF_HARNESS_TEST_ROLE"

// testFuncs are the functions of the probes that the tests start.
func testFuncs() map[string]any {
	return map[string]any{
		"nothing": func() {},
		"square":  func(n int64) (int, error) { return int(n * n), nil },
		"odd-or-number": func(n int64) (int64, error) {
			if n%2 == 1 {
				return 0, errors.New("odd number")
			}
			return n, nil
		},
		"wants-struct": func(s struct{ A int }) {},
		"panics":       func() { panic("on purpose") },
		"fails":        func() error { return errors.New("on purpose") },
		"leaks":        func() { go func() { select {} }() },
		"leaks files": func() error {
			_, err := syscall.Open(os.DevNull, syscall.O_RDONLY, 0)
			return err
		},
		"processors": func() { runtime.GOMAXPROCS(7) },
		"print":      func() { fmt.Println("from the op") },
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == "probe" {
		Main(testFuncs())
	}
	os.Exit(m.Run())
}

// outcome is what a probe that a test started left behind.
type outcome struct {
	events         []record.Event
	stdout, stderr string
	code           int
	cpu, wall      []byte
}

func (o *outcome) kinds() []record.EventKind {
	var kinds []record.EventKind
	for _, e := range o.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// record returns the record of the end event; a probe without one fails the
// test.
func (o *outcome) record(t *testing.T) *record.Record {
	t.Helper()
	for _, e := range o.events {
		if e.Kind == record.End {
			return e.Record
		}
	}
	t.Fatalf("no end event: %+v\nstderr: %s", o.events, o.stderr)
	return nil
}

// probe starts the test binary as a probe.
func probe(t *testing.T, spec Spec) *outcome {
	t.Helper()
	spec.Version, spec.Token = record.ProtocolVersion, "token"
	if spec.Mode == "" {
		spec.Mode = ModeTiming
	}
	if spec.Model == "" {
		spec.Model = model.Sequential
	}
	if spec.Cores == 0 {
		spec.Cores = 2
	}
	if spec.Concurrency == 0 {
		spec.Concurrency = 1
	}
	doc, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, content []byte) *os.File {
		f, err := os.Create(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(content, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleEnv+"=probe")
	result, cpu, wall := file("result", nil), file("cpu", nil), file("wall", nil)
	cmd.ExtraFiles = []*os.File{result, file("spec", doc)}
	if spec.profiled() {
		cmd.ExtraFiles = append(cmd.ExtraFiles, cpu, wall)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	o := &outcome{}
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		o.code = exit.ExitCode()
	}
	o.stdout, o.stderr = stdout.String(), stderr.String()
	lines, err := os.ReadFile(result.Name())
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(bytes.NewReader(lines))
	sc.Buffer(nil, record.MaxEventBytes)
	for sc.Scan() {
		var e record.Event
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatalf("event %q: %v", sc.Text(), err)
		}
		if e.Token != spec.Token {
			t.Errorf("event %q has another token", sc.Text())
		}
		o.events = append(o.events, e)
	}
	if o.cpu, err = os.ReadFile(cpu.Name()); err != nil {
		t.Fatal(err)
	}
	if o.wall, err = os.ReadFile(wall.Name()); err != nil {
		t.Fatal(err)
	}
	return o
}
