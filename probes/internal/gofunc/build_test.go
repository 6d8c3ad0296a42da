package gofunc

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// These tests compile and run real probes. They share the build cache of
// whoever runs them, and build with -trimpath, or the temporary folder's name
// would be a part of every entry of it. So it is mostly linking that takes
// their time, some seconds a test.

// extract writes an archive of testdata into a folder and returns it.
func extract(t *testing.T, archive string) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", archive))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(a.Files, txtar.File{Name: "workload.yaml"}) {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// digest sums up a tree: names, modes and contents.
func digest(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, name, info.Mode(), info.ModTime().UnixNano())
		if d.Type().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			h.Write(data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// goEnv is the environment of a machine without network. A go.work of this
// repository's surroundings must not reach the test's modules.
func goEnv(more ...string) []string {
	return append(append(os.Environ(), "GOPROXY=off", "GOFLAGS=-trimpath", "GOWORK="), more...)
}

// dry runs one op of the function that key names and returns what it
// returned.
func dry(t *testing.T, b *Binary, key, setup, line string) string {
	t.Helper()
	input := filepath.Join(t.TempDir(), "inputs")
	if err := os.WriteFile(input, []byte(line+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(harness.Spec{
		Version: record.ProtocolVersion, Token: "t", Trial: "t", Model: model.Sequential, Concurrency: 1, Cores: 1,
		Steps:  []harness.Step{{Name: "f", Kind: harness.KindGo, Func: key}},
		Inputs: &harness.Inputs{File: input}, Setup: setup, Mode: harness.ModeDry,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range probe(t, b, spec) {
		switch {
		case e.Kind == record.Fatal:
			return "fatal in " + string(e.Stage) + ": " + e.Reason
		case e.Kind == record.End && e.Record != nil && e.Record.Dry != nil:
			if text, err := strconv.Unquote(e.Record.Dry.Result); err == nil {
				return text // a text is shown quoted
			}
			return e.Record.Dry.Result
		}
	}
	t.Fatalf("%s: the probe reported no result", key)
	return ""
}

// probe runs a probe process, with files as its descriptors from
// record.CPUProfileFD on, and returns what it wrote to record.ResultFD.
func probe(t *testing.T, b *Binary, spec []byte, files ...*os.File) []record.Event {
	t.Helper()
	resultR, resultW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	specR, specW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(b.Path)
	cmd.Dir = b.ModuleDir
	cmd.ExtraFiles = append([]*os.File{resultW, specR}, files...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	resultW.Close()
	specR.Close()
	if _, err := specW.Write(spec); err != nil {
		t.Error(err)
	}
	specW.Close()
	var events []record.Event
	for s := bufio.NewScanner(resultR); s.Scan(); {
		var e record.Event
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Error(err)
		}
		events = append(events, e)
	}
	resultR.Close()
	cmd.Wait() // a fatal event comes with a failure
	if output.Len() > 0 {
		t.Errorf("the probe printed %s", &output)
	}
	return events
}

func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: probes are built")
	}
	type call struct{ pkg, expr, in, out string }
	tests := []struct {
		name    string
		archive string
		dir     string // below the tree
		tags    []string
		env     []string
		setup   string
		cgo     bool
		calls   []call
	}{
		{
			name: "internal, unexported, methods, closures, main", archive: "internal.txt", setup: "open",
			calls: []call{
				{"./internal/thumb", "Render", "a", "aa"},
				{"./internal/thumb", "func() func() { panic(\"no database\") }()", "a",
					"fatal in setup: step f: evaluating ./internal/thumb.func() func() { panic(\"no database\") }() panicked: no database"},
				{"./internal/thumb", "func() func() string { s := Opened; return func() string { return s } }()", "a", "opened"},
				{"./internal/thumb", "render", "a", "<a>"},
				{"./internal/thumb", "fresh.Render", "a", "A+"},
				{"./internal/thumb", "(&Renderer{suffix: \"-\"}).Render", "a", "A-"},
				{"./internal/thumb", "func(s string) string { return str.Repeat(s, 3) + Opened }", "a", "aaaopened"},
				{"./internal/thumb", "func(p string) (string, error) { u, err := url.Parse(p); return u.Host, err }", "http://h/", "h"},
				{"./internal/thumb", "\n\n// a comment\nrender // another\n", "a", "<a>"},
				{"./internal/thumb", "\nRender\n", "b", "bb"},
				{"example.com/tree/internal/thumb", "Old", "a", "3"},
				{"./a/internal/b/internal/c", "Double", "21", "42"},
				{"./a/internal/b/internal/c", "triple", "5", "15"},
				{"./cmd/tool", "greet", "you", "hello you"},
				{"./internal/thumb", "func(n int) (int, error) { return 0, nil }", "x",
					"fatal in setup: ./internal/thumb.func(n int) (int, error) { return 0, nil } takes int, but is given the text \"x\": " +
						"strconv.ParseInt: parsing \"x\": invalid syntax"},
			},
		},
		{name: "vendor", archive: "vendor.txt", env: []string{"GOFLAGS=-trimpath -mod=vendor"}, calls: []call{{"./page", "Shout", "a", "a!"}}},
		{name: "workspace", archive: "work.txt", dir: "one", calls: []call{
			{".", "Both", "a", "one two a"}, {"../two", "Two", "a", "two a"}, {"example.com/two/internal/deep", "Deep", "a", "deep a"},
		}},
		{name: "generic, embed", archive: "generic.txt", calls: []call{
			{".", "Note", "-", "embedded"}, {".", "Sum[int]", "[1, 2]", "3"}, {".", "Kind", "-", "slow"},
		}},
		{name: "tags", archive: "generic.txt", tags: []string{"fast"}, calls: []call{{".", "Kind", "-", "fast"}}},
		{name: "cgo", archive: "cgo.txt", cgo: true, calls: []call{
			{"./c", "Add", "2", "42"}, {"./c", "add", "2", "43"}, {"./cmd/c", "twice", "4", "8"},
		}},
		{name: "toolexec and cross-compilation are left out", archive: "vendor.txt",
			env: []string{"GOFLAGS=-trimpath -mod=vendor '-toolexec=false x'", "GOOS=plan9", "GOARCH=arm"}, calls: []call{{"./page", "Shout", "a", "a!"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := exec.LookPath("gcc"); tt.cgo && err != nil {
				t.Skip("SKIPPED: no gcc: building packages with C code is not tested here")
			}
			tree := extract(t, tt.archive)
			before := digest(t, tree)
			r := Request{
				Tags: tt.tags, Dir: filepath.Join(tree, tt.dir), File: filepath.Join(tree, tt.dir, "workload.yaml"),
				Out: t.TempDir(), Env: goEnv(tt.env...),
			}
			for _, c := range tt.calls {
				r.add(Func{Package: c.pkg, Expr: c.expr, Line: 3})
			}
			setup := ""
			if tt.setup != "" {
				r.add(Func{Package: tt.calls[0].pkg, Expr: tt.setup})
				setup = Key(tt.calls[0].pkg, tt.setup)
			}
			b, err := Build(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range tt.calls {
				if got := dry(t, b, Key(c.pkg, c.expr), setup, c.in); got != c.out {
					t.Errorf("%s.%s(%s) = %q, want %q", c.pkg, c.expr, c.in, got, c.out)
				}
			}
			if after := digest(t, tree); after != before {
				t.Error("the user's tree was changed")
			}
		})
	}
}

// TestTrialInOldModule runs whole trials, timed and profiled, inside a
// vendored module of Go 1.12 without network.
func TestTrialInOldModule(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a probe is built")
	}
	fn := Func{Package: "./page", Expr: "func(s string) string { time.Sleep(time.Millisecond); return dep.Shout(s) }"}
	b, err := Build(context.Background(), Request{
		Dir: extract(t, "vendor.txt"), Out: t.TempDir(), Env: goEnv("GOFLAGS=-trimpath -mod=vendor"), Funcs: []Func{fn},
	})
	if err != nil {
		t.Fatal(err)
	}
	inputs := filepath.Join(t.TempDir(), "inputs")
	if err := os.WriteFile(inputs, []byte("a\nb\nc\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	const ops = 400
	run := func(m model.Model, mode harness.Mode, files ...*os.File) *record.Record {
		t.Helper()
		spec, err := json.Marshal(harness.Spec{
			Version: record.ProtocolVersion, Token: "t", Trial: "t", Model: m, Concurrency: 4, Cores: 2, Ops: ops,
			Steps:  []harness.Step{{Name: "f", Kind: harness.KindGo, Func: Key(fn.Package, fn.Expr)}},
			Inputs: &harness.Inputs{File: inputs}, Mode: mode, Scratch: t.TempDir(),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range probe(t, b, spec, files...) {
			switch e.Kind {
			case record.Fatal:
				t.Fatalf("%s, %s: fatal in %s: %s", m, mode, e.Stage, e.Reason)
			case record.End:
				if e.Record.Status != record.OK || e.Record.Ops != ops || e.Record.FailedOps != 0 {
					t.Errorf("%s, %s: trial is %s, %d ops, %d failed", m, mode, e.Record.Status, e.Record.Ops, e.Record.FailedOps)
				}
				return e.Record
			}
		}
		t.Fatalf("%s, %s: no result", m, mode)
		return nil
	}
	sequential := run(model.Sequential, harness.ModeTiming)
	for _, m := range []model.Model{model.Pool, model.Goroutines, model.Processes} {
		rec := run(m, harness.ModeTiming)
		if agree, n := sequential.Digest.Compare(rec.Digest); !agree || n != ops {
			t.Errorf("%s: digest agrees: %v, over %d of %d ops", m, agree, n, ops)
		}
	}

	var files []*os.File
	for _, name := range []string{"cpu", "wall"} {
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	run(model.Goroutines, harness.ModeProfile, files...)
	data, err := os.ReadFile(files[1].Name())
	if err != nil {
		t.Fatal(err)
	}
	wall, err := profile.ParseData(data)
	if err != nil {
		t.Fatal(err)
	}
	if !mentions(wall, "/zz_concprof_harness.runOp") || !mentions(wall, "example.com/tree/page.") {
		t.Error("the wall profile has no stack from the op's anchor to the user's function")
	}
}

// mentions reports whether a stack of p has a function with part in its name.
func mentions(p *profile.Profile, part string) bool {
	for _, f := range p.Function {
		if strings.Contains(f.Name, part) {
			return true
		}
	}
	return false
}

// TestBuildReadOnly builds from a tree that nobody may write to, below a
// symbolic link.
func TestBuildReadOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a probe is built")
	}
	tree := extract(t, "vendor.txt")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(tree, link); err != nil {
		t.Skipf("SKIPPED: no symbolic link can be made here: %v", err)
	}
	chmod := func(mode fs.FileMode) {
		filepath.WalkDir(tree, func(name string, d fs.DirEntry, err error) error {
			if d.IsDir() {
				return os.Chmod(name, mode|0o111)
			}
			return os.Chmod(name, mode)
		})
	}
	chmod(0o444)
	t.Cleanup(func() { chmod(0o755) })
	before := digest(t, tree)
	b, err := Build(context.Background(), Request{
		Dir: link, Out: t.TempDir(), Env: goEnv("GOFLAGS=-trimpath -mod=vendor"), Funcs: []Func{{Package: "./page", Expr: "Shout"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := dry(t, b, "./page.Shout", "", "a"); got != "a!" {
		t.Errorf("Shout(a) = %q", got)
	}
	if after := digest(t, tree); after != before {
		t.Error("the user's tree was changed")
	}
}
