package gofunc

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/concprof/concprof/probes/workload"
)

// Requests returns the binaries that the workloads of f need: one for all
// workloads of a module that have the same build tags, so that the generated
// sources, and with them the build cache, stay the same whichever workload is
// run. Out and Env are left to the caller.
func Requests(f *workload.File) []Request {
	var requests []Request
	index := map[string]int{}
	for _, w := range f.Workloads {
		funcs, tags := funcsOf(f, w)
		if len(funcs) == 0 {
			continue
		}
		fresh := Request{Tags: tags, Dir: f.Dir, File: f.Path}
		key := moduleRoot(fresh.folder(funcs[0])) + "\x00" + strings.Join(tags, ",")
		i, ok := index[key]
		if !ok {
			i = len(requests)
			index[key] = i
			requests = append(requests, fresh)
		}
		r := &requests[i]
		r.Workloads = append(r.Workloads, w.Name)
		for _, fn := range funcs {
			r.add(fn)
		}
	}
	return requests
}

// add adds fn unless it is there.
func (r *Request) add(fn Func) {
	for _, have := range r.Funcs {
		if have.Package == fn.Package && have.Expr == fn.Expr {
			return
		}
	}
	r.Funcs = append(r.Funcs, fn)
}

// funcsOf returns the functions of one workload, with its setup and teardown,
// which are evaluated in the package of its first function, and the union of
// their tags, sorted.
func funcsOf(f *workload.File, w workload.Workload) ([]Func, []string) {
	var targets []*workload.GoFunc
	if w.Go != nil {
		targets = append(targets, w.Go)
	}
	for _, s := range w.Steps {
		if s.Go != nil {
			targets = append(targets, s.Go)
		}
	}
	if len(targets) == 0 {
		return nil, nil
	}
	var funcs []Func
	var tags []string
	seen := map[string]bool{}
	for _, g := range targets {
		funcs = append(funcs, Func{Package: g.Package, Expr: g.Func, Line: exprLine(f.Source, g.Line)})
		for _, t := range g.Tags {
			if !seen[t] {
				seen[t] = true
				tags = append(tags, t)
			}
		}
	}
	for _, expr := range []string{w.Setup, w.Teardown} {
		if expr != "" {
			funcs = append(funcs, Func{Package: targets[0].Package, Expr: expr, Line: w.Line})
		}
	}
	sort.Strings(tags)
	return funcs, tags
}

// moduleRoot returns the nearest folder at dir or above that has a go.mod, ""
// if none has.
func moduleRoot(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// blockScalar matches a line after which a YAML block scalar begins.
var blockScalar = regexp.MustCompile(`[:-]\s+[|>][-+0-9]*\s*(#.*)?$`)

// exprLine returns the line on which an expression begins whose value is said
// to begin at line: of a block scalar that is the line of its indicator.
func exprLine(source []byte, line int) int {
	lines := bytes.Split(source, []byte("\n"))
	if line >= 1 && line <= len(lines) && blockScalar.Match(bytes.TrimSuffix(lines[line-1], []byte("\r"))) {
		return line + 1
	}
	return line
}
