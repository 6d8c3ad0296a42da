package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/workload"
	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *workload.File {
	t.Helper()
	f, err := workload.Parse("workload.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func cells(w Workload) string {
	var out []string
	for _, c := range w.Cells {
		out = append(out, strings.TrimPrefix(c.String(), w.Name+"/"))
	}
	return strings.Join(out, " ")
}

const unset = -1

func TestCells(t *testing.T) {
	const steps = "version: 1\nworkloads:\n  - name: w\n    steps: [{sleep: 1ms}, {cpu: {kind: json, for: 1ms}}]\n"
	const command = "version: 1\nworkloads:\n  - name: w\n    command: [true]\n"
	for _, tt := range []struct {
		name, file string
		settings   Settings
		want       string
	}{
		{"processes by default up to twice the cores", steps, Settings{Models: []model.Model{model.Processes}, Cores: 2}, "sequential/1 processes/1 processes/2 processes/4"},
		{"processes as far as is asked", steps, Settings{Models: []model.Model{model.Processes}, Concurrency: []int{8}, Cores: 2}, "sequential/1 processes/8"},
		{"sequential only", steps, Settings{Models: []model.Model{model.Sequential}}, "sequential/1"},
		{"levels are sorted, models ranked", steps, Settings{Models: []model.Model{model.Hybrid, model.Pool}, Concurrency: []int{8, 1, 8}}, "sequential/1 pool/1 pool/8 hybrid/1 hybrid/8"},
		{"a command", command, Settings{Concurrency: []int{4}}, "sequential/1 pool/4"},
		{"the flag goes before the workload before the file", steps + "    models: [pool]\nmodels: [threads]\nmeasure: {concurrency: [3]}\n", Settings{}, "sequential/1 pool/3"},
		{"all for one workload", steps + "    models: all\nmodels: [pool]\nmeasure: {concurrency: [3]}\n", Settings{}, "sequential/1 pool/3 goroutines/3 event-loop/3 threads/3 hybrid/3 processes/3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.settings.Warmup = unset
			p, err := Build(parse(t, tt.file), tt.settings)
			if err != nil {
				t.Fatal(err)
			}
			if got := cells(p.Workloads[0]); got != tt.want {
				t.Errorf("cells\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	p, err := Build(parse(t, "version: 1\nworkloads:\n  - name: w\n    steps: [{sleep: 1ms}, {sleep: 2ms}]\n"), Settings{Warmup: unset, Runs: unset, Cores: 2})
	if err != nil {
		t.Fatal(err)
	}
	w := p.Workloads[0]
	w.Cells, w.Skipped = nil, nil
	want := Workload{
		Name: "w", Target: model.Target{Kind: model.Steps, Steps: 2}, Label: "sleep 1ms + sleep 2ms", Steps: []string{"sleep", "sleep-2"},
		Runs: 10, Warmup: 1, BudgetNs: int64(time.Minute), TimeoutNs: int64(30 * time.Second), MaxLevel: MaxAdded, Objective: "throughput",
	}
	if d := cmp.Diff(want, w); d != "" {
		t.Error(d)
	}
}

func TestSkipped(t *testing.T) {
	p, err := Build(parse(t, "version: 1\nworkloads:\n  - name: w\n    steps: [{sleep: 1ms}]\n"), Settings{Warmup: unset})
	if err != nil {
		t.Fatal(err)
	}
	var got []model.Model
	for _, s := range p.Workloads[0].Skipped {
		if s.Reason == "" {
			t.Errorf("%s is skipped without a reason", s.Model)
		}
		got = append(got, s.Model)
	}
	if d := cmp.Diff([]model.Model{model.Hybrid, model.Subinterpreters}, got); d != "" {
		t.Error(d)
	}
}

// TestPython holds which models Python targets get, and that one which the
// interpreter lacks is left out once that is known.
func TestPython(t *testing.T) {
	for _, tt := range []struct{ name, workload, label, skipped string }{
		{"one", "python: {module: m, sync: f}", "m:f", "goroutines hybrid"},
		{"a pair", "python: {module: m, sync: f, async: g}", "m:f,g", "goroutines"},
		{"steps", "steps: [{python: {module: m, sync: f}}, {python: {file: x.py, async: g}}]", "m:f + x.py:g", "goroutines"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Build(parse(t, "version: 1\nworkloads:\n  - name: w\n    "+tt.workload+"\n"), Settings{Warmup: unset})
			if err != nil {
				t.Fatal(err)
			}
			w := &p.Workloads[0]
			skipped := func() string {
				var names []string
				for _, s := range w.Skipped {
					names = append(names, string(s.Model))
				}
				return strings.Join(names, " ")
			}
			if w.Label != tt.label || skipped() != tt.skipped {
				t.Errorf("label %q, skipped %q", w.Label, skipped())
			}
			before := len(w.Cells)
			w.LeaveOut(model.Subinterpreters, "too old")
			w.LeaveOut(model.Goroutines, "again")
			w.LeaveOut(model.Sequential, "never")
			if skipped() != tt.skipped+" subinterpreters" || len(w.Cells) != before-len(workload.DefaultConcurrency()) || w.Cells[0].Model != model.Sequential {
				t.Errorf("skipped %q, cells %v", skipped(), w.Cells)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	const file = "version: 1\nworkloads:\n  - name: w\n    steps: [{sleep: 1ms}]\n"
	for _, tt := range []struct {
		name, file string
		settings   Settings
		want       string
	}{
		{"budget", file, Settings{Budget: time.Second}, "cannot hold the least plan"},
		{"max_ops", file + "    max_ops: 3\n", Settings{}, "max_ops 3 cannot hold"},
		{"workload", file, Settings{Workloads: []string{"x"}}, `unknown workload "x"`},
		{"concurrency 0", file, Settings{Concurrency: []int{0}}, "concurrency 0 is out of range"},
		{"concurrency 10^9", file, Settings{Concurrency: []int{1e9}}, "concurrency 1000000000 is out of range"},
		{"runs", file, Settings{Runs: 5000}, "5000 runs"},
		{"budget of 1000h", file, Settings{Budget: 1000 * time.Hour}, "out of range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.settings.Warmup = unset
			_, err := Build(parse(t, tt.file), tt.settings)
			var setting *SettingError
			if !errors.As(err, &setting) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want a SettingError with %q", err, tt.want)
			}
			t.Log(err, "/", setting.Hint)
		})
	}
}

// TestSuggestedBudget holds the hint to its word.
func TestSuggestedBudget(t *testing.T) {
	f := parse(t, "version: 1\nworkloads:\n  - name: w\n    steps: [{sleep: 1ms}]\n")
	p, err := Build(f, Settings{Warmup: unset})
	if err != nil {
		t.Fatal(err)
	}
	least := p.Bounds().MinTime // of one workload and all controls
	if _, err := Build(f, Settings{Warmup: unset, Budget: seconds(least)}); err != nil {
		t.Errorf("the budget that the hint names is refused: %v", err)
	}
	if _, err := Build(f, Settings{Warmup: unset, Budget: least - 1}); err == nil {
		t.Error("a budget below the least is accepted")
	}
}

// A function of the workload file's own folder goes by its name.
func TestLabels(t *testing.T) {
	for pkg, want := range map[string]string{".": "Panic", "./internal/thumb": "./internal/thumb.Panic", "example.com/m": "example.com/m.Panic"} {
		if got := goLabel(&workload.GoFunc{Package: pkg, Func: "Panic"}); got != want {
			t.Errorf("package %q: %q, want %q", pkg, got, want)
		}
	}
	for expr, want := range map[string]string{
		"\n// a comment\nfunc(n int) error {\n\treturn nil\n}\n": "func(n int) error { …",
		"New().Add\n":           "New().Add",
		strings.Repeat("é", 80): strings.Repeat("é", 72) + " …",
	} {
		if got := goLabel(&workload.GoFunc{Package: ".", Func: expr}); got != want {
			t.Errorf("%q: %q, want %q", expr, got, want)
		}
	}
}

// Conditions of the command line replace those of the file, and claims go with
// their workloads.
func TestGatesAndClaims(t *testing.T) {
	file := &workload.File{
		Workloads: []workload.Workload{{Name: "nap", Steps: []workload.Step{{Sleep: &workload.Sleep{For: 1e6}}}, Claim: &workload.Claim{Says: "x", Expect: "limit == none"}}},
		Gate:      []string{"class == io-bound"},
	}
	p, err := Build(file, Settings{Runs: -1, Warmup: -1})
	if err != nil || len(p.Workloads[0].Gate) != 1 || p.Workloads[0].Claim == nil || p.Workloads[0].Claim.Expect != "limit == none" {
		t.Errorf("%+v, %v", p, err)
	}
	p, err = Build(file, Settings{Runs: -1, Warmup: -1, Gate: []string{"speedup > 2", "limit != gil"}})
	if err != nil || len(p.Workloads[0].Gate) != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := Build(file, Settings{Gate: []string{"faster"}}); err == nil {
		t.Error("a gate that cannot be read is taken")
	}
}
