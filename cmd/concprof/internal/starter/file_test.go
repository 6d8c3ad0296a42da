package starter

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/workload"
)

// TestFileParses holds that whatever was found, the file is one that Parse
// accepts, also when its comments are taken away.
func TestFileParses(t *testing.T) {
	odd := []Func{
		{Package: ".", Name: "Größe", File: "a\nb: [.go", Line: 1, Benchmark: "BenchmarkGröße"},
		{Package: "./v2", Name: "F", File: "v2/f.go", Line: 2, Context: true, Fails: true},
		{Package: "./x/v2", Name: "F", File: "x/v2/f.go", Line: 3, Context: true, Fails: true, Input: Number},
		{Package: "./_x", Name: "Y", File: "y.go", Line: 4, Input: Text, Benchmark: "BenchmarkY"},
		{Package: "./" + strings.Repeat("long", 40), Name: "Z", File: "z.go", Line: 5},
	}
	oddCallables := []Callable{
		{File: "scraper.py", Line: 1, Sync: "fetch", Async: "afetch"},
		{File: "no.py", Line: 2, Async: "no"},
		{File: "a/b.c/d-e.py", Line: 3, Async: "f", Input: Number},
		{File: "b/_x.py", Line: 4, Sync: "_y", Input: Text},
		{File: "z.py", Line: 5, Sync: strings.Repeat("long", 40)},
	}
	for n := range len(odd) + 1 {
		for _, module := range []bool{false, true} {
			found := &Found{Module: module, Funcs: odd[:n], Callables: oddCallables[:n]}
			text := string(found.File())
			for _, src := range []string{text, strings.ReplaceAll(text, "\n  # ", "\n  ")} {
				// Without comments the prose is no YAML; only entries are.
				if src != text && n < len(odd) {
					continue
				}
				if src != text {
					src = entriesOnly(src)
				}
				if _, err := workload.Parse("workload.yaml", []byte(src)); err != nil {
					t.Errorf("%d functions: %v\n%s", n, err, src)
				}
			}
			if found.Summary() == "" {
				t.Errorf("%d functions: no summary", n)
			}
		}
	}
}

// entriesOnly keeps the lines of a file whose comment marks were taken away
// that belong to entries.
func entriesOnly(src string) string {
	var kept []string
	for _, line := range strings.Split(src, "\n") {
		switch word := strings.TrimSpace(strings.SplitN(line, ":", 2)[0]); word {
		case "version", "workloads", "- name", "go", "python", "inputs":
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n") + "\n"
}

// TestFindIsBounded holds that a folder with many files is not read in full,
// and that what cannot be read is passed over.
func TestFindIsBounded(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\n")
	write("a/a.go", "package a\n\nfunc F() error { return nil }\n")
	write("big/big.go", "package big\n\nfunc G() error { return nil }\n//"+strings.Repeat("x", maxFileBytes))
	write("odd name/odd.go", "package odd\n\nfunc H() error { return nil }\n")
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Skipf("SKIPPED: no symbolic link can be made here: %v", err)
	}
	found, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(found.Funcs); len(found.Funcs) != 1 || found.Funcs[0].Name != "F" {
		t.Errorf("found %s, want F alone", got)
	}
}
