package runner

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// survivors returns the processes whose environment has the mark.
func survivors(t *testing.T, mark string) []string {
	t.Helper()
	var found []string
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err == nil && bytes.Contains(data, []byte(mark)) {
			found = append(found, filepath.Base(filepath.Dir(file)))
		}
	}
	return found
}

// newJob returns a job that runs a target of targets, and a mark that all its
// processes carry.
func newJob(t *testing.T, target string) (j *Job, mark string) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	mark = rand.Text()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Job{
		Spec: harness.Spec{Trial: "t0001", Mode: harness.ModeTiming},
		Path: self, Name: "target", Dir: "/",
		Env:     []string{targetVariable + "=" + target, "MARK=" + mark},
		Timeout: 30 * time.Second, // far from reached, however busy the host
		Folder:  t.TempDir(),
	}, mark
}

// eachWay runs a test without a PID namespace and, where there can be one, with.
func eachWay(t *testing.T, test func(t *testing.T, sharedIDs bool)) {
	t.Helper()
	t.Run("shared ids", func(t *testing.T) { test(t, true) })
	t.Run("namespace", func(t *testing.T) {
		needNamespaces(t)
		test(t, false)
	})
}

func needNamespaces(t *testing.T) {
	t.Helper()
	if !proc.Namespaces() {
		t.Skip("SKIPPED: there can be no PID namespace here: it takes Linux and CAP_SYS_ADMIN")
	}
}

func runJob(t *testing.T, j *Job, mark string) *record.Record {
	t.Helper()
	if err := proc.Adopt(); err != nil {
		t.Fatal(err)
	}
	rec, err := j.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if left := survivors(t, mark); len(left) > 0 {
		t.Errorf("processes %v survived", left)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("temporary files %v are left, %v", left, err)
	}
	if rec.ElapsedNs <= 0 || rec.StartedNs <= 0 {
		t.Errorf("elapsed %d, started %d", rec.ElapsedNs, rec.StartedNs)
	}
	return rec
}

