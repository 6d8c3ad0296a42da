package python

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/rogpeppe/go-internal/txtar"
)

const (
	testToken   = "token"
	trialLimit  = 2 * time.Minute // a trial that takes so long hangs
	eventsDrain = 300 * time.Millisecond
)

// A trial is one start of the probe.
type trial struct {
	spec  harness.Spec
	files string // a txtar archive; a text without files is ops.py
	env   []string
	// on is called with each event as it is read, the probe's process, and
	// what gives the text that it has written to stderr.
	on func(e record.Event, p *os.Process, stderr func() string)
}

// An outcome is what a trial left.
type outcome struct {
	dir            string // of the user's files, the working directory
	events         []record.Event
	stdout, stderr string
	code           int // -1 if a signal ended it
	signal         syscall.Signal
	left           []int // processes of its group that outlived it
}

// callable is a step of a function in ops.py.
func callable(sync, async string) harness.Step {
	return harness.Step{Name: sync + async, Kind: harness.KindPython, Module: "ops", Sync: sync, Async: async}
}

// ops is a spec of so many ops of a step under a model, with its defaults.
func ops(m model.Model, n int64, steps ...harness.Step) harness.Spec {
	return harness.Spec{Model: m, Ops: n, Steps: steps, LatencyEvery: 1}
}

// start runs a trial to its end.
func (tr trial) start(t testing.TB, python *Interpreter) *outcome {
	t.Helper()
	o := &outcome{dir: t.TempDir()}
	unpack(t, o.dir, tr.files)
	spec := complete(tr.spec, o.dir)
	probe, err := Install(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	events, eventsW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	specR, specW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	scratch, err := os.MkdirTemp("", "concprof-") // short: sockets are bound in it
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(scratch)
	var stdout, stderr text
	cmd := exec.Command(python.Path, probe, "trial")
	cmd.Dir, cmd.Stdout, cmd.Stderr = o.dir, &stdout, &stderr
	cmd.Env = slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + scratch, "PYTHONPYCACHEPREFIX=" + pycache}, tr.env)
	cmd.ExtraFiles = []*os.File{eventsW, specR}
	if spec.Mode == harness.ModeClassify || spec.Mode == harness.ModeProfile {
		for range 2 {
			f, err := os.CreateTemp(t.TempDir(), "profile-")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = eventsDrain // leaked processes hold the output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	group := cmd.Process.Pid
	defer syscall.Kill(-group, syscall.SIGKILL) //nolint:errcheck // it is gone, as it should be
	guard := time.AfterFunc(trialLimit, func() {
		t.Errorf("no end within %v", trialLimit)
		syscall.Kill(-group, syscall.SIGKILL) //nolint:errcheck // what ends by itself now is fine
	})
	defer guard.Stop()
	eventsW.Close()
	specR.Close()
	if err := json.NewEncoder(specW).Encode(spec); err != nil {
		t.Error(err)
	}
	specW.Close()
	read := make(chan error, 1)
	go func() {
		read <- o.read(events, func(e record.Event) {
			if tr.on != nil {
				tr.on(e, cmd.Process, stderr.String)
			}
		})
	}()
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	o.left = living(group)
	events.SetReadDeadline(time.Now().Add(eventsDrain)) //nolint:errcheck // pipes have deadlines
	if err := <-read; err != nil {
		t.Errorf("events: %v", err)
	}
	o.stdout, o.stderr, o.code = stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		o.signal = ws.Signal()
	}
	return o
}

// A text is written by one goroutine while others read it.
type text struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// complete fills in what every spec has.
func complete(s harness.Spec, dir string) harness.Spec {
	s.Version, s.Token, s.Trial = record.ProtocolVersion, testToken, "trial"
	s.Concurrency, s.Cores = max(s.Concurrency, 1), max(s.Cores, 2)
	if s.Mode == "" {
		s.Mode = harness.ModeTiming
	}
	s.PythonPath = append([]string{dir}, s.PythonPath...)
	for i := range s.Steps {
		if s.Steps[i].Path != "" {
			s.Steps[i].Path = filepath.Join(dir, s.Steps[i].Path)
		}
	}
	if s.Inputs != nil && s.Inputs.File != "" {
		s.Inputs = &harness.Inputs{File: filepath.Join(dir, s.Inputs.File)}
	}
	return s
}

func unpack(t testing.TB, dir, files string) {
	t.Helper()
	archive := txtar.Parse([]byte(files))
	if len(archive.Files) == 0 {
		archive.Files = []txtar.File{{Name: "ops.py", Data: []byte(files)}}
	}
	for _, f := range archive.Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// read takes events as strictly as they can be read.
func (o *outcome) read(f *os.File, on func(record.Event)) error {
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil && len(line) == 0 {
			return nil // the end, or the deadline
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		var e record.Event
		if err := d.Decode(&e); err != nil {
			return fmt.Errorf("%w in %q", err, line)
		}
		if e.Token != testToken {
			return fmt.Errorf("token %q", e.Token)
		}
		o.events = append(o.events, e)
		on(e)
	}
}

// kinds returns the events' kinds, "hello ready end bye" of a good trial.
func (o *outcome) kinds() string {
	var kinds []string
	for _, e := range o.events {
		kinds = append(kinds, string(e.Kind))
	}
	return strings.Join(kinds, " ")
}

// fatal returns the last event of a trial that must have ended with fatal.
func (o *outcome) fatal(t testing.TB) record.Event {
	t.Helper()
	if n := len(o.events); n > 0 && o.events[n-1].Kind == record.Fatal && o.code == 1 {
		return o.events[n-1]
	}
	t.Fatalf("%s, exit %d: want fatal and exit 1\n%s", o.kinds(), o.code, o.stderr)
	return record.Event{}
}

// record returns what a good trial reported.
func (o *outcome) record(t testing.TB) *record.Record {
	t.Helper()
	if o.kinds() != "hello ready end bye" || o.code != 0 {
		t.Fatalf("%s, exit %d, signal %v: want hello ready end bye and exit 0\n%+v\n%s", o.kinds(), o.code, o.signal, o.events, o.stderr)
	}
	if len(o.left) > 0 {
		t.Errorf("processes %v were left", o.left)
	}
	return o.events[2].Record
}

// tree returns the files below a folder.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if path != dir {
			files = append(files, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// living returns the processes of a group that are no zombies.
func living(group int) []int {
	var pids []int
	entries, err := os.ReadDir("/proc")
	if err != nil {
		if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
			return nil
		}
		return []int{group}
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		var pid, parent, pgrp int
		var state string
		rest := string(data[bytes.LastIndexByte(data, ')')+1:])
		if _, err := fmt.Sscan(rest, &state, &parent, &pgrp); err != nil || pgrp != group || state == "Z" || state == "X" {
			continue
		}
		if _, err := fmt.Sscan(e.Name(), &pid); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
