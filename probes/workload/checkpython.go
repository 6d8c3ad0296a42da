package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// dotted is a name in a Python module: identifiers joined by dots.
var dotted = regexp.MustCompile(`^[\p{L}_][\p{L}\p{Nd}_]*(\.[\p{L}_][\p{L}\p{Nd}_]*)*$`)

// checkCallables checks the Python callables of a workload, each by itself and
// all against each other: they run in one interpreter, which runs nothing
// else.
func (d *document) checkCallables(w *Workload, at place) {
	if w.Python != nil {
		d.checkCallable(at.in("python"), w.Python)
	}
	first := -1 // step with an interpreter
	for j := range w.Steps {
		s := &w.Steps[j]
		here := at.in("steps", j)
		if kind := s.Kind(); s.Python == nil {
			if kind != "" && len(w.Callables()) > 0 {
				d.say(here.in(kind), "a step of kind "+kind+" cannot stand beside python steps", "write it in Python too, or make a workload of its own")
			}
			continue
		}
		here = here.in("python")
		d.checkCallable(here, s.Python)
		switch {
		case s.Python.Interpreter == "":
		case first < 0:
			first = j
		case s.Python.Interpreter != w.Steps[first].Python.Interpreter:
			d.say(here.in("interpreter"), fmt.Sprintf("all steps of a workload run in one interpreter: line %d has %s",
				d.line(at.in("steps", first, "python", "interpreter")), quoted(w.Steps[first].Python.Interpreter)), "remove it here")
		}
	}
}

func (d *document) checkCallable(at place, p *Python) {
	if p.Sync == "" && p.Async == "" {
		d.say(at, "at least one of sync and async is needed, and there is none", "name a callable of the module, such as sync: fetch")
	}
	if strings.HasSuffix(p.Module, ".py") {
		d.say(at.in("module"), quoted(p.Module)+" is a file, not a module", "write file: "+printable(cut(p.Module)))
	}
	d.checkPath(at.in("file"), p.File)
	d.checkPath(at.in("interpreter"), p.Interpreter)
	for i, folder := range p.Path {
		d.checkPath(at.in("path", i), folder)
	}
	d.checkEnv(at.in("env"), p.Env)
}

func (d *document) checkDotted(at place, text string) {
	if !dotted.MatchString(text) {
		d.say(at, "expected a dotted name in the Python module, such as connect; got "+quoted(text), "")
	}
}

// checkFiles looks for the files that the Python callables of a workload are
// loaded from, and for their folders of modules.
func (d *document) checkFiles(f *File, p *Python, at place) {
	look := func(at place, what, name string) os.FileInfo {
		if name == "" || d.known(at) {
			return nil
		}
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(f.Dir, path)
		}
		info, err := os.Stat(path)
		if err != nil {
			d.say(at, what+" "+quoted(name)+": "+reason(err), "paths are relative to "+printable(f.Dir))
		}
		return info
	}
	if info := look(at.in("file"), "file", p.File); info != nil && !info.Mode().IsRegular() {
		d.say(at.in("file"), "file "+quoted(p.File)+" is not a regular file", "name a Python file, or its module")
	}
	for i, folder := range p.Path {
		if info := look(at.in("path", i), "folder", folder); info != nil && !info.IsDir() {
			d.say(at.in("path", i), "path "+quoted(folder)+" is not a folder", "")
		}
	}
}

// fileStem is the name of a file without its folder and extension.
func fileStem(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