func TestEndings(t *testing.T) {
	tests := []struct {
		target string
		status record.Status
		stage  record.Stage
		reason string // in it
		shared bool   // only without a PID namespace, in which the keeper does not notice
		setup  func(*Job)
	}{
		{target: "ok", status: record.OK},
		{target: "noise", status: record.OK},
		{target: "stdin", status: record.OK},
		{target: "all failed", status: record.Failed, stage: record.StageOps, reason: "connection refused"},
		{target: "exit 0", status: record.NoResult, stage: record.StageOps, reason: "status 0"},
		{target: "exit 3", status: record.Failed, stage: record.StageOps, reason: "exit status 3"},
		{target: "exit 3 late", status: record.Failed, stage: record.StageTeardown, reason: "exit status 3"},
		{target: "init panic", status: record.SetupFailed, stage: record.StageStart, reason: "panic: no configuration"},
		{
			target: "init blocks", status: record.TimedOut, stage: record.StageStart, reason: "did not end within 500ms",
			setup: func(j *Job) { j.Timeout = 500 * time.Millisecond },
		},
		{target: "fatal setup", status: record.SetupFailed, stage: record.StageSetup, reason: "no database"},
		{target: "panic", status: record.Failed, stage: record.StageOps, reason: "panic: boom"},
		{target: "goroutine panic", status: record.Failed, stage: record.StageOps, reason: "in the background"},
		{target: "nil pointer", status: record.Failed, stage: record.StageOps, reason: "nil pointer"},
		{target: "map", status: record.Failed, stage: record.StageOps, reason: "concurrent map writes"},
		{target: "stack", status: record.Failed, stage: record.StageOps, reason: "stack overflow"},
		{target: "abort", status: record.Crashed, stage: record.StageOps, reason: "SIGABRT"},
		{target: "kill", status: record.Crashed, stage: record.StageOps, reason: "killed"},
		{target: "stop", status: record.Suspended, stage: record.StageOps, reason: "stopped"},
		{target: "kills keeper", status: record.Lost, stage: record.StageOps, reason: "keeper", shared: true},
		{target: "garbage", status: record.BadResult, stage: record.StageOps, reason: "event 3: invalid character"},
		{target: "not a number", status: record.BadResult, stage: record.StageOps, reason: "invalid character 'N'"},
		{target: "unknown key", status: record.BadResult, stage: record.StageOps, reason: "speed"},
		{target: "truncated", status: record.BadResult, stage: record.StageOps, reason: "truncated"},
		{target: "two results", status: record.BadResult, stage: record.StageTeardown, reason: "second result"},
		{target: "two in a line", status: record.BadResult, stage: record.StageOps, reason: "two documents"},
		{target: "forged token", status: record.BadResult, stage: record.StageOps, reason: "wrong token"},
		{target: "too early", status: record.BadResult, stage: record.StageStart, reason: `unexpected "end"`},
		{target: "old version", status: record.BadResult, stage: record.StageStart, reason: "version 99"},
		{target: "impossible", status: record.BadResult, stage: record.StageOps, reason: "11 of 10 ops failed"},
		{target: "oversized", status: record.BadResult, reason: "more than 1048576 bytes"},
		// The deadline has to pass: these take two seconds, for the start of
		// the target on a busy host, and the grace.
		{
			target: "loop", status: record.TimedOut, stage: record.StageOps, reason: "did not end within 2s",
			setup: func(j *Job) { j.Timeout = 2 * time.Second },
		},
		{
			target: "ignores signals", status: record.TimedOut, stage: record.StageOps,
			setup: func(j *Job) { j.Timeout = 2 * time.Second },
		},
		// A keeper that was stopped cannot hold a deadline. It is given seven
		// seconds to prove that it was not.
		{
			target: "stops keeper", status: record.Lost, stage: record.StageOps, reason: "keeper", shared: true,
			setup: func(j *Job) { j.Timeout = time.Second },
		},
		{
			target: "hog", status: record.MemoryLimit, stage: record.StageOps, reason: "limit of 100000000",
			setup: func(j *Job) { j.Limits.MemoryBytes = 100e6 },
		},
		{
			target: "forks", status: record.Failed, stage: record.StageOps, reason: "more than 10 processes",
			setup: func(j *Job) { j.Limits.Processes = 10 },
		},
		{
			target: "big file", status: record.Failed, stage: record.StageOps, reason: "exit status 7",
			setup: func(j *Job) { j.Limits.FileSizeBytes = 8 << 20 },
		},
		{
			target: "leaks files", status: record.Failed, stage: record.StageOps, reason: "exit status 7",
			setup: func(j *Job) { j.Limits.OpenFiles = 64 },
		},
		{
			target: "ok", status: record.SetupFailed, stage: record.StageStart, reason: "no such file",
			setup: func(j *Job) { j.Path = "/nonexistent" },
		},
	}
	eachWay(t, func(t *testing.T, sharedIDs bool) {
		for _, tt := range tests {
			if tt.shared && !sharedIDs {
				continue
			}
			t.Run(tt.target, func(t *testing.T) {
				j, mark := newJob(t, tt.target)
				j.sharedIDs = sharedIDs
				if tt.setup != nil {
					tt.setup(j)
				}
				rec := runJob(t, j, mark)
				if rec.Status != tt.status || !strings.Contains(rec.Reason, tt.reason) {
					t.Errorf("status %s, reason %q; want %s, %q", rec.Status, rec.Reason, tt.status, tt.reason)
				}
				if tt.stage != "" && rec.Stage != tt.stage {
					t.Errorf("stage %s, want %s", rec.Stage, tt.stage)
				}
				if rec.Status == record.OK && (rec.Frame != "" || rec.Ops != 10) {
					t.Errorf("frame %q, %d ops", rec.Frame, rec.Ops)
				}
			})
		}
	})
}

