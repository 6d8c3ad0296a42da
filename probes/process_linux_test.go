package probes

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// patience is how long a test waits for what must come, on a busy host.
const patience = 30 * time.Second

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A process is an id and when it began, which tells it from a later one of
// the same id.
type process struct {
	pid   int
	begun string
}

// children returns the processes by their parents.
func children(t *testing.T) map[int][]process {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[int][]process)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, _ := strconv.Atoi(f[1])
		if f[0] != "Z" {
			all[parent] = append(all[parent], process{pid, f[19]})
		}
	}
	return all
}

// tree returns all descendants of a process.
func tree(t *testing.T, pid int) []process {
	t.Helper()
	all := children(t)
	var found []process
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		for _, p := range all[queue[0]] {
			found = append(found, p)
			queue = append(queue, p.pid)
		}
	}
	return found
}

// marked returns the processes that have the mark in their environment.
func marked(t *testing.T, mark string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(file string) bool {
		data, err := os.ReadFile(file)
		return err != nil || !bytes.Contains(data, []byte(mark))
	})
}

// A stage is a tool that runs a scene.
type stage struct {
	dir  string
	tmp  string
	mark string
	cmd  *exec.Cmd
	seen []process // all descendants, when last looked
}

// perform starts the tool and waits until the scene says that it has started.
func perform(t *testing.T, scene string) *stage {
	t.Helper()
	s := &stage{dir: t.TempDir(), tmp: t.TempDir(), mark: rand.Text()}
	if err := os.WriteFile(filepath.Join(s.dir, "block"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command("/proc/self/exe")
	s.cmd.Env = append(os.Environ(), toolVariable+"="+scene, "PROBES_TEST_DIR="+s.dir, "TMPDIR="+s.tmp, "MARK="+s.mark)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killHard(s.cmd.Process.Pid) })
	waitUntil(t, "the op", func() bool { return exists(filepath.Join(s.dir, "started")) })
	s.look(t)
	return s
}

// look notes what the tool has started.
func (s *stage) look(t *testing.T) { s.seen = tree(t, s.cmd.Process.Pid) }

// checkGone waits until nothing of the tool is left, neither a process nor a
// temporary file.
func (s *stage) checkGone(t *testing.T) {
	t.Helper()
	s.checkEnded(t)
	if left, err := os.ReadDir(s.tmp); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

// checkEnded waits until no process of the tool is left.
func (s *stage) checkEnded(t *testing.T) {
	t.Helper()
	if len(s.seen) < 4 { // two servers and a trial, each with a keeper
		t.Errorf("saw only %d processes", len(s.seen))
	}
	waitUntil(t, "all processes to end", func() bool {
		for _, p := range s.seen {
			data, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/stat")
			if err == nil {
				f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
				if f[0] != "Z" && f[19] == p.begun {
					return false
				}
			}
		}
		return len(marked(t, s.mark)) == 0
	})
}

// keeper returns the process that keeps the trial: the tool's child that has
// the marked probe.
func (s *stage) keeper(t *testing.T) int {
	t.Helper()
	for _, c := range children(t)[s.cmd.Process.Pid] {
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(c.pid) + "/cmdline")
		if bytes.HasPrefix(line, []byte("concprof-keeper\x00concprof-probe")) {
			return c.pid
		}
	}
	t.Fatal("no keeper found")
	return 0
}

// exit returns how the tool ended.
func (s *stage) exit(t *testing.T) (code int, sig syscall.Signal) {
	t.Helper()
	s.cmd.Wait() //nolint:errcheck // the state tells
	ws := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ws.ExitStatus(), ws.Signal()
}

