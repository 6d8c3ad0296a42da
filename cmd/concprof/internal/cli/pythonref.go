package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/concprof/concprof/cmd/concprof/internal/pysource"
	"github.com/concprof/concprof/probes/workload"
)

const pythonHint = "name a Python callable as module:function or path/file.py:function, or a pair as module:function,async_function"

// pythonRef is a Python callable as it is named on the command line: a module
// or a file, a colon, and one or two dotted names.
var pythonRef = regexp.MustCompile(`^(.+\.py|[\pL_][\pL\p{Nd}_.]*):([\pL_][\pL\p{Nd}_.]*)(?:,([\pL_][\pL\p{Nd}_.]*))?$`)

// isPython reports whether an argument names something of Python, if not
// rightly.
func isPython(arg string) bool {
	return pythonRef.MatchString(arg) || strings.HasSuffix(arg, ".py") || strings.Contains(arg, ".py:")
}

// findPython reads the name of a Python callable. Whether it is sync or async
// is read in the source, where that is found: nothing is run.
func findPython(arg string) (target, error) {
	m := pythonRef.FindStringSubmatch(arg)
	if m == nil {
		hint := pythonHint
		if names := candidates(strings.TrimSuffix(arg, ":")); names != "" {
			hint = names
		}
		return target{}, usage(hint, "%s names no callable", arg)
	}
	p := workload.Python{Module: m[1]}
	source := moduleFile(m[1])
	if strings.HasSuffix(m[1], ".py") {
		p.Module, p.File, source = "", m[1], m[1]
		if info, err := os.Stat(source); err != nil || !info.Mode().IsRegular() {
			return target{}, usage("a path is relative to this folder", "cannot find the file %s", source)
		}
	}
	functions, err := pysource.ReadFile(source)
	if source != "" && err != nil {
		return target{}, fmt.Errorf("read the functions of %s: %w", source, err)
	}
	for _, name := range m[2:] {
		if name == "" {
			continue
		}
		f := function(functions, name)
		if f != nil && !f.Decorated {
			if err := callable(arg, f); err != nil {
				return target{}, err
			}
		}
		switch isAsync := f != nil && f.Async; {
		case isAsync && p.Async == "":
			p.Async = name
		case !isAsync && p.Sync == "":
			p.Sync = name
		default:
			return target{}, usage("name one of them, or write a workload file with one workload for each",
				"%s and %s are not a pair of sync and async", m[2], name)
		}
	}
	file, err := workload.FromPython(p)
	if err != nil {
		return target{}, &usageError{err, pythonHint}
	}
	return target{file: file, name: runName(file.Workloads[0].Name)}, nil
}

// callable refuses a function that cannot be an op.
func callable(arg string, f *pysource.Function) error {
	switch _, fits := f.Input(); {
	case f.Generator:
		return usage("name a function that uses it up", "%s is a generator: calling it runs nothing of it", arg)
	case !fits:
		return usage("wrap it in a function with no argument, or one: the op's input", "%s needs more than one argument, or one by name", arg)
	}
	return nil
}

// moduleFile returns the file of a module that lies in this folder, "" if
// none does.
func moduleFile(module string) string {
	path := filepath.Join(strings.Split(module, ".")...)
	for _, file := range []string{path + ".py", filepath.Join(path, "__init__.py")} {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	return ""
}

func function(functions []pysource.Function, name string) *pysource.Function {
	for i := range functions {
		if functions[i].Name == name {
			return &functions[i]
		}
	}
	return nil
}

// candidates names what of a file could be analysed.
func candidates(file string) string {
	functions, err := pysource.ReadFile(file)
	if err != nil {
		return ""
	}
	var names []string
	for i := range functions {
		f := &functions[i]
		if _, fits := f.Input(); fits && !f.Generator && f.Name != "" && !strings.HasPrefix(f.Name, "_") && len(names) < 5 {
			names = append(names, file+":"+f.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "it defines " + strings.Join(names, ", ")
}
