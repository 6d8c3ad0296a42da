package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/rundir"
)

// TestExcerpts reads lines of a module, and nothing that is not of it, however
// a profile names it.
func TestExcerpts(t *testing.T) {
	outside := t.TempDir()
	folder := filepath.Join(outside, "module")
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "// a comment\nmodule example.com/m // another\n\ngo 1.26\n")
	write("a/a.go", "package a\n\nvar mu sync.Mutex\r\n\nfunc F() {\n\tmu.Lock()\n}\n")
	write("sync/mutex.go", "package sync\n\n// not the library's\n")
	write("long.go", "package m\n// "+strings.Repeat("é", 300)+"\n")
	write("binary.go", "package m\n\x00\x01\n")
	write("latin.go", "package m\n// \xe9\n")
	write("huge.go", strings.Repeat("x", excerptMaxBytes+10))
	write("../secret.go", "password\n")
	for name, to := range map[string]string{"out.go": "../secret.go", "abs.go": filepath.Join(outside, "secret.go"), "in.go": "a/a.go", "up": ".."} {
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "fifo.go"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, file, function string
		line, first          int
		lines                []string
		problem              string
	}{
		{name: "a line", file: "a/a.go", line: 6, first: 4, lines: []string{"", "func F() {", "\tmu.Lock()", "}"}},
		{name: "the first line", file: "a/a.go", line: 1, first: 1, lines: []string{"package a", "", "var mu sync.Mutex"}},
		{name: "a link within", file: "in.go", line: 1, first: 1, lines: []string{"package a", "", "var mu sync.Mutex"}},
		{name: "a long line", file: "long.go", line: 2, first: 1, lines: []string{"package m", "// " + strings.Repeat("é", 98) + "…"}},
		{name: "past the end", file: "a/a.go", line: 60, problem: "the file has no line 60 within its first 8 MiB"},
		{name: "absolute", file: "/etc/passwd", line: 1, problem: "outside the module"},
		{name: "above", file: "../secret.go", line: 1, problem: "outside the module"},
		{name: "far above", file: "../../.ssh/id_rsa", line: 1, problem: "outside the module"},
		{name: "above through a folder", file: "a/../../secret.go", line: 1, problem: "outside the module"},
		{name: "a link out", file: "out.go", line: 1, problem: "outside the module"},
		{name: "an absolute link out", file: "abs.go", line: 1, problem: "outside the module"},
		{name: "a folder's link out", file: "up/secret.go", line: 1, problem: "outside the module"},
		{name: "the library's", file: "sync/mutex.go", function: "sync.(*Mutex).Lock", line: 1, problem: "outside the module"},
		{name: "another module's", file: "a/a.go", function: "example.com/mother/a.F", line: 1, problem: "outside the module"},
		{name: "gone", file: "gone.go", line: 1, problem: "the file is gone"},
		{name: "a folder", file: "a", line: 1, problem: "not a regular file"},
		{name: "a FIFO", file: "fifo.go", line: 1, problem: "not a regular file"},
		{name: "binary", file: "binary.go", line: 1, problem: "not a text file"},
		{name: "not UTF-8", file: "latin.go", line: 2, problem: "not a text file"},
		{name: "too large a line", file: "huge.go", line: 2, problem: "the file has no line 2 within its first 8 MiB"},
		{name: "a name with a zero", file: "a/a.go\x00", line: 1, problem: "outside the module"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := analyzer.Limit{File: tc.file, Line: tc.line, Function: "example.com/m/a.F"}
			if tc.function != "" {
				l.Function = tc.function
			}
			done := make(chan bool)
			go func() {
				defer close(done)
				first, lines, err := excerpt(folder, l)
				problem := ""
				if err != nil {
					problem = err.Error()
				}
				if first != tc.first || problem != tc.problem {
					t.Errorf("from line %d, %q; want %d, %q", first, problem, tc.first, tc.problem)
				}
				if diff := cmp.Diff(tc.lines, lines); diff != "" {
					t.Error(diff)
				}
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("it blocks")
			}
		})
	}
}

// TestExcerptsOfForeignRuns keeps what was read in the run directory and reads
// nothing for a run that was not built here, whatever root its manifest names.
func TestExcerptsOfForeignRuns(t *testing.T) {
	res := &analyzer.Result{Workloads: []analyzer.Workload{{Name: "w", Limits: []analyzer.Limit{{File: "a.go", Line: 1, Function: "main.main"}}}}}
	dir := t.TempDir()
	if err := keepExcerpts(dir, res, func(string) string { return "" }); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v written, %v", entries, err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module \"example.com/m\"\n", "a.go": "package main\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := keepExcerpts(dir, res, func(string) string { return folder }); err != nil {
		t.Fatal(err)
	}
	want := &rundir.Excerpt{Workload: "w", File: "a.go", Line: 1, First: 1, Lines: []string{"package main"}}
	if diff := cmp.Diff(want, res.Workloads[0].Limits[0].Excerpt); diff != "" {
		t.Error(diff)
	}
}
