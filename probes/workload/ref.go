package workload

import (
	"fmt"
	"go/ast"
	"go/parser"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// FromGo returns a workload file for a Go function that was named on the
// command line:
//
//	./internal/thumb.Render         a function of the package in that folder
//	./internal/index.(*Index).Add   a method expression
//	example.com/mod/thumb.Render    by import path
//	.Render                         of the package in this folder
func FromGo(ref string) (*File, error) {
	pkg, fn, ok := splitRef(ref)
	if !ok {
		return nil, fmt.Errorf("cannot read %s as a Go function: want PACKAGE.FUNC, such as ./internal/thumb.Render", quoted(ref))
	}
	base := path.Base(pkg)
	name := fn
	if base != "." && base != ".." && base != "/" {
		name = base + "." + fn
	}
	return fromWorkload(Workload{Name: nameOf(name), Go: &GoFunc{Package: pkg, Func: fn}})
}

// FromCommand returns a workload file for a command that was given on the
// command line. An op is one run of it.
func FromCommand(argv []string) (*File, error) {
	if len(argv) == 0 || argv[0] == "" {
		return nil, fmt.Errorf("no command: want concprof analyze -- COMMAND [ARGUMENT...]")
	}
	return fromWorkload(Workload{Name: nameOf(filepath.Base(argv[0])), Command: argv})
}

// fromWorkload writes the file that would say the same and reads it back, so
// that what came from the command line passes the same checks.
func fromWorkload(w Workload) (*File, error) {
	src, err := Encode(&File{Version: 1, Workloads: []Workload{w}})
	if err != nil {
		return nil, err
	}
	f, err := Parse("", src)
	if err != nil {
		return nil, err
	}
	f.Dir = "."
	f.Workloads[0].Line = 0
	if g := f.Workloads[0].Go; g != nil {
		g.Line = 0
	}
	if p := f.Workloads[0].Python; p != nil {
		p.Line = 0
	}
	return f, nil
}

// versioned is an import path's last element under gopkg.in: yaml.v3.
var versioned = regexp.MustCompile(`^[^.]+\.v[0-9]+\.`)

// splitRef cuts a reference at the dot between package and function: the
// first one of the last element, which ends before any bracket.
func splitRef(ref string) (pkg, fn string, ok bool) {
	end := len(ref)
	if i := strings.IndexAny(ref, "(["); i >= 0 {
		end = i
	}
	start := strings.LastIndexByte(ref[:end], '/') + 1
	last := ref[start:]
	dot := strings.IndexByte(last, '.')
	if strings.HasPrefix(ref, "gopkg.in/") {
		if v := versioned.FindString(last); v != "" {
			dot = len(v) - 1
		}
	}
	if dot < 0 {
		return "", "", false
	}
	pkg, fn = ref[:start]+last[:dot], last[dot+1:]
	switch {
	case pkg == "":
		pkg = "."
	case dot == 0:
		pkg = strings.TrimSuffix(pkg, "/")
	}
	if pkg == "" || !isFunc(fn) {
		return "", "", false
	}
	return pkg, fn, true
}

// isFunc reports whether text can name a function: F, T.M, (*T).M, or one of
// these with type arguments.
func isFunc(text string) bool {
	e, err := parser.ParseExpr(text)
	if err != nil {
		return false
	}
	for {
		switch t := e.(type) {
		case *ast.Ident:
			return t.Name != "_"
		case *ast.SelectorExpr:
			e = t.X
		case *ast.ParenExpr:
			e = t.X
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.IndexListExpr:
			e = t.X
		default:
			return false
		}
	}
}

// nameOf makes a workload's name of any text.
func nameOf(s string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		case r == '(', r == ')', r == '*':
			return -1
		}
		return '-'
	}, s)
	name = strings.Trim(name, ".-_")
	if len(name) > 64 {
		name = name[:64]
	}
	if name == "" {
		return "workload"
	}
	return name
}
