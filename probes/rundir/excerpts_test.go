package rundir

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExcerpts reads back what was kept, and takes what is no such file for
// nothing: a run is judged without it.
func TestExcerpts(t *testing.T) {
	kept := []Excerpt{{Workload: "w", File: "a/a.go", Line: 6, First: 4, Lines: []string{"", "\tmu.Lock() // <\x1b>"}}, {Workload: "w", File: "../b.go", Line: 1, Problem: "outside the module"}}
	d := create(t, t.TempDir())
	must(t, WriteExcerpts(d.Path(), kept))
	r, err := Open(d.Path())
	must(t, err)
	if diff := cmp.Diff(kept, r.Excerpts); diff != "" {
		t.Error(diff)
	}

	outside := filepath.Join(t.TempDir(), "outside.json")
	must(t, os.WriteFile(outside, []byte(`[{"workload": "w", "file": "a", "line": 1}]`), 0o644))
	file := filepath.Join(d.Path(), excerptsFile)
	for name, put := range map[string]func() error{
		"missing":   func() error { return nil },
		"no JSON":   func() error { return os.WriteFile(file, []byte("["), 0o644) },
		"no list":   func() error { return os.WriteFile(file, []byte(`{"workload": "w"}`), 0o644) },
		"too large": func() error { return os.WriteFile(file, []byte("["+strings.Repeat(" ", maxExcerptsBytes)+"]"), 0o644) },
		"a link":    func() error { return os.Symlink(outside, file) },
		"a FIFO":    func() error { return syscall.Mkfifo(file, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.RemoveAll(file))
			must(t, put())
			r, err := Open(d.Path())
			must(t, err)
			if len(r.Excerpts) > 0 {
				t.Errorf("it holds %v", r.Excerpts)
			}
		})
	}
	must(t, os.RemoveAll(file))
	must(t, os.WriteFile(file, []byte("["+strings.Repeat("{},", maxExcerpts+5)+"{}]"), 0o644))
	if r, err = Open(d.Path()); err != nil || len(r.Excerpts) != maxExcerpts {
		t.Errorf("%d excerpts, %v", len(r.Excerpts), err)
	}
}
