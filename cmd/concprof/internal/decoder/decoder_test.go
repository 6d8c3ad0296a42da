package decoder

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/analyzer/profile/foreign"
)

// The roles that this test plays beside the decoder's, by argv[0]: a hostile
// file has got hold of it and tries to get out, or to take memory.
const (
	escaping = "decoder-test-escaping"
	greedy   = "decoder-test-greedy"
)

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case escaping:
		escape()
	case greedy:
		devour()
	}
	Main()
	os.Exit(m.Run())
}

// escape tries what a reader must not be able to do, and tells what it could.
func escape() {
	if err := confine(); err != nil {
		fmt.Println(err)
	}
	for what, try := range map[string]func() error{
		"open a file":    func() error { _, err := os.Open("/etc/passwd"); return err },
		"make a file":    func() error { _, err := os.Create(os.Args[1]); return err },
		"open a socket":  func() error { _, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0); return err },
		"reach a server": func() error { _, err := net.Dial("tcp", os.Args[2]); return err },
		"raise a limit": func() error {
			return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 100, Max: 100})
		},
	} {
		// Root may raise what it lowered; it could do anything else as well.
		if err := try(); err == nil && (what != "raise a limit" || os.Getuid() != 0) {
			fmt.Println("could", what)
		}
	}
	fmt.Println("done")
	os.Exit(0)
}

func devour() {
	if err := confine(); err != nil {
		fmt.Println(err)
	}
	var kept [][]byte
	for range 64 {
		b := make([]byte, 32<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
	fmt.Println("could take", len(kept), "times 32 MiB")
	os.Exit(0)
}

func role(t *testing.T, role string, args ...string) (stdout, stderr string, state *os.ProcessState) {
	t.Helper()
	self, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args, cmd.Stdout, cmd.Stderr = append([]string{role}, args...), &out, &errs
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState
}

// TestConfined holds that code in the decoder's process reaches no file and no
// server, even when it is not the reader's.
func TestConfined(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	stdout, stderr, _ := role(t, escaping, filepath.Join(t.TempDir(), "made"), server.Addr().String())
	// A test binary that is measured for coverage cannot write what it covered.
	if stdout != "done\n" {
		t.Errorf("it printed %q, %q", stdout, stderr)
	}
}

// noRace skips a test that the race detector's own memory would decide.
func noRace(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("SKIPPED: the race detector takes memory of its own")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	noRace(t)
	stdout, stderr, state := role(t, greedy)
	if got := ending(t.Context(), state, stderr); stdout != "" || got != "it takes more than 512 MiB of memory" {
		t.Errorf("it printed %q and ended with %s: %s", stdout, got, stderr)
	}
}

// TestRead reads the fixtures as they are read in one process.
func TestRead(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "..", "analyzer", "profile", "foreign", "testdata", "*.*"))
	if err != nil || len(files) < 8 {
		t.Fatalf("fixtures %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, refused := foreign.Read(data)
			got, err := Read(t.Context(), file)
			if refused != nil {
				if err == nil || !strings.HasSuffix(err.Error(), refused.Error()) {
					t.Errorf("error %v, want %v", err, refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != want.Kind || got.Note != want.Note {
				t.Errorf("%s, %q, want %s, %q", got.Kind, got.Note, want.Kind, want.Note)
			}
			if diff := cmp.Diff(want.Data.String(), got.Data.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A file near the limits of the bounded reader fits into the memory that its
// process has.
func TestReadLarge(t *testing.T) {
	noRace(t)
	file := filepath.Join(t.TempDir(), "large.txt")
	var b strings.Builder
	for i := range 195_000 {
		fmt.Fprintf(&b, "main (src/app.py:1);f%d (src/a_rather_long_name_of_a_file_%d.py:7) 1\n", i, i)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := Read(t.Context(), file); err != nil || len(p.Data.Sample) != 195_000 {
		t.Errorf("it was not read: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	fifo, text, huge := filepath.Join(dir, "fifo"), filepath.Join(dir, "\x1b[2J"), filepath.Join(dir, "huge")
	for _, err := range []error{
		syscall.Mkfifo(fifo, 0o600), os.WriteFile(text, []byte("<html>"), 0o600),
		os.WriteFile(huge, nil, 0o600), os.Truncate(huge, 1<<40),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		fifo: "not a regular file", dir: "not a regular file", "/dev/zero": "not a regular file",
		filepath.Join(dir, "nosuch"): "no such file or directory",
		text:                         "folded file: line 1: ", huge: "the file is larger than 64 MiB",
	} {
		if file == huge && raceDetector {
			continue // its own memory would come first
		}
		_, err := Read(t.Context(), file)
		var wrong *FileError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ended, text); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestThreadless holds that a reader without a thread is taken for one without
// memory only if it had much.
func TestThreadless(t *testing.T) {
	const complaint = "runtime/cgo: pthread_create failed: Resource temporarily unavailable"
	small := exec.Command("true")
	if err := small.Run(); err != nil {
		t.Skipf("SKIPPED: there is no program to run: %v", err)
	}
	for _, state := range []*os.ProcessState{nil, small.ProcessState} {
		if got := ending(t.Context(), state, complaint); got != "its reader failed: "+complaint {
			t.Errorf("%v: %q", state, got)
		}
	}
}
