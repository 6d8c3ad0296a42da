package starter

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/concprof/concprof/cmd/concprof/internal/pysource"
)

// A Callable is a Python function that can be an op, or a pair of a sync and
// an async one that by their names do the same.
type Callable struct {
	File        string // relative to the folder
	Line        int    // of the first
	Sync, Async string
	Input       Input
}

// ready reports whether c can be measured without more being said, and looks
// as if it were meant to be called again and again: it is an async function
// that needs nothing. What is sync may be anything that a script does once.
func (c Callable) ready() bool { return c.Input != Text && c.Async != "" }

// readPython takes the callables of a file.
func (s *scan) readPython(p, rel string) {
	base := path.Base(rel)
	if slices.ContainsFunc(strings.Split(path.Dir(rel), "/"), func(folder string) bool {
		return folder == "tests" || folder == "build" || folder == "dist"
	}) {
		return // nothing that is called again and again
	}
	if strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py") || base == "conftest.py" || base == "setup.py" || !plain(rel) {
		return
	}
	functions, err := pysource.ReadFile(p)
	if err != nil {
		return
	}
	first := len(s.callables)
	for i := range functions {
		if c, ok := describeCallable(&functions[i]); ok {
			c.File = rel
			s.callables = append(s.callables, c)
		}
	}
	s.callables = append(s.callables[:first], paired(s.callables[first:])...)
}

// describeCallable says whether a function can be an op: public, no generator,
// and in need of at most one argument. What a decorator makes of a function
// cannot be told.
func describeCallable(f *pysource.Function) (Callable, bool) {
	input, fits := f.Input()
	if !fits || f.Generator || f.Decorated || f.Name == "" || f.Name == "main" || strings.HasPrefix(f.Name, "_") || strings.HasPrefix(f.Name, "test_") || !plain(f.Name) {
		return Callable{}, false
	}
	c := Callable{Line: f.Line, Sync: f.Name}
	if f.Async {
		c.Sync, c.Async = "", f.Name
	}
	switch {
	case input == nil:
	case input.Annotation == "int":
		c.Input = Number
	default:
		c.Input = Text
	}
	return c, true
}

// paired joins the sync and async callables of a file whose names tell that
// they do the same: fetch with afetch, async_fetch or fetch_async.
func paired(all []Callable) []Callable {
	var kept []Callable
	used := map[string]bool{}
	for _, c := range all {
		if c.Sync == "" {
			continue
		}
		for _, a := range all {
			if a.Async != "" && a.Input == c.Input && !used[a.Async] &&
				slices.Contains([]string{"a" + c.Sync, "async_" + c.Sync, c.Sync + "_async"}, a.Async) {
				c.Async, used[a.Async] = a.Async, true
				break
			}
		}
		kept = append(kept, c)
	}
	for _, a := range all {
		if a.Sync == "" && !used[a.Async] {
			kept = append(kept, a)
		}
	}
	return kept
}

// rankedCallables returns the callables, the best candidates first: pairs,
// then async ones, then those that need no inputs.
func rankedCallables(all []Callable) []Callable {
	rank := func(c Callable) int {
		n := 0
		if !c.ready() {
			n += 4
		}
		if c.Sync == "" || c.Async == "" {
			n += 2
		}
		if c.Input == Text {
			n++
		}
		return n
	}
	slices.SortFunc(all, func(a, b Callable) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return all
}

// write writes the entry of one callable.
func (c Callable) write(b *bytes.Buffer, indent string, names map[string]bool) {
	target := "file: " + c.File
	if module := strings.TrimSuffix(c.File, ".py"); !strings.ContainsAny(module, "/-.") {
		target = "module: " + module
	}
	for _, n := range []struct{ key, name string }{{"sync", c.Sync}, {"async", c.Async}} {
		if n.name != "" {
			target += ", " + n.key + ": " + quoteOdd(n.name)
		}
	}
	stem := strings.TrimSuffix(path.Base(c.File), ".py")
	fmt.Fprintf(b, "%s- name: %s\n", indent, unique(stem+"."+cmp.Or(c.Sync, c.Async), names))
	fmt.Fprintf(b, "%s  python: {%s}   # %s:%d\n", indent, target, clean(c.File), c.Line)
	writeInput(b, indent, c.Input)
}

// quoteOdd keeps names that YAML takes for something else in quotes.
func quoteOdd(name string) string {
	switch strings.ToLower(name) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return `"` + name + `"`
	}
	return name
}
