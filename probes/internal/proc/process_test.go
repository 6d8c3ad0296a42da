package proc

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Args[0] == KeeperName {
		switch os.Args[1] {
		case "stop the keeper":
			syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			time.Sleep(time.Hour) // the first process of a namespace cannot stop itself
		case "kill the keeper":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			os.Exit(1)
		}
		Keep()
	}
	os.Exit(m.Run())
}

// eachWay runs a test without a PID namespace and, where there can be one, with.
func eachWay(t *testing.T, test func(t *testing.T, namespace bool)) {
	t.Helper()
	t.Run("shared ids", func(t *testing.T) { test(t, false) })
	t.Run("namespace", func(t *testing.T) {
		needNamespaces(t)
		test(t, true)
	})
}

func needNamespaces(t testing.TB) {
	t.Helper()
	if !Namespaces() {
		t.Skip("SKIPPED: there can be no PID namespace here: it takes Linux and CAP_SYS_ADMIN")
	}
}

func shell(script string) Command {
	return Command{Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Dir: "/", Env: []string{"PATH=/bin:/usr/bin"}, Stdout: new(Capture), Stderr: new(Capture)}
}

func run(t *testing.T, c Command) Ending {
	t.Helper()
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	return p.Wait()
}

func TestProcess(t *testing.T) {
	eachWay(t, func(t *testing.T, namespace bool) {
		dir := t.TempDir()
		c := shell(`echo out; echo err >&2; cat; pwd; env; exit 3`)
		c.Dir, c.Scratch, c.Namespace = "/tmp", dir, namespace
		e := run(t, c)
		if e.Cause != Exited || e.Code != 3 || e.Signal != "" || e.Strays != 0 || e.User+e.System <= 0 || e.PeakRSSBytes <= 0 {
			t.Errorf("ending %+v", e)
		}
		out := string(c.Stdout.Bytes())
		if !strings.HasPrefix(out, "out\n/tmp\n") || string(c.Stderr.Bytes()) != "err\n" {
			t.Errorf("output %q, %q", out, c.Stderr.Bytes())
		}
		for line := range strings.Lines(out) {
			name, _, ok := strings.Cut(line, "=")
			if ok && name != "PATH" && name != "PWD" && name != "_" && name != "SHLVL" && name != "OLDPWD" {
				t.Errorf("the target sees %s", name)
			}
		}
		if _, err := os.Stat(dir); err == nil {
			t.Error("the folder was not removed")
		}
	})
}

func TestStartErrors(t *testing.T) {
	script := t.TempDir() + "/script"
	if err := os.WriteFile(script, []byte("no shebang\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	eachWay(t, func(t *testing.T, namespace bool) {
		for path, want := range map[string]string{
			"/nonexistent": "no such file", "/": "permission denied", script: "exec format error",
		} {
			c := shell("")
			c.Path, c.Namespace = path, namespace
			if _, err := Start(c); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", path, err, want)
			}
		}
		c := shell("true")
		c.Scratch, c.Namespace = "/nonexistent/folder", namespace
		var scratch *ScratchError
		if _, err := Start(c); !errors.As(err, &scratch) || !errors.Is(err, syscall.ENOENT) {
			t.Errorf("a folder that cannot be made: %v", err)
		}
		c = shell("true")
		c.Dir, c.Scratch, c.Namespace = "/nonexistent", filepath.Join(t.TempDir(), "scratch"), namespace
		if _, err := Start(c); err == nil {
			t.Error("started in a folder that does not exist")
		}
		if _, err := os.Stat(c.Scratch); err == nil {
			t.Error("the folder of what did not start is left")
		}
	})
}

// It waits for deadlines of 100 ms and graces of 300 ms.
func TestDeadlineIsPoliteFirst(t *testing.T) {
	eachWay(t, func(t *testing.T, namespace bool) {
		c := shell(`trap "echo asked; exit 4" TERM; while :; do sleep 0.01; done`)
		c.Timeout, c.Namespace = 100*time.Millisecond, namespace
		e := run(t, c)
		if e.Cause != Deadline || e.Code != 4 || string(c.Stdout.Bytes()) != "asked\n" {
			t.Errorf("ending %+v, output %q", e, c.Stdout.Bytes())
		}
		c = shell(`trap "" TERM; while :; do sleep 0.01; done`)
		c.Timeout, c.Namespace = 100*time.Millisecond, namespace
		if e = run(t, c); e.Cause != Deadline || e.Signal != "killed" {
			t.Errorf("ending %+v", e)
		}
	})
}

func TestKill(t *testing.T) {
	eachWay(t, func(t *testing.T, namespace bool) {
		c := shell(`trap "" TERM INT HUP; sleep 1000`)
		c.Namespace = namespace
		p, err := Start(c)
		if err != nil {
			t.Fatal(err)
		}
		p.Kill()
		p.Kill()
		if e := p.Wait(); e.Cause != Killed || e.Signal != "killed" {
			t.Errorf("ending %+v", e)
		}
	})
}

// A keeper that is stopped or killed before it starts anything holds nobody
// up. It is given five seconds to prove that it was not.
func TestLostAtStart(t *testing.T) {
	for _, how := range []string{"stop the keeper", "kill the keeper"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, namespace bool) {
				t.Parallel()
				c := shell("true")
				c.Argv[0], c.Scratch, c.Namespace = how, t.TempDir(), namespace
				// More than a pipe holds: writing the order blocks as well.
				c.Env = append(c.Env, "LARGE="+strings.Repeat("x", 1<<20))
				if _, err := Start(c); err != ErrLost {
					t.Errorf("error %v", err)
				}
				if _, err := os.Stat(c.Scratch); err == nil {
					t.Error("the folder was not removed")
				}
			})
		})
	}
}
