package python

import (
	"context"
	"fmt"
	"path/filepath"
)

// newestMinor is the newest minor version of Python 3 whose name is looked
// for on PATH.
const newestMinor = 15

// All returns every interpreter that can be found: the one that a workload
// without a key would get, then python3.9 and newer by name. What does not
// run, and shims that lead to one that is listed already, are left out.
func (s Search) All(ctx context.Context) []*Interpreter {
	var all []*Interpreter
	seen := map[string]bool{}
	add := func(i *Interpreter, err error) {
		if err != nil {
			return
		}
		// An environment's interpreter is a link to the one that made it, but
		// has packages of its own.
		file, err := filepath.EvalSymlinks(i.Path)
		if key := i.Prefix + "\n" + file; err == nil && !seen[key] {
			seen[key] = true
			all = append(all, i)
		}
	}
	add(s.Find(ctx))
	for minor := minMinor; minor <= newestMinor && ctx.Err() == nil; minor++ {
		for _, path := range s.executables(fmt.Sprintf("python3.%d", minor)) {
			i, err := s.ask(ctx, path)
			if err == nil {
				i.Found = "PATH"
			}
			add(i, err)
		}
	}
	return all
}
