//go:build linux && (amd64 || arm64)

package pyread

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// inNamespace returns a command that becomes the first process of a PID
// namespace: by their own ids its threads are few and low.
func inNamespace(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	return cmd
}

func needNamespaces(t *testing.T) {
	t.Helper()
	if err := inNamespace("true").Run(); err != nil {
		t.Skipf("SKIPPED: there can be no PID namespace here: %v", err)
	}
}

// TestNamespace: threads whose own ids are not those of /proc are seen as
// others are, and so are those of child processes.
func TestNamespace(t *testing.T) {
	needNamespaces(t)
	each(t, func(t *testing.T, python interpreter) {
		for _, tt := range []struct{ mode, argument string }{{"mix_pool", ""}, {"processes", "spawn"}} {
			t.Run(tt.mode, func(t *testing.T) {
				complaint := ""
				for d := 2 * time.Second; d <= 16*time.Second; d *= 2 {
					p := begin(t, tt.mode, inNamespace(python.path, "testdata/concprof_probe.py", tt.mode, tt.argument))
					r := watch(t, p.pid, d, Options{Children: true})
					truth := p.stop()
					switch {
					case tt.mode == "mix_pool":
						complaint = compare(t, r, truth)
					case r.Seen.PythonNs+r.Seen.RunnableNs < r.Seen.WindowNs/4 || r.Seen.PythonNs == 0:
						complaint = fmt.Sprintf("the workers were not seen: %+v", r.Seen)
					default:
						complaint = ""
					}
					if complaint == "" {
						return
					}
				}
				t.Error(complaint)
			})
		}
	})
}

// TestThreadIDs: a thread is found by the id by which it knows itself, and again
// once it was forgotten; one of another process is not.
func TestThreadIDs(t *testing.T) {
	needNamespaces(t)
	// The shell is process 1 there.
	cmd := inNamespace("sh", "-c", "sleep 1000; :")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	ids := newThreadIDs(cmd.Process.Pid)
	if ids.same {
		t.Fatal("no namespace is seen")
	}
	if got := ids.find(1); got != cmd.Process.Pid {
		t.Errorf("found %d, want %d", got, cmd.Process.Pid)
	}
	ids.forget(1)
	if got := ids.find(1); got != cmd.Process.Pid {
		t.Errorf("found %d again, want %d", got, cmd.Process.Pid)
	}
	if got := ids.find(cmd.Process.Pid + 1); got != 0 {
		t.Errorf("found %d, which is no thread of it", got)
	}
}
