// Package starter writes a first workload file for a folder, from what the
// Go and Python files in it say. It parses them and runs nothing.
package starter

import (
	"cmp"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds on what is looked at, so that a folder of any size is done in a
// second or two.
const (
	maxFiles     = 3000
	maxFileBytes = 512 << 10
	maxDepth     = 12
)

// Found is what a folder has to start from.
type Found struct {
	Module bool // the folder is in a Go module
	// Funcs are functions that can be an op, the best candidates first.
	Funcs []Func
	// Callables are those of Python files.
	Callables []Callable
}

// A Func is a function that can be an op.
type Func struct {
	Package   string // relative to the folder: "./internal/thumb"
	Name      string
	File      string // relative to the folder
	Line      int
	Benchmark string // the benchmark that calls it, or ""
	Input     Input
	Context   bool // takes a context
	Fails     bool // returns an error
}

// Input is what a function takes.
type Input string

// The inputs.
const (
	NoInput Input = ""
	Number  Input = "number" // the op's number will do
	Text    Input = "text"   // a line of a file
)

// ready reports whether f can be measured without more being said, and
// somebody meant it to be called again and again: it has a benchmark, or it
// takes a context and may fail.
func (f Func) ready() bool {
	return f.Input != Text && (f.Benchmark != "" || f.Context && f.Fails)
}

// Find looks at a folder and those below it.
func Find(dir string) (*Found, error) {
	found := &Found{}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	found.Module = inModule(abs)
	s := &scan{root: dir, module: found.Module, benchmarks: map[string][]string{}}
	if err := filepath.WalkDir(dir, s.visit); err != nil {
		return nil, err
	}
	found.Funcs, found.Callables = s.ranked(), rankedCallables(s.callables)
	return found, nil
}

func inModule(dir string) bool {
	for {
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && info.Mode().IsRegular() {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

// A scan walks a tree of Go and Python files.
type scan struct {
	root       string
	module     bool // Go files are read
	files      int
	funcs      []Func
	callables  []Callable
	benchmarks map[string][]string // names by package
}

func (s *scan) visit(p string, entry fs.DirEntry, err error) error {
	if err != nil {
		if p == s.root {
			return err
		}
		return nil // a folder that cannot be read has nothing to offer
	}
	rel, err := filepath.Rel(s.root, p)
	if err != nil {
		return err
	}
	if entry.IsDir() {
		if rel != "." && (skipped(entry.Name()) || nested(p) || strings.Count(rel, string(filepath.Separator)) >= maxDepth) {
			return filepath.SkipDir
		}
		return nil
	}
	python := filepath.Ext(p) == ".py"
	if !python && (filepath.Ext(p) != ".go" || !s.module) || !entry.Type().IsRegular() {
		return nil
	}
	if s.files++; s.files > maxFiles {
		return filepath.SkipAll
	}
	if info, err := entry.Info(); err != nil || info.Size() > maxFileBytes {
		return nil
	}
	if python {
		s.readPython(p, filepath.ToSlash(rel))
	} else {
		s.read(p, filepath.ToSlash(rel))
	}
	return nil
}

// skipped names folders that hold no code of the module's own.
func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "vendor" || name == "testdata" || name == "node_modules"
}

// nested reports whether a folder is a Go module of its own, or a Python
// environment.
func nested(dir string) bool {
	for _, mark := range []string{"go.mod", "pyvenv.cfg"} {
		if _, err := os.Stat(filepath.Join(dir, mark)); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

func (s *scan) read(p, rel string) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, p, nil, parser.SkipObjectResolution)
	if err != nil {
		return // what does not parse cannot be measured either
	}
	pkg := "./" + path.Dir(rel)
	if path.Dir(rel) == "." {
		pkg = "."
	}
	if !plain(pkg) {
		return // a package cannot be imported by such a path
	}
	test := strings.HasSuffix(rel, "_test.go")
	for _, decl := range f.Decls {
		d, ok := decl.(*ast.FuncDecl)
		if !ok || d.Recv != nil {
			continue
		}
		if test {
			if name, ok := strings.CutPrefix(d.Name.Name, "Benchmark"); ok && name != "" {
				s.benchmarks[pkg] = append(s.benchmarks[pkg], name)
			}
			continue
		}
		if fn, ok := describe(d); ok {
			fn.Package, fn.File, fn.Line = pkg, rel, files.Position(d.Pos()).Line
			s.funcs = append(s.funcs, fn)
		}
	}
}

// plain reports whether a path is what Go takes for an import path, without
// the rarer characters, which YAML would want in quotes.
func plain(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-") == ""
}

// ranked returns the functions, the best candidates first.
func (s *scan) ranked() []Func {
	for i := range s.funcs {
		f := &s.funcs[i]
		for _, b := range s.benchmarks[f.Package] {
			rest, ok := strings.CutPrefix(strings.TrimPrefix(b, "_"), f.Name)
			if ok && (rest == "" || rest[0] == '_' || rest[0] >= 'A' && rest[0] <= 'Z') {
				f.Benchmark = "Benchmark" + b
				break
			}
		}
	}
	rank := func(f Func) int {
		n := 0
		if !f.ready() {
			n += 4
		}
		if f.Benchmark == "" {
			n += 2
		}
		if !f.Fails {
			n++
		}
		return n
	}
	slices.SortFunc(s.funcs, func(a, b Func) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return s.funcs
}
