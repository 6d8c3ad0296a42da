package gofunc

import (
	"bytes"
	"encoding/json"
	gobuild "go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// moduleDir returns where the module is on this machine, in the version that
// go.mod asks for.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-json", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(out, &m); err != nil || m.Dir == "" {
		t.Fatalf("go list -m %s: %s: %v", module, out, err)
	}
	return m.Dir
}

// TestThirdParty holds the copies in third_party to the modules in go.mod.
// To renew them, copy the files over.
func TestThirdParty(t *testing.T) {
	tests := []struct {
		copies, module, dir string
		files               []string // nil: all of the package
	}{
		{"third_party/fgprof", "github.com/felixge/fgprof", ".", []string{"fgprof.go"}}, // handler.go serves HTTP
		{"third_party/pprof", "github.com/google/pprof", "profile", nil},
	}
	for _, tt := range tests {
		t.Run(tt.module, func(t *testing.T) {
			root := moduleDir(t, tt.module)
			dir := filepath.Join(root, tt.dir)
			want := tt.files
			if want == nil {
				want = goFiles(t, dir)
			}
			for _, name := range want {
				compare(t, filepath.Join(tt.copies, name+".txt"), filepath.Join(dir, name))
			}
			for _, licence := range []string{"LICENSE", "LICENSE.txt"} {
				if _, err := os.Stat(filepath.Join(root, licence)); err == nil {
					compare(t, filepath.Join(tt.copies, "LICENSE.txt"), filepath.Join(root, licence))
				}
			}
			copies, err := filepath.Glob(filepath.Join(tt.copies, "*.go.txt"))
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, name := range copies {
				have = append(have, strings.TrimSuffix(filepath.Base(name), ".txt"))
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("copied files (-want +have):\n%s", diff)
			}
		})
	}
}

func compare(t *testing.T, have, want string) {
	t.Helper()
	a, err := os.ReadFile(have)
	if err != nil {
		t.Error(err)
		return
	}
	b, err := os.ReadFile(want)
	if err != nil {
		t.Error(err)
		return
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s is not the file in the version that go.mod asks for", have)
	}
}

// goFiles lists the sources of a package but for its tests.
func goFiles(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range all {
		if !strings.HasSuffix(name, "_test.go") {
			names = append(names, filepath.Base(name))
		}
	}
	sort.Strings(names)
	return names
}

// TestSourcesComplete holds the list in each package's source.go to its
// folder, so that a new file is not forgotten.
func TestSourcesComplete(t *testing.T) {
	for _, b := range bundles()[:3] {
		t.Run(b.name, func(t *testing.T) {
			var want []string
			for _, name := range goFiles(t, filepath.Join("..", "..", b.name)) {
				if name != "source.go" {
					want = append(want, name)
				}
			}
			have, err := b.sourceFiles()
			if err != nil {
				t.Fatal(err)
			}
			sort.Strings(have)
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("files that probes/%s/source.go embeds (-folder +embedded):\n%s", b.name, diff)
			}
		})
	}
}

// TestSourcesSelfContained checks that what is put into a user's module
// imports nothing but the standard library and itself, and is lifted to its
// own language version.
func TestSourcesSelfContained(t *testing.T) {
	files, err := sources("example.com/user")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if !bytes.Contains(text, []byte("//go:build go1.22")) {
			t.Errorf("%s: no go:build line with go1.22", name)
		}
		f, err := parseImports(name, text)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, p := range f {
			folder, ours := strings.CutPrefix(p, "example.com/user/")
			switch {
			case ours && hasFolder(files, folder):
			case !ours && !strings.Contains(strings.Split(p, "/")[0], "."):
				if _, err := gobuild.Import(p, "", gobuild.FindOnly); err != nil {
					t.Errorf("%s imports %s: %v", name, p, err)
				}
			default:
				t.Errorf("%s imports %s, which the user's module may not have", name, p)
			}
		}
	}
}

func parseImports(name string, text []byte) ([]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}

func hasFolder(files map[string][]byte, folder string) bool {
	for name := range files {
		if path.Dir(name) == folder {
			return true
		}
	}
	return false
}

func TestRewrite(t *testing.T) {
	moved := map[string]string{"a.com/b": "user/b"}
	tests := []struct{ name, src, want string }{
		{"imports", "package p\n\nimport (\n\t\"fmt\"\n\tx \"a.com/b\"\n)\n",
			"//go:build go1.22\n\npackage p\n\nimport (\n\t\"fmt\"\n\tx \"user/b\"\n)\n"},
		{"string that looks like one", "package p\n\nconst s = \"a.com/b\"\n",
			"//go:build go1.22\n\npackage p\n\nconst s = \"a.com/b\"\n"},
		{"constraint", "// Copyright\n\n//go:build linux || darwin\n\npackage p\n",
			"// Copyright\n\n//go:build go1.22 && (linux || darwin)\n\npackage p\n"},
		{"comment that looks like a constraint", "package p\n\n//go:build linux\n",
			"//go:build go1.22\n\npackage p\n\n//go:build linux\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := rewrite("p.go", []byte(tt.src), moved)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("rewritten file (-want +got):\n%s", diff)
			}
		})
	}
}
