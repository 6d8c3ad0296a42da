package rundir

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

func create(t *testing.T, root string) *Dir {
	t.Helper()
	d, err := Create(root, Manifest{Name: "w", Created: time.Now(), Plan: plan.Plan{Seed: 7, Cores: 2}}, []byte("version: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateAppendOpenResume(t *testing.T) {
	d := create(t, t.TempDir())
	must(t, d.AppendDecision(plan.Decision{Trials: []plan.Trial{trial("t0001"), trial("t0002")}, Done: true}))
	must(t, d.AppendTrial(plan.Finished{Trial: trial("t0001"), Record: record.Record{Status: record.OK, Ops: 3}}))

	r, err := Open(d.Path())
	must(t, err)
	if r.Complete || r.Torn || string(r.Source) != "version: 1\n" || r.Manifest.Plan.Seed != 7 {
		t.Errorf("run: %+v", r)
	}
	if left := Unfinished(r.History()); len(left) != 1 || left[0].ID != "t0002" {
		t.Errorf("unfinished: %v", left)
	}

	var busy *BusyError
	if _, _, err := Resume(d.Path()); !errors.As(err, &busy) || busy.PID != os.Getpid() || !strings.Contains(busy.Path, d.Path()) {
		t.Errorf("resuming a run that is being written: %v", err)
	}
	must(t, d.Close())

	// A crash in the middle of a line.
	journal := filepath.Join(d.Path(), journalFile)
	data, err := os.ReadFile(journal)
	must(t, err)
	must(t, os.WriteFile(journal, append(bytes.Clone(data), `deadbeef {"trial":{`...), 0o666))
	if r, err = Open(d.Path()); err != nil || !r.Torn || len(r.Finished) != 1 {
		t.Fatalf("torn journal: %+v, %v", r, err)
	}
	d, r, err = Resume(d.Path())
	must(t, err)
	defer d.Close()
	if !r.Torn {
		t.Error("the journal is not called torn")
	}
	must(t, d.AppendTrial(plan.Finished{Trial: trial("t0002"), Record: record.Record{Status: record.Failed}}))
	r, err = Open(d.Path())
	must(t, err)
	if r.Torn || !r.Complete || len(r.Finished) != 2 {
		t.Errorf("resumed run: complete %t, torn %t, %d finished", r.Complete, r.Torn, len(r.Finished))
	}
}

// What a killed process left half-written goes when the run goes on.
func TestResumeSweeps(t *testing.T) {
	d := create(t, t.TempDir())
	dir, err := d.TrialDir("t0001")
	must(t, err)
	must(t, d.Close())
	half := []string{filepath.Join(d.Path(), ".concprof-123"), filepath.Join(dir, ".concprof-456")}
	for _, name := range append(half, filepath.Join(dir, "cpu.pb.gz")) {
		must(t, os.WriteFile(name, []byte("x"), 0o666))
	}
	d, _, err = Resume(d.Path())
	must(t, err)
	defer d.Close()
	for _, name := range half {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("%s is left", name)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "cpu.pb.gz")); err != nil {
		t.Error(err)
	}
}

func TestComplete(t *testing.T) {
	decide := func(done bool, ids ...string) entry {
		d := &plan.Decision{Done: done}
		for _, id := range ids {
			d.Trials = append(d.Trials, trial(id))
		}
		return entry{Decision: d}
	}
	finish := func(id string) entry { return entry{Trial: &plan.Finished{Trial: trial(id)}} }
	tests := []struct {
		name    string
		entries []entry
		want    bool
	}{
		{"nothing", nil, false},
		{"decided", []entry{decide(false, "a")}, false},
		{"finished but not done", []entry{decide(false, "a"), finish("a")}, false},
		{"done", []entry{decide(false, "a"), finish("a"), decide(true)}, true},
		{"done with a trial left", []entry{decide(true, "a", "b"), finish("a")}, false},
		{"a trial left of an earlier decision", []entry{decide(false, "a"), decide(true)}, false},
		{"done with trials", []entry{decide(true, "a"), finish("a")}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := new(Run)
			r.replay(format(t, tt.entries))
			if r.Complete != tt.want {
				t.Errorf("complete: %t", r.Complete)
			}
		})
	}
}

