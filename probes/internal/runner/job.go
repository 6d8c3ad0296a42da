// Package runner runs one trial: it starts a probe behind a keeper, tells it
// what to do, and makes a record of what it reported and how it ended.
package runner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

const (
	// hookTime is how long a prepare or cleanup command may take.
	hookTime = time.Minute
	// eventDrain is how long events are still read once all processes are
	// gone.
	eventDrain = 200 * time.Millisecond
)

// A Job is one trial, ready to be started.
type Job struct {
	Spec harness.Spec
	// Path and Name are of the probe: what is executed, and its argv[0]. Args
	// follow it, then the trial's ID for those who read ps.
	Path, Name string
	Args       []string
	Dir        string
	Env        []string
	Timeout    time.Duration
	Limits     proc.Limits
	// Race says that Path was built with the race detector, which reports to
	// standard error.
	Race bool
	// Prepare and Cleanup are commands that are run before and after.
	Prepare, Cleanup *proc.Command
	// Folder is where profiles and output are kept. It must exist.
	Folder string
	Redact *workload.Redactor
	// Observer looks at the probe while its ops run, nil for a probe that
	// reports all by itself. It is used in profiled trials only.
	Observer Observer
	// ServerCPU returns what the servers have used so far.
	ServerCPU func() time.Duration

	sharedIDs bool // no PID namespace for the probe; for tests
}