func (s *stage) open(t *testing.T) *rundir.Run {
	t.Helper()
	r, err := rundir.Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKilledToolLeavesNothing(t *testing.T) {
	s := perform(t, "daemon")
	if err := killHard(s.cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if _, sig := s.exit(t); sig != syscall.SIGKILL {
		t.Errorf("the tool ended by %v", sig)
	}
	s.checkGone(t)
	if r := s.open(t); len(r.Finished) != 0 || len(r.Decisions) != 1 || r.Torn {
		t.Errorf("%d finished, %d decisions, torn %t", len(r.Finished), len(r.Decisions), r.Torn)
	}
}

func TestKilledKeeperLosesTheTrialOnly(t *testing.T) {
	s := perform(t, "third")
	if err := killHard(s.keeper(t)); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the record", func() bool { return len(s.open(t).Finished) >= 3 })
	if err := os.Remove(filepath.Join(s.dir, "block")); err != nil {
		t.Fatal(err)
	}
	if code, _ := s.exit(t); code != 0 {
		t.Errorf("exit status %d", code)
	}
	s.checkGone(t)
	var got []string
	for _, f := range s.open(t).Finished {
		got = append(got, string(f.Record.Status))
	}
	if strings.Join(got, " ") != "ok ok lost ok" {
		t.Errorf("statuses %v", got)
	}
}

// The kernel ends what a keeper kept, a daemon too, when nobody is left to do it.
func TestKilledToolAndKeeperLeaveNoProcess(t *testing.T) {
	if !Namespaces() {
		t.Skip("SKIPPED: not enforced here: a PID namespace takes CAP_SYS_ADMIN")
	}
	s := perform(t, "daemon")
	keeper := s.keeper(t)
	// Stopped, the tool cannot end what comes to it from the keeper.
	for _, kill := range []struct {
		pid    int
		signal syscall.Signal
	}{{s.cmd.Process.Pid, syscall.SIGSTOP}, {keeper, syscall.SIGKILL}, {s.cmd.Process.Pid, syscall.SIGKILL}} {
		if err := syscall.Kill(kill.pid, kill.signal); err != nil {
			t.Fatal(err)
		}
	}
	s.exit(t)
	s.checkEnded(t)
}

func TestInterruptedOnceCleansUp(t *testing.T) {
	s := perform(t, "cleanup")
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the cleanup", func() bool { return exists(filepath.Join(s.dir, "cleaning")) })
	if err := os.Remove(filepath.Join(s.dir, "block")); err != nil {
		t.Fatal(err)
	}
	if code, _ := s.exit(t); code != 130 {
		t.Errorf("exit status %d", code)
	}
	s.checkGone(t)
	hooks, err := os.ReadFile(filepath.Join(s.dir, "hooks"))
	if err != nil || string(hooks) != "prepared\ncleaned\n" {
		t.Errorf("hooks %q, %v", hooks, err)
	}
	if r := s.open(t); len(r.Finished) != 0 || len(r.Notes) != 1 || r.Notes[0].Kind != "interrupted" {
		t.Errorf("%d finished, notes %v", len(r.Finished), r.Notes)
	}
}

func TestInterruptedTwiceLeavesNothing(t *testing.T) {
	s := perform(t, "cleanup")
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the cleanup", func() bool { return exists(filepath.Join(s.dir, "cleaning")) })
	s.seen = append(s.seen, tree(t, s.cmd.Process.Pid)...)
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, sig := s.exit(t); sig != syscall.SIGINT {
		t.Errorf("ended by %v", sig)
	}
	s.checkGone(t)
}

func TestResumeAfterKillRepeatsNothing(t *testing.T) {
	s := perform(t, "third")
	if err := killHard(s.cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	s.exit(t)
	s.checkGone(t)
	if err := os.Remove(filepath.Join(s.dir, "block")); err != nil {
		t.Fatal(err)
	}

	// A line that was being written when the machine stopped.
	before := s.open(t)
	journal, err := os.OpenFile(filepath.Join(before.Path, "journal.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.WriteString(`0badc0de {"trial":{"trial":{"id":"t0003"`); err != nil {
		t.Fatal(err)
	}
	journal.Close()

	d, r, err := rundir.Resume(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !r.Torn || len(r.Finished) != 2 || len(rundir.Unfinished(r.History())) != 2 {
		t.Fatalf("torn %t, %d finished", r.Torn, len(r.Finished))
	}
	f := scenes(s.dir)["third"]
	f.Workloads[0].Env = nil
	prepared, err := Prepare(context.Background(), f, PrepareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	var ran []string
	err = Run(context.Background(), prepared, Options{
		Dir: d, History: r.History(), Planner: dryRuns(f, 4), NoHostLock: true,
		Progress: func(p Progress) {
			if p.Record != nil {
				ran = append(ran, p.Trial.ID)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(ran, " ") != "t0003 t0004" {
		t.Errorf("ran %v", ran)
	}
	if r, err = rundir.Open(d.Path()); err != nil || !r.Complete || len(r.Finished) != 4 || r.Torn {
		t.Errorf("%v, %+v", err, r)
	}
	for _, f := range r.Finished {
		if f.Record.Status != record.OK {
			t.Errorf("%s: %s: %s", f.Trial.ID, f.Record.Status, f.Record.Reason)
		}
	}
	// Two trials, the third that was killed, and again, and the fourth.
	if ops, err := os.ReadFile(filepath.Join(s.dir, "ops")); err != nil || bytes.Count(ops, []byte("\n")) != 5 {
		t.Errorf("ops ran: %q, %v", ops, err)
	}
}

func TestBusyRunDirectory(t *testing.T) {
	s := perform(t, "daemon")
	var busy *rundir.BusyError
	if _, _, err := rundir.Resume(s.dir); !errors.As(err, &busy) || busy.PID != s.cmd.Process.Pid {
		t.Errorf("resuming a run that goes on: %v", err)
	}
	if err := killHard(s.cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	s.exit(t)
	s.checkGone(t)
	d, _, err := rundir.Resume(s.dir)
	if err != nil {
		t.Fatalf("resuming after kill -9: %v", err)
	}
	d.Close()
}

func TestDeadServerFailsTrialsAloud(t *testing.T) {
	s := perform(t, "third")
	var server int
	for _, p := range s.seen {
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/cmdline")
		if bytes.HasPrefix(line, []byte("concprof-server\x00")) {
			server = p.pid
		}
	}
	if err := killHard(server); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.dir, "block")); err != nil {
		t.Fatal(err)
	}
	if code, _ := s.exit(t); code != 0 {
		t.Errorf("exit status %d", code)
	}
	s.checkGone(t)
	last := s.open(t).Finished[3].Record
	if last.Status != record.SetupFailed || !strings.Contains(last.Reason, "server api") {
		t.Errorf("%s: %s", last.Status, last.Reason)
	}
}

func TestHostLock(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	start := func(ctx context.Context, o Options) error {
		f := scenes(t.TempDir())["daemon"]
		f.Servers = nil
		prepared, err := Prepare(ctx, f, PrepareOptions{})
		if err != nil {
			t.Error(err)
			return err
		}
		defer prepared.Close()
		p := planOf(f)
		d, err := rundir.Create(t.TempDir(), rundir.Manifest{Name: "run", Created: time.Now(), Plan: *p}, nil)
		if err != nil {
			t.Error(err)
			return err
		}
		defer d.Close()
		o.Dir, o.History, o.Planner = d, plan.History{Plan: p}, dryRuns(f, 1)
		return Run(ctx, prepared, o)
	}
	first, stopFirst := context.WithCancel(context.Background())
	second, stopSecond := context.WithCancel(context.Background())
	defer stopFirst()
	defer stopSecond()
	running, waiting := make(chan struct{}), make(chan string)
	ended := make(chan error, 2)
	go func() {
		ended <- start(first, Options{Progress: func(Progress) { close(running) }})
	}()
	<-running
	go func() {
		ended <- start(second, Options{Progress: func(p Progress) { waiting <- p.Note }})
	}()
	if note := <-waiting; !strings.Contains(note, "waiting") || !strings.Contains(note, strconv.Itoa(os.Getpid())) {
		t.Errorf("note %q", note)
	}
	stopSecond()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the waiting run: %v", err)
	}
	third, stopThird := context.WithCancel(context.Background())
	if err := start(third, Options{NoHostLock: true, Progress: func(Progress) { stopThird() }}); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that does not wait: %v", err)
	}
	stopFirst()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the first run: %v", err)
	}
}
