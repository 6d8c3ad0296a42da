package probes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/concprof/concprof/probes/workload"
)

// errUserTree is of code that would be that of the user's tree at every
// revision, so that a comparison would say "no difference" of anything.
const errUserTree = "%s is the same file at every revision: name it relative to the workload file"

// elsewhere returns what keeps a workload from being run at another revision:
// its code is not there, or not below the checkout.
func (p *Prepared) elsewhere(w *workload.Workload) (faults []error) {
	say := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	gos := []*workload.GoFunc{w.Go}
	for _, s := range w.Steps {
		gos = append(gos, s.Go)
	}
	for _, g := range gos {
		if g != nil && filepath.IsAbs(g.Package) {
			say("package "+errUserTree, g.Package)
		}
	}
	for _, c := range w.Callables() {
		switch {
		case c.File != "" && filepath.IsAbs(c.File):
			say(errUserTree, c.File)
		case c.File != "":
			if _, err := os.Stat(p.path(c.File)); errors.Is(err, os.ErrNotExist) {
				say("there is no file %s", c.File)
			}
		case !p.hasModule(w, c.Module):
			say("there is no module %s in the workload's folders, which path in its entry lists; one that is installed is the same at every revision", c.Module)
		}
	}
	return faults
}

// hasModule reports whether a module is in the folders that a workload's
// modules are looked for in, without those that are not below the checkout.
func (p *Prepared) hasModule(w *workload.Workload, module string) bool {
	name := filepath.Join(strings.Split(module, ".")...)
	for _, folder := range p.pythonPath(w) {
		if rel, err := filepath.Rel(p.checkout, folder); err != nil || !filepath.IsLocal(rel) {
			continue
		}
		for _, file := range []string{name + ".py", filepath.Join(name, "__init__.py")} {
			if info, err := os.Stat(filepath.Join(folder, file)); err == nil && info.Mode().IsRegular() {
				return true
			}
		}
	}
	return false
}
