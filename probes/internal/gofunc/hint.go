package gofunc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/concprof/concprof/probes/workload"
)

// maxNames bounds how many functions of a package a hint lists.
const maxNames = 12

var (
	undefinedName  = regexp.MustCompile(`^undefined: (?:\w+\.)?(\w+)$`)
	uninstantiated = regexp.MustCompile(`^cannot use generic function (?:\w+\.)?(\w+) without instantiation$`)
)

// addHints says of the compiler's faults in the user's file what to do, where
// that can be told. pkgs are the packages of r.Funcs.
func (r *Request) addHints(e *Error, pkgs []*pkg) {
	for i := range e.Faults {
		f := &e.Faults[i]
		if f.File != r.File && f.File != commandLine[1:] {
			continue
		}
		if m := uninstantiated.FindStringSubmatch(f.Message); m != nil {
			f.Hint = fmt.Sprintf("say for which types, as in %s[string]", m[1])
		}
		if m := undefinedName.FindStringSubmatch(f.Message); m != nil {
			f.Hint = undefinedHint(r.packageAt(f.Line, pkgs), m[1])
		}
	}
}

// packageAt returns the package of the last function that begins at or before
// a line, nil if there is none.
func (r *Request) packageAt(line int, pkgs []*pkg) *pkg {
	var at *pkg
	best := -1
	for i, fn := range r.Funcs {
		if fn.Line <= line && fn.Line > best {
			at, best = pkgs[i], fn.Line
		}
	}
	return at
}

// undefinedHint says where name is, or what there is instead.
func undefinedHint(p *pkg, name string) string {
	if p == nil {
		return ""
	}
	for _, file := range append(append([]string{}, p.TestGoFiles...), p.XTestGoFiles...) {
		for _, have := range functions(filepath.Join(p.Dir, file)) {
			if have == name {
				return fmt.Sprintf("%s is declared in %s, and tests are no part of the package: move it to another file", name, file)
			}
		}
	}
	var names []string
	for _, file := range append(append([]string{}, p.GoFiles...), p.CgoFiles...) {
		names = append(names, functions(filepath.Join(p.Dir, file))...)
	}
	if len(names) > maxNames {
		if near := workload.Nearest(name, names); near != "" {
			return fmt.Sprintf("did you mean %s?", near)
		}
		return ""
	}
	if len(names) == 0 {
		return ""
	}
	sort.Strings(names)
	return fmt.Sprintf("package %s has the functions %s", p.ImportPath, strings.Join(names, ", "))
}

// functions lists the functions that a file declares, but for methods, init
// and main.
func functions(file string) []string {
	f, _ := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if f == nil {
		return nil
	}
	var names []string
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name != "init" && d.Name.Name != "main" && d.Name.Name != "_" {
			names = append(names, d.Name.Name)
		}
	}
	return names
}
