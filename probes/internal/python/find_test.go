package python

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake writes an interpreter that answers as one of that version, and returns
// its path.
func fake(t *testing.T, path, version string) string {
	t.Helper()
	script := "#!/bin/sh\necho a shim says hello\necho 'concprof-interpreter: {\"implementation\": \"cpython\", \"version\": \"" + version +
		"\", \"gil\": true, \"prefix\": \"/p\", \"executable\": \"\", \"lacks\": {\"subinterpreters\": \"too old\"}}'\n"
	return write(t, path, script)
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFind covers the order in which interpreters are looked for, and what is
// said of those that cannot be used.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	fake(t, filepath.Join(dir, "bin", "python3"), "3.11.2")
	fake(t, filepath.Join(dir, "bin", "python3.12"), "3.12.1")
	write(t, filepath.Join(dir, "broken", "python3"), "#!/bin/sh\necho no such version >&2\nexit 127\n")
	write(t, filepath.Join(dir, "silent", "python3"), "#!/bin/sh\n")
	fake(t, filepath.Join(dir, "old", "python3"), "3.8.18")
	fake(t, filepath.Join(dir, "venv", "bin", "python"), "3.13.0")
	fake(t, filepath.Join(dir, "project", ".venv", "bin", "python"), "3.10.1")
	write(t, filepath.Join(dir, "project", "src", "x"), "")
	path := func(names ...string) string {
		for i := range names {
			names[i] = filepath.Join(dir, names[i])
		}
		return "PATH=" + strings.Join(append(names, "/usr/bin", "/bin"), ":")
	}
	tests := []struct {
		name, key, dir, want string // the version, or what the error says
		env                  []string
	}{
		{"by name", "python3.12", "project", "3.12.1", []string{path("bin"), "VIRTUAL_ENV=" + dir + "/venv"}},
		{"by path", "../bin/python3", "project", "3.11.2", []string{path("old")}},
		{"by absolute path", dir + "/venv/bin/python", ".", "3.13.0", []string{path()}},
		{"of the environment", "", "project", "3.13.0", []string{path("bin"), "VIRTUAL_ENV=" + dir + "/venv"}},
		{"of a folder above", "", "project/src", "3.10.1", []string{path("bin")}},
		{"on PATH", "", ".", "3.11.2", []string{path("bin")}},
		{"on PATH, behind one that is broken", "", ".", "3.11.2", []string{path("broken", "silent", "bin")}},
		{"no such name", "python9", ".", "interpreter python9: not found in PATH", []string{path("bin")}},
		{"no such path", "env/bin/python", "project", "no such file or directory\nhint: a path is relative", []string{path("bin")}},
		{"no such environment", "", ".", "$VIRTUAL_ENV does not run", []string{path("bin"), "VIRTUAL_ENV=/nosuch"}},
		{"too old", "", ".", "too old, Python 3.9 is the oldest", []string{path("old", "bin")}},
		{"not a Python", "/bin/true", ".", "does not answer as a Python does", []string{path("bin")}},
		{"none", "", ".", "no Python found", []string{"PATH=" + dir}},
		{"none that runs", "", ".", "no Python runs: ", []string{"PATH=" + dir + "/broken"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Search{Key: tt.key, Dir: filepath.Join(dir, tt.dir), Env: tt.env}
			i, err := s.Find(context.Background())
			var fault *Error
			switch {
			case err == nil && i.Version != tt.want:
				t.Errorf("found %s at %s, want %s", i.Version, i.Path, tt.want)
			case err != nil && (!errors.As(err, &fault) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestAsk asks the interpreter of this machine, in a folder whose modules
// would shadow the standard library's.
func TestAsk(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "json.py"), "raise SystemExit('shadowed')\n")
	i, err := Search{Dir: dir, Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "PYTHONPATH=" + dir}}.Find(context.Background())
	if err != nil {
		t.Skipf("SKIPPED: no Python to ask: %v", err)
	}
	if !filepath.IsAbs(i.Path) || i.Implementation == "" || i.Version == "" || i.Prefix == "" || i.Build == "" {
		t.Errorf("an answer with gaps: %+v", i)
	}
	t.Logf("%+v", i)
}

// TestAskEnds holds that an interpreter that never answers is given up with
// all that it started.
func TestAskEnds(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "python3"), "#!/bin/sh\nsleep 600\n")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := Search{Key: path, Dir: "/", Env: []string{"PATH=/usr/bin:/bin"}}.Find(ctx)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}
