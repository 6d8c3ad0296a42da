package rundir

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// tmpfs mounts a file system of so many bytes.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("cannot mount a small file system, which needs root: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestFullDisk(t *testing.T) {
	root := tmpfs(t, "64k")
	d := create(t, root)
	must(t, d.AppendDecision(plan.Decision{Trials: []plan.Trial{trial("t0001")}}))
	must(t, d.AppendTrial(plan.Finished{Trial: trial("t0001"), Record: record.Record{Status: record.OK, Ops: 3}}))

	full := func(what string, err error) {
		t.Helper()
		var we *WriteError
		if !errors.As(err, &we) || !we.Full() || we.FreeBytes < 0 || !strings.Contains(err.Error(), "bytes free") {
			t.Errorf("%s on a full disk: %v", what, err)
		}
	}
	full("report", d.WriteFile("report.html", func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("x", 1<<20))
		return err
	}))
	if names, _ := filepath.Glob(filepath.Join(d.Path(), "*report*")); len(names) > 0 {
		t.Errorf("half a report is left: %v", names)
	}
	for os.WriteFile(filepath.Join(root, "filler"), make([]byte, 40<<10), 0o666) == nil {
		if os.Rename(filepath.Join(root, "filler"), filepath.Join(root, "full")) != nil {
			break
		}
		if os.WriteFile(filepath.Join(root, "rest"), make([]byte, 20<<10), 0o666) != nil {
			break
		}
	}
	big := plan.Finished{Trial: trial("t0002"), Record: record.Record{Reason: strings.Repeat("y", 60<<10)}}
	full("journal", d.AppendTrial(big))
	full("journal, again", d.AppendNote(Note{Kind: "more"}))
	must(t, d.Close())

	r, err := Open(d.Path())
	must(t, err)
	if r.Torn || len(r.Finished) != 1 {
		t.Errorf("torn %t, %d finished: what was there before must stay", r.Torn, len(r.Finished))
	}
}
