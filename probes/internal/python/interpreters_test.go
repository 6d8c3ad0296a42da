package python

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// pycache is where the interpreters of the tests keep what they compile.
var pycache string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "concprof-pycache-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer os.RemoveAll(dir)
	pycache = dir
	m.Run()
}

// pythons returns the interpreters that the probe is tested with, one of a
// version: those of $CONCPROF_TEST_PYTHON, which is separated as PATH is, then
// those on PATH and below pyenv's folder. The first one that the frame reader reads is the main one.
var pythons = sync.OnceValue(func() []*Interpreter {
	s := Search{Dir: "/", Env: os.Environ()}
	var all, found []*Interpreter
	for _, key := range filepath.SplitList(os.Getenv("CONCPROF_TEST_PYTHON")) {
		s.Key = key
		if i, err := s.Find(context.Background()); err == nil {
			all = append(all, i)
		}
	}
	s.Key = ""
	all = append(all, s.All(context.Background())...)
	// pyenv's shims on PATH lead to one version only.
	if home, err := os.UserHomeDir(); err == nil {
		below, _ := filepath.Glob(filepath.Join(cmp.Or(os.Getenv("PYENV_ROOT"), filepath.Join(home, ".pyenv")), "versions", "3.1[1-9]*", "bin", "python3"))
		for _, s.Key = range below {
			if i, err := s.Find(context.Background()); err == nil {
				all = append(all, i)
			}
		}
	}
	seen, main := map[string]bool{}, -1
	for _, i := range all {
		name := i.String()
		if _, minor := i.version(); seen[name] || i.tooOld() != nil {
			continue
		} else if main < 0 && minor >= readMinor {
			main = len(found)
		}
		seen[name] = true
		found = append(found, i)
	}
	if main > 0 {
		found[0], found[main] = found[main], found[0]
	}
	return found
})

// one returns the main interpreter.
func one(t testing.TB) *Interpreter {
	t.Helper()
	all := pythons()
	if len(all) == 0 {
		t.Skip("SKIPPED: there is no Python here to test the probe with")
	}
	return all[0]
}

// each runs a test with every interpreter, and says aloud which minor versions
// it was not run with. Only the main one is given everything to do.
func each(t *testing.T, test func(t *testing.T, python *Interpreter, main bool)) {
	t.Helper()
	main := one(t)
	tested := map[int]bool{}
	for _, python := range pythons() {
		_, minor := python.version()
		tested[minor] = true
		t.Run(strings.ReplaceAll(python.String(), " ", "-"), func(t *testing.T) { test(t, python, python == main) })
	}
	for minor := minMinor; minor <= newestMinor; minor++ {
		if !tested[minor] {
			t.Logf("NOT TESTED with Python 3.%d: there is none here", minor)
		}
	}
}
