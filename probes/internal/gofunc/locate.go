package gofunc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A pkg is what `go list` says of a package.
type pkg struct {
	Dir                       string
	ImportPath                string
	Name                      string
	GoFiles                   []string
	CgoFiles                  []string
	TestGoFiles, XTestGoFiles []string
	Standard                  bool
	Module                    *module
	Match                     []string
	Error                     *struct{ Err string }
}

type module struct {
	Path string
	Dir  string
	Main bool
}

const listFields = "Dir,ImportPath,Name,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Standard,Module,Match,Error"

// isPath reports whether a package is given by its folder.
func isPath(spec string) bool {
	return spec == "." || spec == ".." || strings.HasPrefix(spec, "./") || strings.HasPrefix(spec, "../") || filepath.IsAbs(spec)
}

// folder returns the folder that fn's package is in or, for an import path,
// the one from which it is looked up.
func (r *Request) folder(fn Func) string {
	switch {
	case !isPath(fn.Package):
		return r.Dir
	case filepath.IsAbs(fn.Package):
		return filepath.Clean(fn.Package)
	}
	return filepath.Join(r.Dir, fn.Package)
}

// home returns the folder that the go command is run in: the first function's.
func (r *Request) home() (string, error) {
	fn := r.Funcs[0]
	dir, err := filepath.Abs(r.folder(fn))
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, os.ErrNotExist) {
		return "", r.fault(fn, "", "package %s: there is no folder %s", fn.Package, dir)
	}
	return real, err
}

// locate finds the package of every function.
func (r *Request) locate(ctx context.Context, g *gocmd) ([]*pkg, error) {
	specs := make([]string, len(r.Funcs))
	args := []string{"list", "-e", "-json=" + listFields}
	args = append(args, r.tagFlags()...)
	args = append(args, "--")
	seen := map[string]bool{}
	for i, fn := range r.Funcs {
		specs[i] = fn.Package
		if isPath(fn.Package) {
			dir, err := filepath.Abs(r.folder(fn))
			if err != nil {
				return nil, err
			}
			if real, err := filepath.EvalSymlinks(dir); err == nil {
				dir = real
			}
			specs[i] = dir
		}
		if !seen[specs[i]] {
			seen[specs[i]] = true
			args = append(args, specs[i])
		}
	}
	out, err := g.run(ctx, args...)
	if err != nil {
		var failed *goError
		if errors.As(err, &failed) {
			return nil, r.goFault(r.Funcs[0], g, failed)
		}
		return nil, err
	}
	bySpec := map[string]*pkg{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := d.Decode(p); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read the output of go list: %w", err)
		}
		for _, m := range p.Match {
			bySpec[m] = p
		}
	}
	pkgs := make([]*pkg, len(specs))
	for i, s := range specs {
		p := bySpec[s]
		if p == nil {
			return nil, r.fault(r.Funcs[i], "", "package %s: not found", r.Funcs[i].Package)
		}
		if err := r.checkPackage(r.Funcs[i], p); err != nil {
			return nil, err
		}
		pkgs[i] = p
	}
	return pkgs, nil
}

// checkPackage refuses packages that cannot hold a target.
func (r *Request) checkPackage(fn Func, p *pkg) error {
	switch {
	case p.Error != nil:
		return r.fault(fn, "", "package %s: %s", fn.Package, strings.TrimSpace(r.relative(p.Error.Err, r.Dir)))
	case p.Standard:
		return r.fault(fn, ownFuncHint, "package %s is in the standard library, not in your module", fn.Package)
	case p.Module == nil || !p.Module.Main:
		where := "no module"
		if p.Module != nil {
			where = "module " + p.Module.Path
		}
		return r.fault(fn, ownFuncHint, "package %s is in %s, not in yours", fn.Package, where)
	case len(p.GoFiles)+len(p.CgoFiles) == 0:
		return r.fault(fn, "", "package %s has no Go files besides tests", fn.Package)
	}
	return nil
}

const ownFuncHint = "name one of your packages, which calls the other: package: ./yours, func: 'func(s string) error { return other.Do(s) }'"

// tagFlags returns the flag for the build tags, the same for list and build.
func (r *Request) tagFlags() []string {
	if len(r.Tags) == 0 {
		return nil
	}
	return []string{"-tags=" + strings.Join(r.Tags, ",")}
}
