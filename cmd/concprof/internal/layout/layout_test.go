package layout

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../../../.."

// TestLayout reads every Go file of the module, tests included.
func TestLayout(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		base := path.Base(rel)
		switch {
		case d.IsDir() && (base == "testdata" || base == "third_party" || base != "." && strings.HasPrefix(base, ".")):
			return filepath.SkipDir // other modules, other people's sources
		case d.IsDir() || path.Ext(rel) != ".go":
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files++
		for _, v := range check(rel, src) {
			t.Error(v)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("only %d files found: the rules were not looked at", files)
	}
}

// check returns what is against the rules in one file, named relative to the
// module's root.
func check(file string, src []byte) []string {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	c := &checker{file: file, folder: path.Dir(file), test: strings.HasSuffix(file, "_test.go"), fset: fset}
	for _, spec := range f.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err == nil {
			c.checkImport(spec, imported)
		}
	}
	c.checkBody(f)
	if n := fset.Position(f.FileEnd).Line; path.Base(file) == "main.go" && path.Dir(c.folder) == "cmd" && n > maxMain {
		c.say(f, "main.go has %d lines, at most %d", n, maxMain)
	}
	return c.found
}

type checker struct {
	file, folder string
	test         bool
	fset         *token.FileSet
	found        []string
}

func (c *checker) say(at ast.Node, format string, a ...any) {
	c.found = append(c.found, fmt.Sprintf("%s: %s", c.fset.Position(at.Pos()), fmt.Sprintf(format, a...)))
}

func (c *checker) checkImport(at ast.Node, imported string) {
	own, isOwn := strings.CutPrefix(imported, module+"/")
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case isOwn:
		c.checkRoom(at, own)
	case strings.Contains(first, "."):
		c.checkHome(at, imported)
	case imported == "unsafe" && !slices.Contains(unsafeFolders, c.folder):
		c.say(at, "unsafe is only for system calls that take a pointer")
	case forbidden[imported] != "":
		c.say(at, "%s: %s", imported, forbidden[imported])
	}
}

func (c *checker) checkRoom(at ast.Node, imported string) {
	var mine *room
	for i := range rooms {
		if r := &rooms[i]; below(c.folder, r.folder) && (mine == nil || len(r.folder) > len(mine.folder)) {
			mine = r
		}
	}
	if mine == nil {
		c.say(at, "%s is in no room of the layout", c.folder)
		return
	}
	allowed := below(imported, c.folder) || slices.Contains(mine.only, imported) ||
		slices.ContainsFunc(mine.may, func(folder string) bool { return below(imported, folder) })
	if !allowed {
		c.say(at, "%s must not import %s", mine.folder, imported)
	}
}

func (c *checker) checkHome(at ast.Node, imported string) {
	var best []home // of the longest path
	for _, h := range homes {
		switch {
		case !below(imported, h.path) || len(best) > 0 && len(h.path) < len(best[0].path):
		case len(best) > 0 && h.path == best[0].path:
			best = append(best, h)
		default:
			best = []home{h}
		}
	}
	if len(best) == 0 {
		c.say(at, "%s has no home: say in rules_test.go where it may be imported, and in CONTRIBUTING.md why it is there", imported)
		return
	}
	var folders []string
	testsOnly := false
	for _, h := range best {
		folders = append(folders, h.folders...)
		switch {
		case !slices.ContainsFunc(h.folders, func(folder string) bool { return below(c.folder, folder) }):
		case h.tests && !c.test:
			testsOnly = true
		default:
			return
		}
	}
	if testsOnly {
		c.say(at, "%s is for tests only", imported)
		return
	}
	c.say(at, "%s is at home in %s", imported, strings.Join(folders, ", "))
}

// checkSkip holds that what skips a test is found: go test -v ./... lists it by one
// word. A fuzz target that passes over an input says nothing.
func (c *checker) checkSkip(call *ast.CallExpr) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !c.test || sel.Sel.Name != "Skip" && sel.Sel.Name != "Skipf" || len(call.Args) == 0 {
		return
	}
	if on, ok := sel.X.(*ast.Ident); !ok || !slices.Contains([]string{"t", "b", "f", "tb"}, on.Name) {
		return
	}
	if text, ok := call.Args[0].(*ast.BasicLit); !ok || !strings.HasPrefix(text.Value, `"SKIPPED: `) {
		c.say(call, `a skip says "SKIPPED: " and why`)
	}
}

// checkBody looks for init functions, for ends of the process and for skips.
func (c *checker) checkBody(f *ast.File) {
	names := map[string]string{} // of the packages that can end the process
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if exits[p] == nil {
			continue
		}
		if spec.Name != nil {
			names[spec.Name.Name] = p
		} else {
			names[p] = p
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				c.say(n, "no init functions: state comes in as a parameter")
			}
		case *ast.CallExpr:
			c.checkSkip(n)
		case *ast.SelectorExpr:
			pkg, ok := n.X.(*ast.Ident)
			if ok && slices.Contains(exits[names[pkg.Name]], n.Sel.Name) && !c.mayExit() {
				c.say(n, "%s.%s: only entry points of processes end them", pkg.Name, n.Sel.Name)
			}
		}
		return true
	})
}