func TestDaemonIsKilledAndCounted(t *testing.T) {
	eachWay(t, func(t *testing.T, sharedIDs bool) {
		j, mark := newJob(t, "daemon")
		j.sharedIDs = sharedIDs
		rec := runJob(t, j, mark)
		if rec.Status != record.OK || rec.Exit.Strays != 1 {
			t.Errorf("status %s, %s, %d strays; want ok and 1", rec.Status, rec.Reason, rec.Exit.Strays)
		}
	})
}

// In a PID namespace a keeper is neither killed nor stopped from below.
func TestKeeperDoesNotNotice(t *testing.T) {
	needNamespaces(t)
	for _, target := range []string{"kills keeper", "stops keeper"} {
		t.Run(target, func(t *testing.T) {
			j, mark := newJob(t, target)
			rec := runJob(t, j, mark)
			if rec.Status != record.OK || rec.Ops != 10 || rec.Exit.Strays != 1 {
				t.Errorf("status %s, %s, %d ops, %+v; want ok, 10 and a stray", rec.Status, rec.Reason, rec.Ops, rec.Exit)
			}
		})
	}
}

// It writes 300 MB, which takes a moment.
func TestOutputIsBoundedAndNeverRead(t *testing.T) {
	j, mark := newJob(t, "flood")
	rec := runJob(t, j, mark)
	if rec.Status != record.OK || rec.Ops != 10 {
		t.Errorf("status %s, %s, %d ops; want ok and 10", rec.Status, rec.Reason, rec.Ops)
	}
	out, err := os.ReadFile(filepath.Join(j.Folder, "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	if len(out) > 3*64<<10 || rec.Exit.StdoutBytes < 300<<20 || rec.Exit.DroppedBytes != rec.Exit.StdoutBytes-128<<10 {
		t.Errorf("kept %d of %d bytes, dropped %d", len(out), rec.Exit.StdoutBytes, rec.Exit.DroppedBytes)
	}
	if !bytes.HasPrefix(out, []byte("first")) || !bytes.HasSuffix(out, []byte("last\n")) || !bytes.Contains(out, []byte("bytes dropped]")) {
		t.Error("the first or the last line, or the note between, is missing")
	}
}

func TestDescriptors(t *testing.T) {
	leak, err := os.Open(os.DevNull) // not to be seen by the target
	if err != nil {
		t.Fatal(err)
	}
	defer leak.Close()
	j, mark := newJob(t, "descriptors")
	runJob(t, j, mark)
	out, err := os.ReadFile(filepath.Join(j.Folder, "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fd, link, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case fd == "0" && link == os.DevNull, strings.HasPrefix(link, "pipe:") && fd <= "3" && len(fd) == 1:
		case link == "", strings.HasPrefix(link, "/sys/fs/cgroup/"): // the listing's own, and the Go runtime's
		case link == "anon_inode:[eventpoll]", link == "anon_inode:[eventfd]": // of the netpoller, which the runtime starts when it first needs it
		default:
			t.Errorf("descriptor %s is %s", fd, link)
		}
	}
}

func TestSecretsStayOut(t *testing.T) {
	j, mark := newJob(t, "secret")
	j.Env = append(j.Env, "API_TOKEN=c4n4ry-value")
	j.Redact = workload.NewRedactor([]string{"c4n4ry-value"})
	rec := runJob(t, j, mark)
	if !strings.Contains(rec.Reason, "[redacted]") || strings.Contains(rec.Reason, "c4n4ry") {
		t.Errorf("reason %q", rec.Reason)
	}
	for _, name := range []string{"stdout", "stderr"} {
		data, err := os.ReadFile(filepath.Join(j.Folder, name))
		if err != nil || len(data) == 0 {
			t.Fatalf("%s: %d bytes, %v", name, len(data), err)
		}
		if bytes.Contains(data, []byte("c4n4ry")) || bytes.Contains(data, []byte("hunter22")) {
			t.Errorf("%s has a secret: %s", name, data)
		}
	}
}

// A workload can put anything into its profile's labels.
func TestSecretsStayOutOfProfiles(t *testing.T) {
	for target, problem := range map[string]string{"secret profile": "", "no profile": "no profile: gzip: invalid header"} {
		t.Run(target, func(t *testing.T) {
			j, mark := newJob(t, target)
			j.Spec.Mode = harness.ModeProfile
			j.Env = append(j.Env, "API_TOKEN=c4n4ry-value")
			j.Redact = workload.NewRedactor([]string{"c4n4ry-value"})
			rec := runJob(t, j, mark)
			if len(rec.Profiles) != 1 || !strings.HasSuffix(rec.Profiles[0].Problem, problem) {
				t.Fatalf("status %s, %s, profiles %+v", rec.Status, rec.Reason, rec.Profiles)
			}
			p := rec.Profiles[0]
			if problem != "" {
				if names := list(t, j.Folder); len(names) > 0 || p.File != "" || p.SHA256 != "" {
					t.Errorf("kept %v, %+v", names, p)
				}
				return
			}
			data, err := os.ReadFile(filepath.Join(j.Folder, p.File))
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != p.SHA256 {
				t.Errorf("digest %s", p.SHA256)
			}
			if want := testProfile("main.work", "label [redacted]", "amqp://[redacted]@host", "last"); !bytes.Equal(unzip(t, data), unzip(t, want)) {
				t.Errorf("the profile holds %q", unzip(t, data))
			}
		})
	}
}

func unzip(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestProfilesAreWholeOrAbsent(t *testing.T) {
	j, mark := newJob(t, "profile")
	j.Spec.Mode = harness.ModeProfile
	rec := runJob(t, j, mark)
	if rec.Status != record.OK || len(rec.Profiles) != 2 {
		t.Fatalf("status %s, %s, %d profiles", rec.Status, rec.Reason, len(rec.Profiles))
	}
	if cpu := rec.Profiles[0]; cpu.File != "cpu.pb.gz" || cpu.Problem != "" {
		t.Errorf("cpu profile: %+v", cpu)
	}
	if wall := rec.Profiles[1]; wall.File != "" || wall.Problem == "" {
		t.Errorf("wall profile: %+v", wall)
	}
	if names := list(t, j.Folder); strings.Join(names, " ") != "cpu.pb.gz" {
		t.Errorf("folder has %v", names)
	}

	j, mark = newJob(t, "half a profile")
	j.Spec.Mode = harness.ModeProfile
	rec = runJob(t, j, mark)
	if names := list(t, j.Folder); rec.Status != record.Failed || len(names) != 0 {
		t.Errorf("status %s, folder has %v", rec.Status, names)
	}
}

// What a trial that did not end had written of profiles is kept, if it is whole.
func TestProfileOfATimedOutTrial(t *testing.T) {
	j, mark := newJob(t, "profile, then loop")
	j.Spec.Mode, j.Timeout = harness.ModeProfile, 2*time.Second
	rec := runJob(t, j, mark)
	if rec.Status != record.TimedOut || len(rec.Profiles) != 2 {
		t.Fatalf("status %s, %s, profiles %+v", rec.Status, rec.Reason, rec.Profiles)
	}
	if cpu := rec.Profiles[0]; cpu.File != "cpu.pb.gz" || cpu.SHA256 == "" || !strings.Contains(cpu.Problem, "did not end") {
		t.Errorf("cpu profile: %+v", cpu)
	}
	if wall := rec.Profiles[1]; wall.File != "" || wall.Problem == "" {
		t.Errorf("wall profile: %+v", wall)
	}
	if names := list(t, j.Folder); !slices.Contains(names, "cpu.pb.gz") || slices.Contains(names, "wall.pb.gz") {
		t.Errorf("folder has %v", names)
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestInterrupt(t *testing.T) {
	eachWay(t, func(t *testing.T, sharedIDs bool) {
		j, mark := newJob(t, "ignores signals")
		j.sharedIDs = sharedIDs
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			for len(survivors(t, mark)) == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		if rec, err := j.Run(ctx); err != context.Canceled {
			t.Errorf("record %v, error %v", rec, err)
		}
		if left := survivors(t, mark); len(left) > 0 {
			t.Errorf("processes %v survived", left)
		}
	})
}
