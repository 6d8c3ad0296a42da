package workload

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/google/go-cmp/cmp"
)

func TestPythonTarget(t *testing.T) {
	for _, tt := range []struct {
		name, workload string
		want           model.Target
		interpreter    string
	}{
		{"one", "python: {module: m, sync: f}", model.Target{Kind: model.Python, Steps: 1}, ""},
		{"a pair", "python: {module: m, sync: f, async: g, interpreter: python3}", model.Target{Kind: model.Python, Steps: 1, Pair: true}, "python3"},
		{"steps", "steps: [{python: {module: m, sync: f}}, {python: {file: m.py, async: g, interpreter: p/python}}]", model.Target{Kind: model.Python, Steps: 2}, "p/python"},
		{"none", "steps: [{sleep: 1ms}]", model.Target{Kind: model.Steps, Steps: 1}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse("w.yaml", []byte("version: 1\nworkloads:\n  - name: w\n    "+tt.workload+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			w := &f.Workloads[0]
			if d := cmp.Diff(tt.want, w.Target()); d != "" {
				t.Error(d)
			}
			if got := w.Interpreter(); got != tt.interpreter {
				t.Errorf("interpreter %q, want %q", got, tt.interpreter)
			}
			for _, c := range w.Callables() {
				if c.Line != 4 {
					t.Errorf("a callable in line %d", c.Line)
				}
			}
		})
	}
}

func TestFromPython(t *testing.T) {
	for _, tt := range []struct {
		python      Python
		name, label string // "" for one that is refused
	}{
		{Python{Module: "scraper", Sync: "fetch"}, "scraper.fetch", "scraper:fetch"},
		{Python{Module: "a.b", Async: "C.f"}, "a.b.C.f", "a.b:C.f"},
		{Python{File: "jobs/resize.py", Sync: "resize", Async: "aresize"}, "resize.resize", "jobs/resize.py:resize,aresize"},
		{Python{Module: "m"}, "", ""},
		{Python{Sync: "f"}, "", ""},
		{Python{Module: "a..b", Sync: "f"}, "", ""},
	} {
		f, err := FromPython(tt.python)
		if err != nil {
			if tt.name != "" {
				t.Errorf("%+v: %v", tt.python, err)
			}
			continue
		}
		w := f.Workloads[0]
		if w.Name != tt.name || w.Python.Label() != tt.label || w.Python.Line != 0 || f.Dir != "." || len(f.Source) == 0 {
			t.Errorf("%+v is read as %q, %q", tt.python, w.Name, w.Python.Label())
		}
		if d := cmp.Diff(tt.python, *w.Python); d != "" {
			t.Error(d)
		}
	}
}

// TestPythonFiles holds that the files and folders that callables are loaded
// from must be there.
func TestPythonFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ok.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	text := `version: 1
workloads:
  - {name: ok, python: {file: ok.py, sync: f, path: [.]}}
  - {name: missing, python: {file: no.py, sync: f}}
  - {name: folder, python: {file: ., sync: f}}
  - {name: step, steps: [{python: {file: ok.py, sync: f, path: [lib, ok.py]}}]}
`
	path := filepath.Join(dir, "w.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	var faults *Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, f := range faults.List {
		got = append(got, f.Path+": "+f.Message)
	}
	want := []string{
		`workloads[1].python.file: file "no.py": no such file or directory`,
		`workloads[2].python.file: file "." is not a regular file`,
		`workloads[3].steps[0].python.path[0]: folder "lib": no such file or directory`,
		`workloads[3].steps[0].python.path[1]: path "ok.py" is not a folder`,
	}
	if d := cmp.Diff(strings.Join(want, "\n"), strings.Join(got, "\n")); d != "" {
		t.Error(d)
	}
}
