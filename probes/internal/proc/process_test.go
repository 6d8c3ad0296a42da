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
		case "kill the keeper":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		Keep()
	}
	os.Exit(m.Run())
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
	dir := t.TempDir()
	c := shell(`echo out; echo err >&2; cat; pwd; env; exit 3`)
	c.Dir, c.Scratch = "/tmp", dir
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
}

func TestStartErrors(t *testing.T) {
	script := t.TempDir() + "/script"
	if err := os.WriteFile(script, []byte("no shebang\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/nonexistent": "no such file", "/": "permission denied", script: "exec format error",
	} {
		c := shell("")
		c.Path = path
		if _, err := Start(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	c := shell("true")
	c.Scratch = "/nonexistent/folder"
	var scratch *ScratchError
	if _, err := Start(c); !errors.As(err, &scratch) || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a folder that cannot be made: %v", err)
	}
	c = shell("true")
	c.Dir, c.Scratch = "/nonexistent", filepath.Join(t.TempDir(), "scratch")
	if _, err := Start(c); err == nil {
		t.Error("started in a folder that does not exist")
	}
	if _, err := os.Stat(c.Scratch); err == nil {
		t.Error("the folder of what did not start is left")
	}
}

// It waits for a deadline of 100 ms and the grace of 300 ms.
func TestDeadlineIsPoliteFirst(t *testing.T) {
	c := shell(`trap "echo asked; exit 4" TERM; while :; do sleep 0.01; done`)
	c.Timeout = 100 * time.Millisecond
	e := run(t, c)
	if e.Cause != Deadline || e.Code != 4 || string(c.Stdout.Bytes()) != "asked\n" {
		t.Errorf("ending %+v, output %q", e, c.Stdout.Bytes())
	}
	c = shell(`trap "" TERM; while :; do sleep 0.01; done`)
	c.Timeout = 100 * time.Millisecond
	if e = run(t, c); e.Cause != Deadline || e.Signal != "killed" {
		t.Errorf("ending %+v", e)
	}
}

func TestKill(t *testing.T) {
	p, err := Start(shell(`trap "" TERM INT HUP; sleep 1000`))
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	p.Kill()
	if e := p.Wait(); e.Cause != Killed || e.Signal != "killed" {
		t.Errorf("ending %+v", e)
	}
}

// A keeper that is stopped or killed before it starts anything holds nobody
// up. It is given five seconds to prove that it was not.
func TestLostAtStart(t *testing.T) {
	for _, how := range []string{"stop the keeper", "kill the keeper"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c := shell("true")
			c.Argv[0], c.Scratch = how, t.TempDir()
			// More than a pipe holds: writing the order blocks as well.
			c.Env = append(c.Env, "LARGE="+strings.Repeat("x", 1<<20))
			if _, err := Start(c); err != ErrLost {
				t.Errorf("error %v", err)
			}
			if _, err := os.Stat(c.Scratch); err == nil {
				t.Error("the folder was not removed")
			}
		})
	}
}
