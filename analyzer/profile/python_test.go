package profile_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/record"
)

// A look is a sample of the Python reader: its frames from the root on as
// "function@file:line", and its labels.
type look struct {
	stack            string
	ns               int64
	state, wait, gil string
}

const (
	app    = "/home/u/app/app.py"
	stdlib = "/usr/lib/python3.11/json/decoder.py"
	site   = "/home/u/app/.venv/lib/python3.11/site-packages/requests/api.py"
)

// python builds a profile as the Python reader writes it and reads it back.
func python(t testing.TB, unit string, looks ...look) *pprof.Profile {
	t.Helper()
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: "samples", Unit: "count"}, {Type: unit, Unit: "nanoseconds"}},
		PeriodType: &pprof.ValueType{Type: unit, Unit: "nanoseconds"}, Period: 1e7, DurationNanos: 1e9, TimeNanos: 1,
		Comments: []string{"concprof python reader 1"},
	}
	m := &pprof.Mapping{ID: 1, File: "python", HasFunctions: true}
	p.Mapping = []*pprof.Mapping{m}
	for _, l := range looks {
		// Counts say nothing: the reader may have looked at a part of the threads.
		s := &pprof.Sample{Value: []int64{1, l.ns}, Label: map[string][]string{}}
		for k, v := range map[string]string{"state": l.state, "wait": l.wait, "gil": l.gil} {
			if v != "" {
				s.Label[k] = []string{v}
			}
		}
		for i, f := range strings.Split("concprof_op@/tmp/x/concprof_probe/op.py "+l.stack, " ") {
			if f == "" {
				continue
			}
			name, file, _ := strings.Cut(strings.ReplaceAll(f, "<call>_", "<call> "), "@")
			fn := &pprof.Function{ID: uint64(len(p.Function) + 1), Name: name, SystemName: name, Filename: file}
			p.Function = append(p.Function, fn)
			loc := &pprof.Location{ID: fn.ID, Mapping: m, Line: []pprof.Line{{Function: fn, Line: int64(10 + i)}}}
			p.Location = append(p.Location, loc)
			s.Location = append([]*pprof.Location{loc}, s.Location...)
		}
		p.Sample = append(p.Sample, s)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	read, err := profile.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func someLooks() []look {
	return []look{
		{"fetch@" + app + " loads@" + stdlib, 30, "running", "", "held"},
		{"fetch@" + app + " <call>_zlib.crc32@" + app, 20, "running", "", "none"},
		{"fetch@" + app, 5, "runnable", "", ""},
		{"fetch@" + app + " get@" + site + " <call>_socket.recv@" + site, 40, "blocked", "network", "none"},
		{"fetch@" + app + " <call>_sqlite3.step@" + app, 10, "blocked", "file", "held"},
		{"fetch@" + app, 25, "gil-wait", "gil", ""},
	}
}

func TestPythonIsDerivedFromItsLabels(t *testing.T) {
	wall := python(t, "wall", someLooks()...)
	cpu := python(t, "cpu", someLooks()[:2]...)
	set := profile.Derive([]profile.Raw{{CPU: cpu, Wall: wall, Ops: 10, Workload: "w", Model: "pool", Concurrency: 8}}, "")
	if set.Problem != "" || set.Residual != 0 {
		t.Fatalf("problem %q, residual %v", set.Problem, set.Residual)
	}
	for _, tt := range []struct {
		name string
		p    *pprof.Profile
		want []int64
	}{
		{"cpu", set.CPU, []int64{50}}, {"wall", set.Wall, []int64{130}}, {"offcpu", set.OffCPU, []int64{80}},
		{"merged", set.Merged, []int64{130, 50, 80, 25}},
	} {
		var got []int64
		var names []string
		for col, typ := range tt.p.SampleType {
			got, names = append(got, total(tt.p, col)), append(names, typ.Type)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v of %v, want %v", tt.name, got, names, tt.want)
		}
	}
	want := []string{
		"concprof_op:0 fetch:11 <call> sqlite3.step:12 state=blocked wait=file [10]",
		"concprof_op:0 fetch:11 get:12 <call> socket.recv:13 state=blocked wait=network [40]",
		"concprof_op:0 fetch:11 state=gil-wait wait=gil [25]",
		"concprof_op:0 fetch:11 state=runnable [5]",
	}
	if diff := cmp.Diff(want, folded(set.OffCPU)); diff != "" {
		t.Errorf("off-CPU (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(set.Merged.Sample, func(s *pprof.Sample) bool { return slices.Equal(s.Label["gil"], []string{"held"}) }) {
		t.Error("no sample says that it holds the GIL")
	}
	if n := profile.Tree(set.Merged, profile.TypeGILWait); n == nil || n.Total != 25 || n.Children[0].Name != profile.PythonAnchor {
		t.Errorf("tree of gilwait: %+v", n)
	}
	if per := profile.PerOp(set.Merged, set.Ops); total(per, 0) != 13 {
		t.Errorf("per op: %d", total(per, 0))
	}
	if b := new(bytes.Buffer); profile.Write(b, set.Merged) != nil {
		t.Error("merged cannot be written")
	}
}

func TestPythonWithoutItsCPUProfile(t *testing.T) {
	set := profile.Derive([]profile.Raw{{Wall: python(t, "wall", someLooks()...), Ops: 1}}, "")
	if set.OffCPU == nil || set.Wall == nil || set.CPU != nil || set.Merged != nil || set.Problem != "the CPU profile of a trial is missing" {
		t.Errorf("%+v", set)
	}
}

func TestPythonWaits(t *testing.T) {
	wall := python(t, "wall", append(someLooks(), look{"f@" + app, 1, "dreaming", "of sheep", ""})...)
	w := profile.Options{}.Waits(wall, wall)
	if !w.Seen || w.Samples != 262 || w.Running != 100 || w.Runnable != 10 || w.HeldGIL != 80 || len(w.Ambiguous) != 0 {
		t.Errorf("%+v", w)
	}
	want := map[record.Wait]int64{record.Network: 80, record.File: 20, record.GIL: 50, record.Other: 2}
	if diff := cmp.Diff(want, w.Blocked); diff != "" {
		t.Errorf("blocked (-want +got):\n%s", diff)
	}
	// The place is the user's own line, also of what a package or C does.
	for _, kind := range []record.Wait{record.Network, record.File, record.GIL} {
		if p := w.Places[kind][0]; p.Function != "fetch" || p.File != app || p.Line != 11 {
			t.Errorf("%s: %+v", kind, p)
		}
	}
	if len(w.Holders) != 1 || w.Holders[0].Function != "fetch" || w.Holders[0].Samples != 80 {
		t.Errorf("holders %+v", w.Holders)
	}
}

func TestPythonUserCode(t *testing.T) {
	tests := []struct {
		function, file string
		want           bool
	}{
		{"fetch", app, true},
		{"Scraper.fetch.<locals>.<lambda>", "/home/u/python3.11/app.py", true},
		{"loads", stdlib, false},
		{"loads", "/opt/py/lib/python3.13t/json/__init__.py", false},
		{"get", site, false},
		{"get", "/usr/lib/python3/dist-packages/requests/api.py", false},
		{"_find_and_load", "<frozen importlib._bootstrap>", false},
		{"__init__", "<string>", false},
		{"<call> time.sleep", app, false},
		{"concprof_op", "", false},
		{"run", "/tmp/concprof-1/concprof_probe/main.py", false},
		{"run", "/tmp/concprof-1/concprof_probe.py", false},
		{"<module>", "/tmp/concprof-1/concprof_start.py", false},
		{"run", "/home/me/concprof_ops.py", true},
		{"run", "/home/me/concprof_probe/bench/ops.py", true},
	}
	for _, tt := range tests {
		if got := profile.UserCode(profile.Frame{Function: tt.function, File: tt.file}); got != tt.want {
			t.Errorf("UserCode(%s in %s) = %v, want %v", tt.function, tt.file, got, tt.want)
		}
	}
}
