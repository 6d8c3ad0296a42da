package gofunc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// exportedName matches expressions that mean the same outside their package:
// an exported function, or an exported variable's method or field.
var exportedName = regexp.MustCompile(`^\p{Lu}[\p{L}\p{Nd}_]*(\.\p{Lu}[\p{L}\p{Nd}_]*)*$`)

// checkExpr refuses what is not one Go expression.
func (r *Request) checkExpr(fn Func) error {
	_, err := parser.ParseExprFrom(token.NewFileSet(), "", fn.Expr, parser.SkipObjectResolution)
	if err == nil {
		return nil
	}
	f := Fault{File: r.File, Line: fn.Line, Message: fmt.Sprintf("%q is not a Go expression: %v", fn.Expr, err)}
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		f.Message = fmt.Sprintf("%q is not a Go expression: %s", fn.Expr, list[0].Msg)
		if fn.Line > 0 {
			f.Line += max(list[0].Pos.Line, 1) - 1
		}
	}
	return &Error{Faults: []Fault{f}}
}

// A scope is what an expression in a package can refer to.
type scope struct {
	declared map[string]bool     // at package level
	imports  map[string][]string // name -> paths under which files import it
}

// parseScope reads the declarations and imports of p.
func parseScope(p *pkg) (*scope, error) {
	s := &scope{declared: map[string]bool{}, imports: map[string][]string{}}
	fset := token.NewFileSet()
	for _, name := range append(append([]string{}, p.GoFiles...), p.CgoFiles...) {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if f == nil {
			return nil, err
		} // syntax errors are the compiler's to report
		for _, d := range f.Decls {
			s.declare(d)
		}
		for _, spec := range f.Imports {
			s.importSpec(spec)
		}
	}
	return s, nil
}

func (s *scope) declare(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			s.declared[d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				s.declared[spec.Name.Name] = true
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					s.declared[n.Name] = true
				}
			}
		}
	}
}

func (s *scope) importSpec(spec *ast.ImportSpec) {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil || p == "C" {
		return
	}
	name := guessName(p)
	if spec.Name != nil {
		name = spec.Name.Name
	}
	for _, have := range s.imports[name] {
		if have == p {
			return
		}
	}
	s.imports[name] = append(s.imports[name], p)
}

var versionSuffix = regexp.MustCompile(`^v[0-9]+$`)

// guessName guesses a package's name from its import path. A wrong guess is
// harmless: the compiler then reports the name as undefined.
func guessName(p string) string {
	base := path.Base(p)
	if versionSuffix.MatchString(base) && strings.Contains(p, "/") {
		base = path.Base(path.Dir(p))
	}
	base, _, _ = strings.Cut(base, ".") // yaml.v3
	base = strings.TrimPrefix(base, "go-")
	return strings.TrimSuffix(base, "-go")
}

// commonImports are packages that an expression may use although no file of
// its package imports them.
var commonImports = []string{
	"bufio", "bytes", "context", "encoding/json", "errors", "fmt", "io", "math", "math/rand", "net", "net/http",
	"net/url", "os", "os/exec", "path/filepath", "regexp", "slices", "sort", "strconv", "strings", "sync", "time",
}

// importsOf returns the packages that the expression needs, by name: those
// that the files of its package import under that name.
func (s *scope) importsOf(expr string) (map[string]string, error) {
	x, err := parser.ParseExprFrom(token.NewFileSet(), "", expr, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	local := map[string]bool{}
	used := map[string]bool{}
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				local[id.Name] = true
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				local[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				declareAll(local, n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				declareAll(local, n.Key, n.Value)
			}
		}
		return true
	})
	needed := map[string]string{}
	for name := range used {
		if local[name] || s.declared[name] {
			continue
		}
		paths := s.imports[name]
		if len(paths) == 0 {
			paths = commonImport(name)
		}
		switch len(paths) {
		case 0: // the compiler will say that it is undefined
		case 1:
			needed[name] = paths[0]
		default:
			sort.Strings(paths)
			return nil, fmt.Errorf("%s is imported as %s by different files of the package: "+
				"declare the function in one of them and name it here", name, strings.Join(paths, " and "))
		}
	}
	return needed, nil
}

func declareAll(names map[string]bool, exprs ...ast.Expr) {
	for _, x := range exprs {
		if id, ok := x.(*ast.Ident); ok {
			names[id.Name] = true
		}
	}
}

func commonImport(name string) []string {
	for _, p := range commonImports {
		if path.Base(p) == name {
			return []string{p}
		}
	}
	return nil
}
