package gofunc

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"unicode"
)

// funcName is the name of the function that a shim or a bridge exports: it
// returns the function of a number.
const funcName = "ZzConcprofFunc"

// noInline keeps the names of closures, which profiles show, below the
// package that they were written for.
const noInline = "//go:noinline\n"

// absent is the content of a file of the user's that the build does not see.
var absent []byte

// A generator makes the sources that a binary needs besides the bundles.
//
// The main package refers to exported functions directly. Other expressions
// are evaluated by a shim, a file that is added to their package. What is
// below an internal folder, which the main package may not import, is passed
// on by a bridge: a package next to that folder.
type generator struct {
	r    *Request
	pkgs []*pkg // of r.Funcs
	root *module
	out  map[string][]byte // by absolute path in the user's tree
}

// A ref says how the function of a number is reached from another package.
type ref struct {
	fn         int
	importPath string
	pkgName    string
	expr       string // in an importer, after "name."
	line       string // directive for the place in the user's file
}

// generate returns the generated sources by absolute path, among them
// changed copies of files of the user's that have to be replaced.
func (r *Request) generate(pkgs []*pkg, root *module) (map[string][]byte, error) {
	g := &generator{r: r, pkgs: pkgs, root: root, out: map[string][]byte{}}
	refs := make([]ref, len(r.Funcs))
	shims := map[*pkg][]int{}
	for i, fn := range r.Funcs {
		p := pkgs[i]
		refs[i] = ref{fn: i, importPath: p.ImportPath, pkgName: packageName(p), expr: strings.TrimSpace(fn.Expr), line: r.lineDirective(fn)}
		if !exportedName.MatchString(refs[i].expr) {
			shims[p] = append(shims[p], i)
			refs[i].expr = fmt.Sprintf("%s(%d)", funcName, i)
			refs[i].line = ""
		}
		if p.Name == "main" {
			if err := g.renamePackage(p); err != nil {
				return nil, err
			}
		}
	}
	for p, fns := range shims {
		if err := g.shim(p, fns); err != nil {
			return nil, err
		}
	}
	if err := g.bridge(refs); err != nil {
		return nil, err
	}
	g.main(refs)
	return g.out, nil
}

// packageName is the name under which p is compiled: a main package cannot be
// imported, so it gets another name.
func packageName(p *pkg) string {
	if p.Name == "main" {
		return prefix + "program"
	}
	return p.Name
}

// renamePackage replaces the package clauses of a main package. Its function
// main is then an ordinary one that nobody calls. Its tests, which would be of
// another package now, are taken away.
func (g *generator) renamePackage(p *pkg) error {
	for _, name := range append(append([]string{}, p.TestGoFiles...), p.XTestGoFiles...) {
		g.out[filepath.Join(p.Dir, name)] = absent
	}
	for _, name := range append(append([]string{}, p.GoFiles...), p.CgoFiles...) {
		file := filepath.Join(p.Dir, name)
		if g.out[file] != nil {
			continue
		}
		src, err := readFile(file)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, src, parser.PackageClauseOnly)
		if err != nil {
			continue // the compiler's to report
		}
		start := fset.Position(f.Name.Pos()).Offset
		g.out[file] = apply(src, []edit{{start, start + len(f.Name.Name), packageName(p)}})
	}
	return nil
}

