package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// maxSpecBytes bounds the document that a probe reads.
const maxSpecBytes = 16 << 20

// Main runs the one trial of a probe process and ends the process: it never
// returns. The functions that steps, setup and teardown name are looked up in
// funcs.
//
// What the probe has to say goes to record.ResultFD, one event a line;
// standard output and error belong to the ops. A panic of an op is not
// recovered: the process dies as the user's own program would, and whoever
// started it reads the crash from standard error.
func Main(funcs map[string]any) {
	os.Exit(run(funcs, time.Now().Add(-age())))
}

// failure is an error with the stage of the trial in which it happened.
type failure struct {
	stage record.Stage
	err   error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// run is Main without the exit, in a process that started at the time given.
func run(funcs map[string]any, started time.Time) int {
	result, err := takeFD(record.ResultFD, "result")
	if err != nil {
		fmt.Fprintf(os.Stderr, "concprof probe: %v: this program is started by concprof, not by hand\n", err)
		return 1
	}
	e := &emitter{w: result}
	spec, err := readSpec()
	if spec != nil {
		e.token = spec.Token
	}
	if err != nil {
		e.fatal(record.StageStart, err)
		return 1
	}
	t := &trial{spec: spec, funcs: funcs, emit: e, started: started}
	if err := t.run(); err != nil {
		stage := record.StageOps
		var f *failure
		if errors.As(err, &f) {
			stage = f.stage
		}
		e.fatal(stage, err)
		return 1
	}
	return 0
}

// readSpec reads and checks the document on record.SpecFD. With a spec that
// can be read but not used it returns both the spec and an error.
func readSpec() (*Spec, error) {
	f, err := takeFD(record.SpecFD, "spec")
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSpecBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read spec: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("read spec: %w", err)
	}
	if len(data) > maxSpecBytes {
		return nil, fmt.Errorf("read spec: longer than %d bytes", maxSpecBytes)
	}
	spec := new(Spec)
	if err := json.Unmarshal(data, spec); err != nil {
		return nil, fmt.Errorf("read spec: %w", err)
	}
	return spec, spec.check()
}

// check reports what makes a spec unusable.
func (s *Spec) check() error {
	switch {
	case s.Version != record.ProtocolVersion:
		return fmt.Errorf("spec has version %d, this probe speaks %d", s.Version, record.ProtocolVersion)
	case len(s.Steps) == 0:
		return errors.New("spec has no steps")
	case s.Concurrency < 1:
		return fmt.Errorf("spec has concurrency %d, want at least 1", s.Concurrency)
	case s.Cores < 1:
		return fmt.Errorf("spec has %d cores, want at least 1", s.Cores)
	case len(s.Offload) != 0 && len(s.Offload) != len(s.Steps):
		return fmt.Errorf("spec has %d offload marks for %d steps", len(s.Offload), len(s.Steps))
	case !known(s.Model):
		return fmt.Errorf("spec has model %q, which this probe does not have", s.Model)
	case s.Mode != ModeDry && s.Ops <= 0 && s.ForNs <= 0:
		return errors.New("spec has neither ops nor a time to run them for")
	}
	switch s.Mode {
	case ModeDry, ModeTiming, ModeClassify, ModeProfile, ModeTrace:
		return nil
	}
	return fmt.Errorf("spec has unknown mode %q", s.Mode)
}

// known reports whether m is a model of this probe.
func known(m model.Model) bool {
	switch m {
	case model.Sequential, model.EventLoop, model.Threads, model.Goroutines, model.Pool, model.Hybrid, model.Processes:
		return true
	}
	return false
}

// hook calls a setup or teardown function.
func (t *trial) hook(stage record.Stage, key string) error {
	if key == "" {
		return nil
	}
	fn, ok := t.funcs[key]
	if !ok {
		return &failure{stage, fmt.Errorf("no function is registered as %q", key)}
	}
	call, err := adaptHook(key, fn)
	if err != nil {
		return &failure{stage, err}
	}
	if err := call(context.Background()); err != nil {
		return &failure{stage, fmt.Errorf("%s function: %w", stage, err)}
	}
	return nil
}

// hello announces the probe.
func (t *trial) hello() error {
	return t.emit.emit(record.Event{Kind: record.Hello, Version: record.ProtocolVersion, Runtime: runtime.Version()})
}