func (c *checker) mayExit() bool { return c.test || slices.Contains(exitFolders, c.folder) }

// below reports whether a path is a folder or within it; everything is within
// "".
func below(p, folder string) bool {
	return folder == "" || p == folder || strings.HasPrefix(p, folder+"/")
}

// TestCheck holds the rules to sources that break them.
func TestCheck(t *testing.T) {
	tests := []struct {
		name, file, src string
		want            string // "" for none
	}{
		{"contract imports an earlier one", "probes/plan/x.go", own("probes/record"), ""},
		{"contract imports a later one", "probes/record/x.go", own("probes/model"), "must not import"},
		{"contract imports a probe", "probes/rundir/x.go", own("probes/internal/proc"), "must not import"},
		{"rundir takes locks", "probes/rundir/x.go", own("probes/internal/lock"), ""},
		{"analyzer imports a probe", "analyzer/x.go", own("probes"), "must not import"},
		{"analyzer imports the harness", "analyzer/profile/x.go", own("probes/harness"), "must not import"},
		{"analyzer imports reports", "analyzer/x.go", own("reports"), "must not import"},
		{"analyzer imports its internals", "analyzer/x.go", own("analyzer/internal/stats"), ""},
		{"reports imports the analyzer", "reports/x.go", own("analyzer/profile"), ""},
		{"reports imports a probe", "reports/x.go", own("probes/internal/runner"), "must not import"},
		{"reports imports a probe in a test", "reports/x_test.go", own("probes/harness"), "must not import"},
		{"harness imports a plan", "probes/harness/x.go", own("probes/plan"), "must not import"},
		{"harness imports below itself", "probes/harness/x.go", own("probes/harness/steps"), ""},
		{"internals import the facade", "probes/internal/runner/x.go", own("probes"), "must not import"},
		{"cmd imports all", "cmd/concprof/x.go", own("probes/internal/gofunc"), ""},
		{"something imports cmd", "probes/x.go", own("cmd/concprof/internal/cli"), "must not import"},
		{"a room that is not known", "tools/x.go", own("probes"), "in no room"},

		{"third party at home", "probes/harness/x.go", `import _ "github.com/felixge/fgprof"`, ""},
		{"third party elsewhere", "probes/internal/runner/x.go", `import _ "github.com/felixge/fgprof"`, "at home in"},
		{"third party that is not known", "probes/x.go", `import _ "github.com/stretchr/testify/assert"`, "has no home"},
		{"third party for tests", "probes/x.go", `import _ "github.com/google/go-cmp/cmp"`, "for tests only"},
		{"third party for tests in one folder, here at home", "cmd/concprof/internal/cli/x.go", `import _ "golang.org/x/sync/errgroup"`, ""},
		{"third party for tests in one folder", "probes/harness/x.go", `import _ "golang.org/x/sync/errgroup"`, "for tests only"},
		{"third party for tests in one folder, in a test", "probes/harness/x_test.go", `import _ "golang.org/x/sync/errgroup"`, ""},
		{"third party in a test", "probes/x_test.go", `import _ "github.com/google/go-cmp/cmp"`, ""},

		{"profiling by import", "cmd/concprof/x.go", `import _ "net/http/pprof"`, "default mux"},
		{"unsafe", "analyzer/x.go", `import _ "unsafe"`, "system calls"},
		{"init", "probes/x.go", "func init() {}", "no init"},
		{"method called init", "probes/x.go", "type t int\nfunc (t) init() {}", ""},
		{"exit", "probes/internal/runner/x.go", "import \"os\"\nfunc f() { os.Exit(1) }", "only entry points"},
		{"exit under another name", "analyzer/x.go", "import sys \"os\"\nvar f = sys.Exit", "only entry points"},
		{"log.Fatal", "reports/x.go", "import \"log\"\nfunc f() { log.Fatalf(\"\") }", "only entry points"},
		{"exit of an entry point", "probes/harness/x.go", "import \"os\"\nfunc f() { os.Exit(1) }", ""},
		{"a silent skip", "reports/x_test.go", "func f(t *testing.T) { t.Skip(\"no browser\") }", "SKIPPED: "},
		{"a skip that an error explains", "reports/x_test.go", "func f(t *testing.T) { t.Skip(err) }", "SKIPPED: "},
		{"a loud skip", "reports/x_test.go", "func f(t *testing.T) { t.Skipf(\"SKIPPED: no browser: %v\", err) }", ""},
		{"an input passed over", "reports/x_test.go", "func f(t *testing.T) { t.Skip() }", ""},
		{"long main", "cmd/concprof/main.go", strings.Repeat("\n", maxMain), "at most"},
		{"another long main", "cmd/truthbench/main.go", strings.Repeat("\n", maxMain), "at most"},
		{"a file below main", "cmd/truthbench/internal/bench/main.go", strings.Repeat("\n", maxMain), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(check(tt.file, []byte("package x\n"+tt.src)), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// own is an import of this module.
func own(folder string) string { return fmt.Sprintf("import _ %q", module+"/"+folder) }
