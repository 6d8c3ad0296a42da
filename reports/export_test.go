package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/analyzer/profile/foreign"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

func exported(t testing.TB, res *analyzer.Result, f ExportFormat, s Selection) (what string, out []byte) {
	t.Helper()
	e, err := NewExport(res, f, s)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Write(&b); err != nil {
		t.Fatal(err)
	}
	return e.What, b.Bytes()
}

// profiledRun is a result of one workload with profiles of two cells.
func profiledRun(t testing.TB) *analyzer.Result {
	res := withFlames(t, fixture(t, "mixed"))
	w := &res.Workloads[0]
	w.Flames = slices.DeleteFunc(w.Flames, func(f analyzer.Flame) bool { return f.Cell.Model != w.Recommendation.Model })
	f := &w.Flames[0]
	f.Set.Wall = stacks("wall", []string{"main.op;net/http.Get;runtime.selectgo 700", "main.op;main.resize[go.shape.int] 300"})
	f.Set.Merged = f.Set.Wall
	w.Flames = append(w.Flames, analyzer.Flame{
		Cell: plan.Cell{Workload: w.Name, Model: model.Sequential, Concurrency: 1},
		Set:  &profile.Set{CPU: stacks("cpu", []string{"main.op;main.resize 295"}), Ops: 100, Problem: "the wall profile of a trial is missing"},
	})
	res.Workloads = res.Workloads[:1]
	return res
}

func TestExportGolden(t *testing.T) {
	for _, f := range []struct {
		format ExportFormat
		ext    string
	}{{ExportSARIF, ".sarif"}, {ExportBenchmarkAction, ".bigger.json"}, {ExportBenchmarkActionSmaller, ".smaller.json"}} {
		for _, name := range []string{"lock", "three", "failed", "hostile"} {
			t.Run(string(f.format)+"/"+name, func(t *testing.T) {
				_, out := exported(t, fixture(t, name), f.format, Selection{})
				golden(t, name+f.ext, out)
			})
		}
	}
	res := profiledRun(t)
	for _, f := range []ExportFormat{ExportFolded, ExportSpeedscope} {
		_, out := exported(t, res, f, Selection{})
		golden(t, "profiled."+string(f), out)
	}
}

// What is exported without a choice is the recommended cell's wall time; what
// is asked for and not there is an error that lists what is.
func TestExportSelection(t *testing.T) {
	res := profiledRun(t)
	r := res.Workloads[0].Recommendation
	name := res.Workloads[0].Name
	for _, tt := range []struct {
		name   string
		format ExportFormat
		s      Selection
		what   string // begins what is exported
		err    string // or is part of the error
	}{
		{"recommended", ExportFolded, Selection{}, name + ", " + cellName(&res.Workloads[0].Flames[0]) + ", wall time of 100 ops", ""},
		{"pprof holds all", ExportPprof, Selection{}, name + ", " + cellName(&res.Workloads[0].Flames[0]) + ", wall, cpu and off-CPU time", ""},
		{"a model", ExportFolded, Selection{Model: model.Sequential}, name + ", sequential, cpu time of 100 ops", ""},
		{"per op", ExportPprof, Selection{Kind: record.CPUProfile, PerOp: true}, name + ", " + cellName(&res.Workloads[0].Flames[0]) + ", cpu time of 100 ops, per op", ""},
		{"speedscope holds all", ExportSpeedscope, Selection{}, "4 profiles, first " + name, ""},
		{"of one model", ExportSpeedscope, Selection{Model: r.Model}, "3 profiles, first " + name, ""},
		{"no such workload", ExportFolded, Selection{Workload: "x"}, "", `no workload "x"`},
		{"not profiled", ExportFolded, Selection{Model: model.Threads}, "", "threads of workload"},
		{"at another level", ExportFolded, Selection{Model: r.Model, Concurrency: 77}, "", " at 77 of workload"},
		{"no such kind", ExportFolded, Selection{Model: model.Sequential, Kind: record.OffCPUProfile}, "", "no offcpu profile of sequential"},
		{"merged as text", ExportFolded, Selection{Kind: record.MergedProfile}, "", "merged has three times"},
		{"pstats per op", ExportPstats, Selection{PerOp: true}, "", "pstats shows milliseconds"},
		{"a model of a run", ExportSARIF, Selection{Model: model.Pool}, "", "sarif is of a whole run"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := NewExport(res, tt.format, tt.s)
			if tt.err != "" {
				if se := (*SelectionError)(nil); !errors.As(err, &se) || !strings.Contains(err.Error(), tt.err) || se.Hint == "" {
					t.Errorf("error %v, want one with %q and a hint", err, tt.err)
				}
				return
			}
			if err != nil || !strings.HasPrefix(e.What, tt.what) {
				t.Errorf("%+v, %v, want %q", e, err, tt.what)
			}
		})
	}
	three := withFlames(t, fixture(t, "three"))
	if _, err := NewExport(three, ExportFolded, Selection{}); err == nil || !strings.Contains(err.Error(), "add --workload") {
		t.Errorf("of several workloads: %v", err)
	}
}

