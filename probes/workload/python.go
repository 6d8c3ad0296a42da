package workload

import (
	"cmp"

	"github.com/concprof/concprof/probes/model"
)

// Python is a callable of the user's own Python code: of a module or a file,
// as a sync or an async callable, or as both, which then do the same work.
type Python struct {
	Module string `json:"module,omitempty"`
	File   string `json:"file,omitempty"`
	Sync   string `json:"sync,omitempty"` // dotted names
	Async  string `json:"async,omitempty"`
	// Interpreter is a path relative to the file's folder, or a name on PATH;
	// all steps of a workload share it. "" has one looked for.
	Interpreter string   `json:"interpreter,omitempty"`
	Path        []string `json:"path,omitempty"` // folders of modules
	Env         []string `json:"env,omitempty"`  // as in the workload

	Line int `json:"-"` // in the file, 1-based
}

// Label names the callable as the command line does: "scraper:fetch,afetch".
func (p *Python) Label() string {
	names := p.Sync
	switch {
	case names == "":
		names = p.Async
	case p.Async != "":
		names += "," + p.Async
	}
	return cmp.Or(p.Module, p.File) + ":" + names
}

// Callables returns the Python callables of an op, in order; nil if it has
// none.
func (w *Workload) Callables() []*Python {
	if w.Python != nil {
		return []*Python{w.Python}
	}
	var all []*Python
	for _, s := range w.Steps {
		if s.Python != nil {
			all = append(all, s.Python)
		}
	}
	return all
}

// Interpreter returns what the file says of the interpreter of the workload's
// callables, "" if it leaves it open.
func (w *Workload) Interpreter() string {
	for _, c := range w.Callables() {
		if c.Interpreter != "" {
			return c.Interpreter
		}
	}
	return ""
}

func pythonTarget(callables []*Python) model.Target {
	t := model.Target{Kind: model.Python, Steps: len(callables)}
	for _, c := range callables {
		t.Pair = t.Pair || c.Sync != "" && c.Async != ""
	}
	return t
}

// FromPython returns a workload file for a Python callable that was named on
// the command line.
func FromPython(p Python) (*File, error) {
	return fromWorkload(Workload{Name: nameOf(p.name()), Python: &p})
}

// name names the workload after the callable, "scraper.fetch".
func (p *Python) name() string {
	base := p.Module
	if base == "" {
		base = fileStem(p.File)
	}
	return base + "." + cmp.Or(p.Sync, p.Async)
}
