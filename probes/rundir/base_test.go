package rundir_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/rundir"
)

// pair makes a run directory with a base.
func pair(t *testing.T, root string) (head, base string) {
	t.Helper()
	a := rundir.Against{Side: rundir.SideHead, Revision: "main", Commit: "abc"}
	m := rundir.Manifest{Name: "w", ID: "20261102T093000Z-aaaaaa", Created: time.Unix(0, 0), Against: &a}
	d, err := rundir.Create(root, m, []byte("version: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	of := a
	of.Side = rundir.SideBase
	m.Against = &of
	b, err := d.CreateBase(m, []byte("version: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return d.Path(), b.Path()
}

// The newest run of a folder is the head: its base is opened with it, and by
// its own path, and never in its stead.
func TestBase(t *testing.T) {
	root := t.TempDir()
	head, base := pair(t, root)
	for _, path := range []string{root, filepath.Join(root, "w"), head} {
		r, err := rundir.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Path != head {
			t.Errorf("Open(%s) is %s, want %s", path, r.Path, head)
		}
		b, err := r.OpenBase()
		if err != nil || b == nil || b.Path != base || !r.Beside(b) || b.Beside(r) {
			t.Errorf("the base of %s: %+v, %v", path, b, err)
		}
	}
	b, err := rundir.Open(base)
	if err != nil || b.Manifest.Against.Side != rundir.SideBase {
		t.Errorf("%+v, %v", b, err)
	}
	if of, err := b.OpenBase(); of != nil || err != nil {
		t.Errorf("the base of a base: %+v, %v", of, err)
	}
}

// A base that leads out of the run, or is another run's, is refused.
func TestForeignBase(t *testing.T) {
	head, base := pair(t, t.TempDir())
	_, other := pair(t, t.TempDir())
	r, err := rundir.Open(head)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(base, base+"2"); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		make func() error
		want string
	}{
		"none":   {func() error { return nil }, "no such file"},
		"a link": {func() error { return os.Symlink(other, base) }, "not a folder"},
		"another run's": {func() error {
			text, err := os.ReadFile(filepath.Join(base+"2", "manifest.json"))
			if err != nil {
				return err
			}
			if err := os.CopyFS(base, os.DirFS(other)); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(base, "manifest.json"), []byte(strings.Replace(string(text), "aaaaaa-base", "bbbbbb-base", 1)), 0o666)
		}, "another run's"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tt.make(); err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(base)
			if b, err := r.OpenBase(); b != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("OpenBase: %+v, %v, want %q", b, err, tt.want)
			}
		})
	}
}

// An archive of a head holds its base, and gives it back in place.
func TestArchivedBase(t *testing.T) {
	head, base := pair(t, t.TempDir())
	b, err := rundir.Open(base)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rundir.Open(head)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "run.zip")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	done, err := rundir.WriteArchive(f, r)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if len(done.Others) > 0 {
		t.Errorf("left out: %v", done.Others)
	}
	if r, err = rundir.Open(name); err != nil {
		t.Fatal(err)
	}
	again, err := r.OpenBase()
	if err != nil || again == nil {
		t.Fatalf("the base in an archive: %+v, %v", again, err)
	}
	if again.Manifest.ID != b.Manifest.ID || !r.Beside(again) || !again.IsArchive() {
		t.Errorf("the base in an archive is %+v, want %+v", again.Manifest, b.Manifest)
	}
	// What is archived again is the same.
	var first, second bytes.Buffer
	if _, err := rundir.WriteArchive(&first, r); err != nil {
		t.Fatal(err)
	}
	if r, err = rundir.Open(head); err != nil {
		t.Fatal(err)
	}
	if _, err := rundir.WriteArchive(&second, r); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("an archive of an archive differs from the archive")
	}
}
