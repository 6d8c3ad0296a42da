package proc

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNamespace: a target sees its keeper and itself, and whatever signal it
// sends to its keeper is ignored.
func TestNamespace(t *testing.T) {
	needNamespaces(t)
	before := mountsOfProc(t)
	// It sends nothing where process 1 may be the host's.
	c := shell(`set -- /proc/[0-9]*
		echo $PPID $# $(cat /proc/$$/comm)
		[ $PPID = 1 ] && [ $# -le 2 ] || exit 9
		i=1; while [ $i -le 64 ]; do kill -$i 1; i=$((i+1)); done
		sleep 0.2; kill -9 1; kill -STOP 1
		exit 5`)
	c.Namespace = true
	if e := run(t, c); e.Cause != Exited || e.Code != 5 || e.Strays != 0 {
		t.Errorf("ending %+v, %s", e, c.Stderr.Bytes())
	}
	if out := string(c.Stdout.Bytes()); out != "1 2 sh\n" {
		t.Errorf("parent, processes and name are %q", out)
	}
	if after := mountsOfProc(t); after != before {
		t.Errorf("%d file systems are mounted on /proc, %d were before", after, before)
	}
}

// mountsOfProc counts what this process sees mounted on /proc.
func mountsOfProc(t *testing.T) (n int) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 4 && f[4] == "/proc" {
			n++
		}
	}
	return n
}

// TestNamespaceEndsWithItsKeeper: the kernel kills what a keeper leaves, a
// daemon too, whether or not there is a concprof to do so.
func TestNamespaceEndsWithItsKeeper(t *testing.T) {
	needNamespaces(t)
	c := shell(`setsid sleep 1000 & sleep 1000`)
	c.Namespace, c.Scratch = true, filepath.Join(t.TempDir(), "scratch")
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	keeper := p.keeper.Process.Pid
	var pids []int
	for end := time.Now().Add(30 * time.Second); len(pids) < 3; time.Sleep(time.Millisecond) {
		if pids = descendants(keeper, true); time.Now().After(end) {
			t.Fatalf("descendants %v", pids)
		}
	}
	namespace := namespaceOf(keeper)
	if namespace == "" || namespace == namespaceOf(os.Getpid()) {
		t.Fatalf("the keeper is in %q", namespace)
	}
	if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if e := p.Wait(); e.Cause != Lost {
		t.Errorf("ending %+v", e)
	}
	for _, pid := range pids {
		if namespaceOf(pid) == namespace {
			t.Errorf("process %d is left", pid)
		}
	}
	if _, err := os.Stat(c.Scratch); err == nil {
		t.Error("the folder was not removed")
	}
	if p.PID() != 0 {
		t.Errorf("the target has the id %d", p.PID())
	}
}

// namespaceOf names the PID namespace of a process, "" of one that has ended.
func namespaceOf(pid int) string {
	name, _ := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/pid")
	return name
}

// TestNamespaceIDs: ids begin where those of the host are.
func TestNamespaceIDs(t *testing.T) {
	needNamespaces(t)
	if _, err := os.Stat("/proc/sys/kernel/ns_last_pid"); err != nil {
		t.Skip("SKIPPED: the kernel cannot begin with other ids (CONFIG_CHECKPOINT_RESTORE)")
	}
	c := shell(`echo $$`)
	c.Namespace = true
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	p.Wait()
	// They have come round if the host's have.
	keeper := p.keeper.Process.Pid
	if id, err := strconv.Atoi(strings.TrimSpace(string(c.Stdout.Bytes()))); err != nil || id <= keeper && keeper < 32000 || id != p.target {
		t.Errorf("the target calls itself %q, its keeper %d; outside that has the id %d", c.Stdout.Bytes(), p.target, keeper)
	}
}

// BenchmarkStart runs a process that does nothing behind its keeper, in turns
// without and with a PID namespace, and reports the median of each.
func BenchmarkStart(b *testing.B) {
	needNamespaces(b)
	took := map[bool][]time.Duration{}
	for b.Loop() {
		for _, namespace := range []bool{false, true} {
			c := shell("")
			c.Path, c.Argv, c.Namespace = "/bin/true", []string{"true"}, namespace
			begun := time.Now()
			p, err := Start(c)
			if err != nil {
				b.Fatal(err)
			}
			if e := p.Wait(); e.Cause != Exited || e.Code != 0 {
				b.Fatalf("ending %+v", e)
			}
			took[namespace] = append(took[namespace], time.Since(begun))
		}
	}
	for namespace, unit := range map[bool]string{false: "ns/shared", true: "ns/namespace"} {
		slices.Sort(took[namespace])
		b.ReportMetric(float64(took[namespace][len(took[namespace])/2]), unit)
	}
}