// go tool pprof reads what is exported, and says what it is of.
func TestPprofReadsExport(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED: no go command")
	}
	_, out := exported(t, profiledRun(t), ExportPprof, Selection{Kind: record.WallProfile})
	file := filepath.Join(t.TempDir(), "wall.pb.gz")
	if err := os.WriteFile(file, out, 0o644); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{"-top": "main.resize", "-comments": "from concprof: "} {
		got, err := exec.CommandContext(t.Context(), "go", "tool", "pprof", "-symbolize=none", flag, file).CombinedOutput()
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("go tool pprof %s: %v, without %q:\n%s", flag, err, want, got)
		}
	}
}

// Names in brackets, as Python has them, are not taken for templates of C++.
func TestPprofShowsPythonNames(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED: no go command")
	}
	p, err := foreign.Read([]byte("<module> (app.py:8);<lambda> (app.py:4) 2\n[gc] 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewForeignExport(p, "spy.txt", ExportPprof)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "spy.pb.gz")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Write(out), out.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := exec.CommandContext(t.Context(), "go", "tool", "pprof", "-top", file).CombinedOutput()
	for _, want := range []string{"<module>", "<lambda>", "[gc]"} {
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("go tool pprof -top: %v, without %q:\n%s", err, want, got)
		}
	}
}

// A log names no file outside of the module, and no absolute one.
func TestSARIF(t *testing.T) {
	for _, tt := range []struct {
		limit analyzer.Limit
		uri   string // "" where there is no file to annotate
	}{
		{analyzer.Limit{Function: "example.com/m/cache.(*Cache).Get", File: "cache/cache.go"}, "cache/cache.go"},
		{analyzer.Limit{Function: "example.com/m.Get", File: "odd name#1.go"}, "odd%20name%231.go"},
		{analyzer.Limit{Function: "sync.(*Mutex).Lock", File: "sync/mutex.go"}, ""},
		{analyzer.Limit{Function: "go.etcd.io/bbolt.(*DB).Update", File: "go.etcd.io/bbolt@v1.4.0/db.go"}, ""},
		{analyzer.Limit{Function: "github.com/x/y.F", File: "github.com/x/y/f.go"}, ""},
		{analyzer.Limit{Function: "m.F", File: "/home/me/f.go"}, ""},
		{analyzer.Limit{Function: "m.F", File: "a/../../f.go"}, ""},
		{analyzer.Limit{Function: "m.F", File: `C:\f.go`}, ""},
		{analyzer.Limit{Function: "m.F", File: "vendor/x/f.go"}, ""},
		{analyzer.Limit{Function: "fetch", File: "app/fetch.py"}, "app/fetch.py"},
		{analyzer.Limit{Function: "built-in step lock"}, ""},
	} {
		loc, ok := sarifPlace(tt.limit)
		if !ok {
			t.Errorf("%+v has no place", tt.limit)
		}
		got := ""
		if loc.Physical != nil {
			got = loc.Physical.Artifact.URI
		}
		if got != tt.uri {
			t.Errorf("%s is at %q, want %q", tt.limit.File, got, tt.uri)
		}
	}
	for _, name := range fixtures(t) {
		res := fixture(t, name)
		_, out := exported(t, res, ExportSARIF, Selection{})
		var log sarifLog
		if err := json.Unmarshal(out, &log); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != limitsOf(res.Workloads) {
			t.Errorf("%s: %d runs, %d limits", name, len(log.Runs), limitsOf(res.Workloads))
		}
		for _, r := range log.Runs[0].Results {
			if log.Runs[0].Tool.Driver.Rules[r.Index].ID != r.Rule {
				t.Errorf("%s: the rule of %+v is not at its index", name, r)
			}
			for _, l := range r.Locations {
				if p := l.Physical; p != nil && (path.IsAbs(p.Artifact.URI) || strings.HasPrefix(p.Artifact.URI, "..")) {
					t.Errorf("%s: %q is outside of the module", name, p.Artifact.URI)
				}
			}
		}
	}
}

// Every limit that an analysis can name has a rule.
func TestSARIFRules(t *testing.T) {
	known := map[analyzer.LimitKind]bool{}
	for _, r := range sarifRules {
		known[r.kind] = true
	}
	for _, k := range []analyzer.LimitKind{
		analyzer.LimitLock, analyzer.LimitGIL, analyzer.LimitGC, analyzer.LimitMemory,
		analyzer.LimitLoopStall, analyzer.LimitOversubscription, analyzer.LimitDownstream,
	} {
		if !known[k] {
			t.Errorf("no rule for the limit %s", k)
		}
	}
}

func TestForeignExport(t *testing.T) {
	p, err := foreign.Read([]byte("main (app.py:8);slow (app.py:4) 2\nmain (app.py:8) 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[ExportFormat]string{
		ExportFolded:     "main (app.py:8) 1\nmain (app.py:8);slow (app.py:4) 2\n",
		ExportSpeedscope: `"name":"spy.txt (from folded stacks`,
	} {
		e, err := NewForeignExport(p, "spy.txt", f)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := e.Write(&b); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v, without %q:\n%s", f, err, want, b.String())
		}
	}
	e, err := NewForeignExport(p, "spy.txt", ExportPprof)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Write(&b); err != nil {
		t.Fatal(err)
	}
	if again, err := foreign.Read(b.Bytes()); err != nil || again.Kind != foreign.Pprof || len(again.Data.Sample) != 2 {
		t.Errorf("read again: %+v, %v", again, err)
	}
	if _, err := NewForeignExport(p, "spy.txt", ExportSARIF); err == nil || !strings.Contains(err.Error(), "needs a run") {
		t.Errorf("as SARIF: %v", err)
	}
}