// Run runs the trial. An error says that concprof itself could not do its
// part, or is ctx's; whatever the workload does wrong is in the record.
func (j *Job) Run(ctx context.Context) (*record.Record, error) {
	start := time.Now()
	scratch := filepath.Join(os.TempDir(), "concprof-"+rand.Text())
	defer os.RemoveAll(scratch)
	j.Spec.Scratch, j.Spec.TimeoutNs = scratch, int64(j.Timeout)
	j.Env = append([]string{"TMPDIR=" + scratch}, j.Env...)
	if j.Race {
		j.Env = raceEnv(j.Env)
	}
	j.Spec.Version, j.Spec.Token = record.ProtocolVersion, rand.Text()

	var rec *record.Record
	var err error
	if reason := j.hook(ctx, "prepare", j.Prepare); reason != "" {
		rec = &record.Record{Status: record.SetupFailed, Stage: record.StageStart, Reason: reason}
	} else if rec, err = j.probe(ctx, scratch); err != nil {
		rec = nil
	}
	// What was prepared is cleaned up even when the run is being interrupted.
	if reason := j.hook(context.WithoutCancel(ctx), "cleanup", j.Cleanup); reason != "" && rec != nil && rec.Status == record.OK {
		rec.Status, rec.Stage, rec.Reason = record.Failed, record.StageTeardown, reason
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if rec.StartedNs == 0 {
		rec.StartedNs = start.UnixNano()
	}
	rec.ElapsedNs = int64(time.Since(start))
	redact(j.Redact, rec)
	return rec, nil
}

// hook runs a prepare or cleanup command and returns why it failed, or "".
func (j *Job) hook(ctx context.Context, what string, c *proc.Command) string {
	if c == nil {
		return ""
	}
	cmd := *c
	cmd.Timeout, cmd.Limits = hookTime, j.Limits
	cmd.Stderr = new(proc.Capture)
	p, err := proc.Start(cmd)
	if err != nil {
		return fmt.Sprintf("%s: %v", what, err)
	}
	e := waitFor(ctx, p)
	switch {
	case e.Cause == proc.Exited && e.Code == 0:
		return ""
	case e.Cause == proc.Deadline:
		return fmt.Sprintf("%s: did not end within %v", what, hookTime)
	case e.Signal != "":
		return fmt.Sprintf("%s: ended by a signal: %s", what, e.Signal)
	}
	reason := fmt.Sprintf("%s: exit status %d", what, e.Code)
	if text := strings.TrimSpace(string(cmd.Stderr.Bytes())); text != "" {
		reason += ": " + clip(text[strings.LastIndexByte(text, '\n')+1:], 512)
	}
	return reason
}

// probe runs the probe process.
func (j *Job) probe(ctx context.Context, scratch string) (*record.Record, error) {
	events, eventsW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer events.Close()
	defer eventsW.Close()
	specR, spec, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer specR.Close()
	defer spec.Close()
	profiles, err := j.openProfiles()
	if err != nil {
		return nil, err
	}
	defer discard(profiles)

	files := []*os.File{eventsW, specR}
	for _, p := range profiles {
		files = append(files, p.file)
	}
	var stdout, stderr proc.Capture
	before, serversBefore := takeSample(), j.serverCPU()
	p, err := proc.Start(proc.Command{
		Path: j.Path, Argv: slices.Concat([]string{j.Name}, j.Args, []string{j.Spec.Trial}), Dir: j.Dir, Env: j.Env, Files: files,
		Stdout: &stdout, Stderr: &stderr,
		Timeout: j.Timeout, Quit: true, Limits: j.Limits, Scratch: scratch,
		// Servers, prepare and cleanup have none: they know each other, and other
		// programs of the host, by process ids, which for example stand in pid files.
		Namespace: !j.sharedIDs,
	})
	unmade := (*proc.ScratchError)(nil)
	switch {
	case errors.As(err, &unmade):
		return nil, rundir.NewWriteError(unmade.Path, unmade.Err)
	case errors.Is(err, proc.ErrLost):
		return &record.Record{Status: record.Lost, Stage: record.StageStart, Reason: "the trial's keeper was killed"}, ctx.Err()
	case err != nil:
		return &record.Record{Status: record.SetupFailed, Stage: record.StageStart, Reason: "cannot start the probe: " + err.Error()}, nil
	}
	eventsW.Close()
	specR.Close()
	go func() {
		json.NewEncoder(spec).Encode(j.Spec) //nolint:errcheck // a probe that does not read it says nothing either
		spec.Close()
	}()
	watch := j.watch(ctx, p)
	reports := make(chan *report, 1)
	go func() {
		r := readEvents(events, j.Spec.Token, watch.event)
		if r.bad != "" {
			p.Kill() // nothing that follows can be used
		}
		reports <- r
	}()
	ending := waitFor(ctx, p)
	after, serversAfter := takeSample(), j.serverCPU()
	events.SetReadDeadline(time.Now().Add(eventDrain)) //nolint:errcheck // pipes have deadlines
	r := <-reports
	watch.stop()
	if err := ctx.Err(); err != nil {
		return nil, err
	}

	rec := judge(j, r, ending, stderr.Bytes())
	if err := watch.report(rec, profiles); err != nil {
		return nil, err
	}
	if rec.Status == record.TimedOut && r.record == nil && watch.observer == nil {
		// What it had written by then is evidence of what it did so long.
		for _, p := range profiles {
			rec.Profiles = append(rec.Profiles, record.Profile{Kind: p.kind, Problem: "of a trial that did not end"})
		}
	}
	if j.Race {
		rec.Race = parseRaces(stderr.Bytes())
	}
	trial := ending.User + ending.System + ending.Keeper
	host, missing := between(before, after, trial, serversAfter-serversBefore)
	host.GapNs = int64(ending.Gap)
	rec.Host, rec.Missing = &host, append(rec.Missing, missing...)
	rec.Exit = &record.Exit{
		Code: ending.Code, Signal: ending.Signal, Strays: ending.Strays,
		StdoutBytes: stdout.Total(), StderrBytes: stderr.Total(), DroppedBytes: stdout.Dropped() + stderr.Dropped(),
		UserNs: int64(ending.User), SystemNs: int64(ending.System),
	}
	rec.Memory.PeakRSSBytes = max(rec.Memory.PeakRSSBytes, ending.PeakRSSBytes)
	if err := j.keep(rec, profiles, &stdout, &stderr); err != nil {
		return nil, err
	}
	return rec, nil
}

func (j *Job) serverCPU() time.Duration {
	if j.ServerCPU == nil {
		return 0
	}
	return j.ServerCPU()
}

// waitFor waits for p, and kills it when ctx is done.
func waitFor(ctx context.Context, p *proc.Process) proc.Ending {
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
	}
	return p.Wait()
}

