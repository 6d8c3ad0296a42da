//go:build linux && (amd64 || arm64)

package pyread

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// TestChildren: the workers of a process pool are seen, and only if asked for.
func TestChildren(t *testing.T) {
	each(t, func(t *testing.T, python interpreter) {
		for _, method := range []string{"fork", "forkserver", "spawn"} {
			t.Run(method, func(t *testing.T) {
				grow(t, python, "processes", method, Options{Children: true}, func(r *Result) string {
					// On a busy machine they mostly wait for a processor.
					if r.Seen.PythonNs == 0 || r.Seen.PythonNs+r.Seen.RunnableNs < r.Seen.WindowNs/4 {
						return fmt.Sprintf("the workers were not seen: %+v", r.Seen)
					}
					return ""
				})
			})
		}
	})
	p := start(t, one(t), "processes", "spawn")
	if r := watch(t, p.pid, time.Second, Options{}); r.Seen.PythonNs != 0 {
		t.Errorf("children were followed: %+v", r.Seen)
	}
}

// TestEnd: a process that ends while it is read leaves what was seen.
func TestEnd(t *testing.T) {
	each(t, func(t *testing.T, python interpreter) {
		p := start(t, python, "die", "")
		s, err := Start(context.Background(), p.pid, Options{})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-s.done:
		case <-time.After(30 * time.Second):
			t.Error("the session did not end with the process")
		}
		r := s.Stop()
		if r.Seen.PythonNs == 0 || s.Stop() != r {
			t.Errorf("%+v", r.Seen)
		}
	})
}

// TestCancel: a session ends with its context.
func TestCancel(t *testing.T) {
	p := start(t, one(t), "cpu", "1")
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Start(ctx, p.pid, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-s.done
	s.Stop()
}

// TestUnsupported: what is no CPython, and CPythons before 3.11, are refused.
func TestUnsupported(t *testing.T) {
	refused := func(t *testing.T, pid int) {
		_, err := Start(context.Background(), pid, Options{})
		var u *UnsupportedError
		if !errors.As(err, &u) || u.PID != pid || u.Reason == "" {
			t.Errorf("error %v", err)
		}
		t.Log(err)
	}
	t.Run("no Python", func(t *testing.T) {
		cmd := exec.Command("sleep", "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		refused(t, cmd.Process.Pid)
	})
	t.Run("no process", func(t *testing.T) { refused(t, 1<<22) })
	for _, python := range find() {
		if python.minor == "3.9" || python.minor == "3.10" {
			t.Run(python.full, func(t *testing.T) { refused(t, start(t, python, "sleep", "1").pid) })
		}
	}
}

// TestShare: with many threads the reader stays within its share of a core,
// and what it saw still stands for all threads.
func TestShare(t *testing.T) {
	each(t, func(t *testing.T, python interpreter) {
		for _, tt := range []struct {
			mode  string
			least float64 // threads; those that compute take their time to begin
		}{{"sleep", 110}, {"cpu", 1}} {
			t.Run(tt.mode, func(t *testing.T) {
				share := 0.05
				grow(t, python, tt.mode, "140", Options{MaxShare: share}, func(r *Result) string {
					used := float64(r.Seen.ReaderCPUNs) / float64(r.Seen.WindowNs)
					threads := float64(sum(times(r))) / float64(r.Seen.WindowNs)
					t.Logf("share %.4f, %.0f threads, %.0f looks a second", used, threads, float64(r.Seen.Samples)/float64(r.Seen.WindowNs)*1e9)
					if used > share || threads < tt.least || threads > 150 {
						return fmt.Sprintf("used %.3f of a core, allowed %.3f; saw %.0f threads of 140", used, share, threads)
					}
					return ""
				})
			})
		}
	})
}
