package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCgroupParent finds where cgroups can be made, in folders that look like
// the kernel's.
func TestCgroupParent(t *testing.T) {
	for _, tt := range []struct {
		name, self string
		control    map[string]string // subtree_control by folder
		files      map[string]string // others
		want       string
	}{
		{"root of a container", "0::/\n", map[string]string{"": "cpu memory pids"}, map[string]string{"cpu.max": "50000 100000"}, ""},
		{"a scope that was delegated", "0::/user/app/run.scope\n", map[string]string{"user/app": "memory pids", "user/app/run.scope": ""},
			map[string]string{"user/app/run.scope/cpu.max": "max 100000", "user/app/run.scope/memory.max": "max", "user/app/run.scope/cpuset.cpus": ""}, "user/app"},
		{"a scope with a quota", "0::/user/app/run.scope\n", map[string]string{"user/app": "memory pids", "user/app/run.scope": ""},
			map[string]string{"user/app/run.scope/cpu.max": "50000 100000"}, "none"},
		{"a scope with a limit, which may have children", "0::/user/app/run.scope\n", map[string]string{"user/app/run.scope": "memory pids"},
			map[string]string{"user/app/run.scope/memory.max": "1000000"}, "user/app/run.scope"},
		{"no controllers", "0::/user/app/run.scope\n", map[string]string{"user/app": "memory", "user/app/run.scope": ""}, nil, "none"},
		{"version 1", "4:memory:/x\n0::/\n", nil, nil, "none"},
		{"outside of the namespace", "0::/../../x\n", map[string]string{"": "memory pids"}, nil, "none"},
		{"no cgroups", "", nil, nil, "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			put := func(path, text string) {
				t.Helper()
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			put("proc/self/cgroup", tt.self)
			for folder, text := range tt.control {
				put(filepath.Join("sys/fs/cgroup", folder, "cgroup.subtree_control"), text+"\n")
			}
			for name, text := range tt.files {
				put(filepath.Join("sys/fs/cgroup", name), text+"\n")
			}
			want := filepath.Join(root, "sys/fs/cgroup", tt.want)
			if tt.want == "none" {
				want = ""
			}
			if got := cgroupParent(root); got != want {
				t.Errorf("parent %q, want %q", got, want)
			}
		})
	}
}

// TestCgroupFiles holds what is written and read to the kernel's interface.
func TestCgroupFiles(t *testing.T) {
	parent := t.TempDir()
	c, err := makeCgroup(parent, Limits{MemoryBytes: 100e6, Processes: 10})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"memory.max": "100000000", "memory.swap.max": "0", "pids.max": "4106"} {
		if text, err := os.ReadFile(filepath.Join(c.dir, name)); err != nil || string(text) != want {
			t.Errorf("%s is %q, %v; want %q", name, text, err, want)
		}
	}
	if _, killed := c.killed(); killed || c.refused() {
		t.Error("without events something is said to have happened")
	}
	c.write("memory.events", "low 0\noom 1\noom_kill 2\n")
	c.write("memory.peak", "99000000\n")
	c.write("pids.events", "max 3\n")
	if peak, killed := c.killed(); !killed || peak != 99e6 || !c.refused() {
		t.Errorf("killed %t at %d, refused %t", killed, peak, c.refused())
	}
	var none *cgroup
	if _, killed := none.killed(); killed || none.refused() || none.path() != "" || none.remove() != nil {
		t.Error("no cgroup is some")
	}
}

// TestCgroupHoldsItsProcess makes a cgroup of the kernel's, without limits if
// their controllers are elsewhere, and starts a process in it.
func TestCgroupHoldsItsProcess(t *testing.T) {
	parent := mountOf(t, "cgroup2")
	if parent == "" {
		t.Skip("SKIPPED: cgroup v2 is not mounted here")
	}
	c, err := makeCgroup(parent, Limits{})
	if err != nil {
		t.Skipf("SKIPPED: no cgroup can be made here, which takes root or a delegated one: %v", err)
	}
	k := &keeper{cgroup: c, order: order{Path: "/bin/sleep", Argv: []string{"sleep", "1000"}, Dir: "/"}}
	pid, err := k.fork([]uintptr{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if k.cgroup == nil || err != nil || !strings.Contains(string(text), "0::/"+filepath.Base(c.dir)+"\n") {
		t.Errorf("the process is in %q, %v, not in %s", text, err, c.dir)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.remove(); err != nil {
		t.Error(err)
	}

	// One that went away leaves the target without, not without a start.
	k.cgroup = c
	if pid, err = k.fork([]uintptr{0, 1, 2}); err != nil || k.cgroup != nil {
		t.Fatalf("cgroup %v, error %v", k.cgroup, err)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	syscall.Wait4(pid, nil, 0, nil)
}

func mountOf(t *testing.T, kind string) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == kind {
			return f[1]
		}
	}
	return ""
}

// TestCgroupLimits has the kernel end a leak at its limit, and refuse what is
// one process too many.
func TestCgroupLimits(t *testing.T) {
	if !Cgroups() {
		t.Skip("SKIPPED: not enforced here: it takes a cgroup v2 with the controllers memory and pids that this user may make children of")
	}
	leak := shell(`exec tail /dev/zero`)
	leak.Limits.MemoryBytes = 64 << 20
	if e := run(t, leak); e.Cause != Memory || e.PeakRSSBytes > leak.Limits.MemoryBytes {
		t.Errorf("ending %+v", e)
	}
	forks := shell(`i=0; while [ $i -lt 6000 ]; do sleep 100 & i=$((i+1)); done; exit 0`)
	forks.Limits.Processes = 1
	if e := run(t, forks); e.Cause != Processes {
		t.Errorf("ending %+v", e)
	}
}
