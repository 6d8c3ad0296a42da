package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mount mounts a small file system below the bench, or skips the test.
func (b *bench) mount(t *testing.T, name, options string) string {
	t.Helper()
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("SKIPPED: cannot mount a small file system, which needs root: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill leaves so many bytes free.
func fill(t *testing.T, dir string, rest int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	io.Copy(f, strings.NewReader(strings.Repeat("x", 4<<20))) //nolint:errcheck // until there is no room
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(size - rest); err != nil {
		t.Fatal(err)
	}
}

// TestFullDisk fills the disk at three places: as the run writes its journal
// and profiles, and as its reports are written. It is said once, with what is
// free; what was measured stays, and the run goes on when there is room.
func TestFullDisk(t *testing.T) {
	b := newBench(t)
	disk := b.mount(t, "runs", "size=3m")
	args := []string{"analyze", "nap.yaml", "-m", "sequential,pool", "-c", "1,2", "--budget", "6s", "--dir", "runs"}
	check := func(what string, code int, stderr string) {
		t.Helper()
		if code != 74 || strings.Count(stderr, "no space left on device") != 1 || !strings.Contains(stderr, "bytes free") {
			t.Errorf("%s: exit code %d:\n%s", what, code, stderr)
		}
		filepath.WalkDir(disk, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if name := d.Name(); err == nil && name != "lock" && (info.Size() == 0 && name != "journal.jsonl" || strings.HasPrefix(name, ".concprof-")) {
				t.Errorf("%s: %s of %d bytes is left", what, name, info.Size())
			}
			return err
		})
	}
	fill(t, disk, 40<<10)
	code, _, stderr := b.concprof(t, args...)
	check("measuring", code, stderr)
	_, before, _ := b.concprof(t, "report", "latest", "--dir", "runs", "--format", "json")
	if !strings.Contains(before, `"complete": false`) {
		t.Errorf("the run cannot be opened, or is called complete:\n%.500s", before)
	}
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := b.concprof(t, "analyze", "--resume", "latest", "--dir", "runs")
	if code != 0 || !strings.HasPrefix(stdout, "nap: ") || !strings.Contains(stderr, "kept from before: ") {
		t.Fatalf("resuming with room: exit code %d:\n%s%s", code, stdout, stderr)
	}

	derived, err := filepath.Glob(filepath.Join(disk, "nap", "*", "[^tmjwl]*"))
	if err != nil || len(derived) != 5 {
		t.Fatalf("derived: %v, %v", derived, err)
	}
	for _, name := range derived {
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, disk, 8<<10)
	code, again, stderr := b.concprof(t, "analyze", "latest", "--dir", "runs")
	check("reporting", code, stderr)
	if again != stdout {
		t.Errorf("what cannot be kept can still be read, but it read:\n%s", again)
	}
}

// TestReadOnlyDisk: that nothing can be kept is found before anything runs.
func TestReadOnlyDisk(t *testing.T) {
	b := newBench(t)
	b.mount(t, "runs", "ro,size=1m")
	code, stdout, stderr := b.concprof(t, "analyze", "nap.yaml", "--dir", "runs")
	if code != 74 || stdout != "" || !strings.Contains(stderr, "read-only file system") || strings.Contains(stderr, "one op took") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
}

// TestIgnoredInterrupt: a run that was started with SIGINT ignored, as by nohup
// or a shell's &, goes on when there is one, and still ends by SIGTERM.
func TestIgnoredInterrupt(t *testing.T) {
	b := newBench(t)
	cmd := b.command("sh", "-c", `trap "" INT; exec concprof analyze nap.yaml --budget 8s`)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		switch {
		case strings.Contains(lines.Text(), "one op took"):
			err = cmd.Process.Signal(syscall.SIGINT)
		case strings.Contains(lines.Text(), "classifying"):
			err = cmd.Process.Signal(syscall.SIGTERM)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd.Wait() //nolint:errcheck // the state tells
	if code := cmd.ProcessState.ExitCode(); code != 143 || !strings.Contains(said.String(), "interrupted by terminated") {
		t.Errorf("exit code %d:\n%s", code, said.String())
	}
}
