package runner

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/concprof/concprof/probes/record"
)

// A trial that fills the disk with many small files is ended before it is
// full, and what it wrote is removed.
func TestDiskIsNotFilled(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("SKIPPED: cannot mount a small file system, which needs root: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	j, mark := newJob(t, "many files")
	t.Setenv("TMPDIR", dir)
	rec := runJob(t, j, mark)
	if rec.Status != record.Failed || !strings.Contains(rec.Reason, "bytes free on the file system of its folder for temporary files") {
		t.Errorf("%s: %s", rec.Status, rec.Reason)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