// keep writes what the trial left into its folder.
func (j *Job) keep(rec *record.Record, profiles []profile, stdout, stderr *proc.Capture) error {
	if err := j.keepProfiles(rec, profiles); err != nil {
		return err
	}
	for name, c := range map[string]*proc.Capture{"stdout": stdout, "stderr": stderr} {
		if c.Total() == 0 {
			continue
		}
		text := c.Text(j.Redact.Text)
		err := rundir.WriteFile(j.Folder, name, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A profile is a file that the probe writes into.
type profile struct {
	kind record.ProfileKind
	file *os.File
	path string // that it gets once it is whole
}

// profiled reports whether the ops are watched by profilers.
func (j *Job) profiled() bool {
	return j.Spec.Mode == harness.ModeClassify || j.Spec.Mode == harness.ModeProfile
}

// openProfiles opens the files of record.CPUProfileFD and
// record.WallProfileFD, in this order, if the trial is profiled, and that of
// record.TraceFD if it is traced.
func (j *Job) openProfiles() ([]profile, error) {
	var kinds []record.ProfileKind
	switch {
	case j.profiled():
		kinds = []record.ProfileKind{record.CPUProfile, record.WallProfile}
	case j.Spec.Mode == harness.ModeTrace:
		kinds = []record.ProfileKind{record.ExecutionTrace}
	}
	var profiles []profile
	for _, kind := range kinds {
		path := filepath.Join(j.Folder, fileOf(kind))
		f, err := os.CreateTemp(j.Folder, ".concprof-*")
		if err != nil {
			discard(profiles)
			return nil, rundir.NewWriteError(path, err)
		}
		profiles = append(profiles, profile{kind, f, path})
	}
	return profiles, nil
}

// fileOf is the name of a profile in the trial's folder.
func fileOf(kind record.ProfileKind) string {
	if kind == record.ExecutionTrace {
		return record.TraceFile
	}
	return string(kind) + ".pb.gz"
}

// keepProfiles names the profiles that the record calls whole, and removes
// the others.
func (j *Job) keepProfiles(rec *record.Record, profiles []profile) error {
	reported := rec.Profiles
	rec.Profiles = nil
	for _, p := range profiles {
		for _, r := range reported {
			if r.Kind != p.kind {
				continue
			}
			if err := j.keepProfile(&r, p); err != nil {
				return err
			}
			rec.Profiles = append(rec.Profiles, r)
			break
		}
	}
	return nil
}

// keepProfile names one profile, once the secrets are out of it, and notes its
// digest. What is no profile is not kept.
func (j *Job) keepProfile(r *record.Profile, p profile) error {
	r.File, r.SHA256 = "", ""
	size, err := p.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size == 0 {
		r.Problem = cmp.Or(r.Problem, "the probe wrote nothing")
		return nil
	}
	data := make([]byte, min(size, maxProfileBytes))
	if _, err := p.file.ReadAt(data, 0); err != nil {
		return err
	}
	clean, err := data, error(nil)
	if p.kind == record.ExecutionTrace {
		err = checkTrace(j.Redact, data, size)
	} else {
		clean, err = redactProfile(j.Redact, data)
	}
	if err != nil {
		r.Problem = clip(err.Error(), maxText)
		return nil
	}
	if !bytes.Equal(clean, data) {
		if err := rewrite(p.file, clean); err != nil {
			return rundir.NewWriteError(p.path, err)
		}
	}
	if err := rundir.Seal(p.file, p.path); err != nil {
		return err
	}
	sum := sha256.Sum256(clean)
	r.File, r.SHA256 = filepath.Base(p.path), hex.EncodeToString(sum[:])
	return nil
}

// rewrite replaces what f holds.
func rewrite(f *os.File, data []byte) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(data, 0)
	return err
}

// discard closes and removes what was not kept.
func discard(profiles []profile) {
	for _, p := range profiles {
		if err := p.file.Close(); !errors.Is(err, os.ErrClosed) {
			os.Remove(p.file.Name())
		}
	}
}
