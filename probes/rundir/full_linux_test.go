package rundir

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// page is what a tmpfs gives space in.
const page = 4 << 10

// tmpfs mounts a file system of so many bytes.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("SKIPPED: cannot mount a small file system, which needs root: %v", err)
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

// TestDiskFullAtEveryWrite makes a run with one page more room each time, until
// there is enough: whichever write is the first without room says so, nothing is
// half written, and what was there before can be read.
func TestDiskFullAtEveryWrite(t *testing.T) {
	failed := map[string]bool{}
	for pages := 1; ; pages++ {
		if pages > 64 {
			t.Fatal("it never fits")
		}
		root := tmpfs(t, strconv.Itoa(pages*page))
		what, finished := fillRun(t, root)
		failed[what] = true
		filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			if info, err := e.Info(); err == nil && (strings.HasPrefix(e.Name(), ".concprof-") || info.Size() == 0 && e.Name() != "lock" && e.Name() != journalFile) {
				t.Errorf("%d pages: %s of %d bytes is left", pages, path, info.Size())
			}
			return err
		})
		if what != "create" {
			r, err := Open(root)
			if err != nil {
				t.Fatalf("%d pages, %s failed: %v", pages, what, err)
			}
			if len(r.Finished) != finished || r.Torn {
				t.Errorf("%d pages, %s failed: %d trials are there, %d had finished, torn %t", pages, what, len(r.Finished), finished, r.Torn)
			}
		}
		if what == "" {
			break
		}
	}
	for _, what := range []string{"create", "journal", "report", ""} {
		if !failed[what] {
			t.Errorf("no disk was full at %q: %v", what, failed)
		}
	}
}

// fillRun makes a run of four trials with a report after each. It returns what
// failed first for want of room, "" if all fitted, and how many trials were kept.
func fillRun(t *testing.T, root string) (what string, finished int) {
	t.Helper()
	full := func(err error) bool {
		var we *WriteError
		if err != nil && (!errors.As(err, &we) || !we.Full()) {
			t.Errorf("an error that does not say that the disk is full: %v", err)
		}
		return err != nil
	}
	d, err := Create(root, Manifest{Name: "w", Created: time.Now(), Plan: plan.Plan{Seed: 7, Cores: 2}}, []byte("version: 1\n"))
	if full(err) {
		return "create", 0
	}
	defer d.Close()
	for i := range 4 {
		tr := trial("t000" + strconv.Itoa(i+1))
		if full(d.AppendDecision(plan.Decision{Trials: []plan.Trial{tr}})) {
			return "journal", finished
		}
		if full(d.AppendTrial(plan.Finished{Trial: tr, Record: record.Record{Status: record.OK, Ops: 3, Reason: strings.Repeat("y", 1500)}})) {
			return "journal", finished
		}
		finished++
		if full(d.WriteFile("report.txt", func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("x", (i+1)*page))
			return err
		})) {
			return "report", finished
		}
	}
	return "", finished
}