// shim adds a file to p that evaluates the expressions of fns.
func (g *generator) shim(p *pkg, fns []int) error {
	s, err := parseScope(p)
	if err != nil {
		return err
	}
	imports := map[string]string{}
	for _, i := range fns {
		needed, err := s.importsOf(g.r.Funcs[i].Expr)
		if err != nil {
			return g.r.fault(g.r.Funcs[i], "", "%v", err)
		}
		for name, p := range needed {
			imports[name] = p
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\n", packageName(p))
	names := make([]string, 0, len(imports))
	for name := range imports {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(&b, "import %s %q\n", name, imports[name])
	}
	fmt.Fprintf(&b, "\n%sfunc %s(n int) interface{} {\n\tswitch n {\n", noInline, funcName)
	for _, i := range fns {
		// An expression may begin with a comment and a new line, which after
		// "return" would end the statement.
		fmt.Fprintf(&b, "\tcase %d:\n%svalue := %s\n\t\treturn value\n", i, g.r.lineDirective(g.r.Funcs[i]), strings.TrimSpace(g.r.Funcs[i].Expr))
	}
	b.WriteString("\t}\n\treturn nil\n}\n")
	g.out[filepath.Join(p.Dir, prefix+"shim.go")] = []byte(b.String())
	return nil
}

// bridge makes every ref one that the main package may import.
func (g *generator) bridge(refs []ref) error {
	mainPath := path.Join(g.root.Path, prefix+"main")
	for {
		bridges := map[string][]int{} // import path of the bridge
		for i, f := range refs {
			parent, ok := parentOfInternal(f.importPath)
			if !ok || mainPath == parent || strings.HasPrefix(mainPath, parent+"/") || parent == "" {
				continue
			}
			at := path.Join(parent, prefix+"bridge")
			bridges[at] = append(bridges[at], i)
		}
		if len(bridges) == 0 {
			return nil
		}
		for at, members := range bridges {
			inside := make([]ref, 0, len(members))
			for _, i := range members {
				inside = append(inside, refs[i])
			}
			m := g.pkgs[refs[members[0]].fn].Module
			rel, ok := strings.CutPrefix(at, m.Path+"/")
			if !ok {
				return g.r.fault(g.r.Funcs[refs[members[0]].fn], "put it into a workload file of its own",
					"package %s is internal to another module than the first function's", refs[members[0]].importPath)
			}
			g.out[filepath.Join(m.Dir, filepath.FromSlash(rel), "bridge.go")] = bridgeSource(inside)
			for _, i := range members {
				refs[i] = ref{fn: refs[i].fn, importPath: at, pkgName: prefix + "bridge", expr: fmt.Sprintf("%s(%d)", funcName, refs[i].fn)}
			}
		}
	}
}

// parentOfInternal returns the import path below which the package may be
// imported, by the last element "internal" of its path, as the go command
// decides it.
func parentOfInternal(importPath string) (string, bool) {
	elems := strings.Split(importPath, "/")
	for i := len(elems) - 1; i >= 0; i-- {
		if elems[i] == "internal" {
			return strings.Join(elems[:i], "/"), true
		}
	}
	return "", false
}

func bridgeSource(refs []ref) []byte {
	var b strings.Builder
	names := writeHeader(&b, prefix+"bridge", "", refs)
	fmt.Fprintf(&b, "%sfunc %s(n int) any {\n\tswitch n {\n", noInline, funcName)
	for _, f := range refs {
		fmt.Fprintf(&b, "\tcase %d:\n%s\t\treturn %s.%s\n", f.fn, f.line, names[f.importPath], f.expr)
	}
	b.WriteString("\t}\n\treturn nil\n}\n")
	return []byte(b.String())
}

// main adds the main package.
func (g *generator) main(refs []ref) {
	var b strings.Builder
	names := writeHeader(&b, "main", path.Join(g.root.Path, prefix+"harness"), refs)
	b.WriteString("func main() {\n\tharness.Main(map[string]any{\n")
	for _, f := range refs {
		fn := g.r.Funcs[f.fn]
		fmt.Fprintf(&b, "\t\t%s: harness.Later(func() any {\n%s\t\t\treturn %s.%s\n\t\t}),\n",
			strconv.Quote(Key(fn.Package, fn.Expr)), f.line, names[f.importPath], f.expr)
	}
	b.WriteString("\t})\n}\n")
	g.out[filepath.Join(g.root.Dir, prefix+"main", "main.go")] = []byte(b.String())
}

// writeHeader writes the build constraint, the package clause and the imports
// of refs, and returns the names under which they are imported: their own
// where those differ, so that the compiler's messages read like the user's
// code.
func writeHeader(b *strings.Builder, pkgName, harness string, refs []ref) map[string]string {
	fmt.Fprintf(b, "//go:build %s\n\npackage %s\n\n", languageVersion, pkgName)
	taken := map[string]bool{"harness": true, "main": true, "n": true, "map": true, "any": true, "string": true, "int": true, "nil": true, funcName: true}
	if harness != "" {
		fmt.Fprintf(b, "import harness %q\n", harness)
	}
	names := map[string]string{}
	for _, f := range refs {
		if names[f.importPath] != "" {
			continue
		}
		name := f.pkgName
		for n := 2; taken[name]; n++ {
			name = f.pkgName + strconv.Itoa(n)
		}
		taken[name] = true
		names[f.importPath] = name
		fmt.Fprintf(b, "import %s %q\n", name, f.importPath)
	}
	b.WriteString("\n")
	return names
}

// lineDirective makes the compiler place what follows in the user's file.
func (r *Request) lineDirective(fn Func) string {
	blank := fn.Expr[:len(fn.Expr)-len(strings.TrimLeftFunc(fn.Expr, unicode.IsSpace))]
	return fmt.Sprintf("//line %s:%d\n", r.linePath(), max(fn.Line, 1)+strings.Count(blank, "\n"))
}

// commandLine stands for a file when the functions were named on the command
// line.
const commandLine = "/command-line"

// linePath is the absolute path of the user's file for the compiler.
func (r *Request) linePath() string {
	if r.File == "" {
		return commandLine
	}
	if abs, err := filepath.Abs(r.File); err == nil && !strings.ContainsAny(abs, "\n\r") {
		return abs
	}
	return commandLine
}