func TestOpenFindsTheNewest(t *testing.T) {
	root := filepath.Join(t.TempDir(), ".concprof")
	var last string
	for i := range 3 {
		d, err := Create(root, Manifest{Name: "w", Created: time.Date(2026, 5, 1+i, 0, 0, 0, 0, time.UTC)}, nil)
		must(t, err)
		last = d.Path()
		must(t, d.Close())
	}
	for _, path := range []string{last, filepath.Dir(last), root} {
		r, err := Open(path)
		must(t, err)
		if r.Path != last {
			t.Errorf("Open(%s) is %s, want %s", path, r.Path, last)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no run directory") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestOpenReadsNothingOutside(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(outside, []byte("secret"), 0o666))
	d := create(t, t.TempDir())
	dir, err := d.TrialDir("t0001")
	must(t, err)
	must(t, os.Symlink(outside, filepath.Join(dir, "link")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666))
	must(t, os.WriteFile(filepath.Join(dir, "cpu.pb.gz"), []byte("profile"), 0o666))
	r, err := Open(d.Path())
	must(t, err)
	if data, err := r.ReadProfile("t0001", "cpu.pb.gz"); err != nil || string(data) != "profile" {
		t.Errorf("%q, %v", data, err)
	}
	for _, name := range []string{"link", "fifo", "missing", "../../manifest.json", "..", "", "a/b", "/etc/passwd"} {
		if data, err := r.ReadProfile("t0001", name); err == nil {
			t.Errorf("read %q: %q", name, data)
		}
	}
	must(t, os.Remove(filepath.Join(d.Path(), sourceFile)))
	must(t, os.Symlink(outside, filepath.Join(d.Path(), sourceFile)))
	if r, err := Open(d.Path()); err == nil {
		t.Errorf("read a symbolic link: %q", r.Source)
	}
}

func TestNamesAreRefused(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "../x", "a b", "\x1b", strings.Repeat("x", 65), "-v"} {
		if _, err := Create(t.TempDir(), Manifest{Name: name, Created: time.Now()}, nil); err == nil {
			t.Errorf("created a run %q", name)
		}
		d := create(t, t.TempDir())
		if _, err := d.TrialDir(name); err == nil {
			t.Errorf("made a trial %q", name)
		}
	}
}

func TestWriteFileIsWholeOrAbsent(t *testing.T) {
	dir := t.TempDir()
	write := func(text string, err error) error {
		return WriteFile(dir, "a/report.html", func(w io.Writer) error {
			io.WriteString(w, text)
			return err
		})
	}
	broken := errors.New("broken")
	if err := write("half", broken); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	must(t, write("first", nil))
	if err := write("half", broken); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	var names []string
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if !e.IsDir() {
			names = append(names, filepath.Base(path))
		}
		return err
	}))
	if diff := cmp.Diff([]string{"report.html"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if data, _ := os.ReadFile(filepath.Join(dir, "a", "report.html")); string(data) != "first" {
		t.Errorf("content %q", data)
	}
	if err := WriteFile(dir, "../evil", func(io.Writer) error { return nil }); err == nil {
		t.Error("wrote outside the folder")
	}
}

// The run directory's path is a file, or may not be written.
func TestCreateWhereNothingCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o666))
	for _, root := range []string{file, "/proc/concprof", "/dev/null/x"} {
		_, err := Create(root, Manifest{Name: "w", Created: time.Now()}, nil)
		var we *WriteError
		if !errors.As(err, &we) || we.Path == "" {
			t.Errorf("in %s: %v", root, err)
		}
	}
}

// TestClockJumps makes runs under clocks that no machine should have, and trials
// that began before those before them: each run is one of its own, opens, and
// keeps its trials in the order in which they finished.
func TestClockJumps(t *testing.T) {
	root := t.TempDir()
	begun := time.Date(2026, 3, 29, 1, 59, 59, 0, time.UTC)
	seen := map[string]bool{}
	for _, now := range []time.Time{begun, begun, begun.Add(-time.Hour), begun.Add(time.Hour), time.Unix(0, 0), time.Unix(-1e9, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), begun.In(time.FixedZone("elsewhere", 14*3600))} {
		d, err := Create(root, Manifest{Name: "w", Created: now, Plan: plan.Plan{Seed: 7, Cores: 2}}, []byte("version: 1\n"))
		must(t, err)
		if seen[d.Path()] {
			t.Errorf("%v: the run %s is another's", now, d.Path())
		}
		seen[d.Path()] = true
		ids := []string{"t0001", "t0002", "t0003"}
		for i, id := range ids {
			must(t, d.AppendTrial(plan.Finished{Trial: trial(id), Record: record.Record{Status: record.OK, Ops: 1, StartedNs: now.Add(-time.Duration(i) * time.Hour).UnixNano()}}))
		}
		must(t, d.Close())
		r, err := Open(d.Path())
		must(t, err)
		for i, f := range r.Finished {
			if f.Trial.ID != ids[i] {
				t.Errorf("%v: trial %d is %s", now, i, f.Trial.ID)
			}
		}
		if len(r.Finished) != len(ids) || !r.Manifest.Created.Equal(now) {
			t.Errorf("%v: %d trials, created %v", now, len(r.Finished), r.Manifest.Created)
		}
	}
}
