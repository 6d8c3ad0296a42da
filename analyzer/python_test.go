package analyzer

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

func pythonRun(t testing.TB, o op, private bool) Workload {
	t.Helper()
	l := newLab("op", o)
	p := l.plan(30, 8, pyModels, levels, "op")
	p.Workloads[0].Private, p.Workloads[0].Root = private, "/home/u/app"
	w := judged(t, l.drive(t, p, DefaultOptions())).Workloads[0]
	for _, e := range w.Evidence {
		t.Log(e)
	}
	for _, x := range w.Warnings {
		t.Log("warning", x.ID, x.Message)
	}
	return w
}

func limitOf(w Workload, kind LimitKind) *Limit {
	for i := range w.Limits {
		if w.Limits[i].Kind == kind {
			return &w.Limits[i]
		}
	}
	return nil
}

// The claims that people make of CPython's models, on simulated records.
func TestPythonVerdicts(t *testing.T) {
	tests := []struct {
		name      string
		op        op
		private   bool
		class     Class
		models    []model.Model
		low, high int
		limits    []LimitKind
		bound     float64 // of the GIL; 0: none is told
		rule      string
		agrees    bool
		better    bool
		code      string
	}{
		{name: "pure Python computes", op: op{cpu: 5e6, py: &pyOp{gil: 1, sync: true}},
			class: CPUBound, models: []model.Model{model.Sequential}, low: 1, high: 1, limits: []LimitKind{LimitGIL},
			bound: 1, rule: "gil", agrees: true, better: true, code: "[op(x) for x in inputs]"},
		{name: "the same with private state", op: op{cpu: 5e6, py: &pyOp{gil: 1, sync: true}}, private: true,
			class: CPUBound, models: []model.Model{model.Processes}, low: 2, high: 4, limits: []LimitKind{LimitGIL},
			bound: 1, rule: "gil", agrees: true, code: `if __name__ == "__main__":`},
		{name: "short ops with private state", op: op{cpu: 1e5, py: &pyOp{gil: 1, sync: true}}, private: true,
			class: CPUBound, models: []model.Model{model.Processes}, low: 2, high: 4, limits: []LimitKind{LimitGIL},
			bound: 1, rule: "gil", agrees: true, code: "list(pool.map(op, inputs, chunksize="},
		{name: "sha256 drops the GIL", op: op{cpu: 5e6, py: &pyOp{gil: 0.02, sync: true}},
			class: CPUBound, models: []model.Model{model.Pool}, low: 2, high: 2,
			bound: 50, rule: "computes", agrees: true, code: "with ThreadPoolExecutor(max_workers=2) as pool:"},
		{name: "waits for the network", op: op{cpu: 1e5, wait: 2e7, waits: record.Network, py: &pyOp{gil: 1}},
			class: IOBound, models: []model.Model{model.Pool}, low: 64, high: 64, bound: 201, rule: "waits", agrees: true,
			code: "with ThreadPoolExecutor(max_workers=64) as pool:"},
		{name: "one GIL bounds the I/O", op: op{cpu: 65e4, wait: 1e7, waits: record.Network, py: &pyOp{gil: 1}},
			class: IOBound, models: []model.Model{model.Pool}, low: 16, high: 64, limits: []LimitKind{LimitGIL}, bound: 16.4, rule: "waits", agrees: true,
			code: "ThreadPoolExecutor"},
		{name: "a blocking driver on the loop", op: op{cpu: 1e5, wait: 2e7, waits: record.Network, py: &pyOp{gil: 1, sync: true}},
			class: IOBound, models: []model.Model{model.Pool}, low: 64, high: 64, limits: []LimitKind{LimitLoopStall}, bound: 201, rule: "waits", agrees: true,
			code: "ThreadPoolExecutor"},
		{name: "half and half", op: op{cpu: 5e6, wait: 5e6, waits: record.Network, py: &pyOp{gil: 1}}, private: true,
			class: Mixed, models: []model.Model{model.Processes}, low: 4, high: 4, limits: []LimitKind{LimitGIL}, bound: 2, rule: "gil", agrees: true,
			code: "ProcessPoolExecutor"},
		{name: "free-threaded", op: op{cpu: 5e6, py: &pyOp{gil: 1, sync: true, noGIL: true}},
			class: CPUBound, models: []model.Model{model.Pool}, low: 2, high: 2, rule: "computes", agrees: true,
			code: "ThreadPoolExecutor"},
		{name: "free-threaded, with its GIL back on", op: op{cpu: 5e6, py: &pyOp{gil: 1, sync: true, back: true}},
			class: CPUBound, models: []model.Model{model.Sequential}, low: 1, high: 1, limits: []LimitKind{LimitGIL},
			bound: 1, rule: "gil", agrees: true, better: true, code: "[op(x) for x in inputs]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := pythonRun(t, tt.op, tt.private)
			r, p := w.Recommendation, w.Prediction
			if w.Class != tt.class || r == nil || p == nil {
				t.Fatalf("class %s, recommendation %+v, undecided %q", w.Class, r, w.Undecided)
			}
			t.Logf("%+v\n%+v\n%+v\n%s", *p, w.GIL, w.Loop, strings.Join(r.Why, "\n"))
			if !slices.Contains(tt.models, r.Model) || r.Concurrency < tt.low || r.Concurrency > tt.high {
				t.Errorf("recommends %s at %d, want %v at %d to %d", r.Model, r.Concurrency, tt.models, tt.low, tt.high)
			}
			var limits []LimitKind
			for _, l := range w.Limits {
				limits = append(limits, l.Kind)
			}
			if !slices.Equal(limits, tt.limits) {
				t.Errorf("limits %v, want %v", limits, tt.limits)
			}
			if tt.bound == 0 != (w.GIL == nil) || w.GIL != nil && (w.GIL.Bound < tt.bound*0.95 || w.GIL.Bound > tt.bound*1.05) {
				t.Errorf("GIL %+v, want a bound of %v", w.GIL, tt.bound)
			}
			if p.Rule != tt.rule || p.Agrees != tt.agrees {
				t.Errorf("prediction %+v, want rule %s, agrees %v", p, tt.rule, tt.agrees)
			}
			if tt.better != (len(r.Better) == 1) {
				t.Errorf("better %+v", r.Better)
			}
			if code := strings.Join(r.Code, "\n"); !strings.Contains(code, tt.code) {
				t.Errorf("code without %q:\n%s", tt.code, code)
			}
		})
	}
}

func TestLoopStallHasItsPlace(t *testing.T) {
	w := pythonRun(t, op{cpu: 1e5, wait: 2e7, waits: record.Network, py: &pyOp{gil: 1, sync: true}}, false)
	l := limitOf(w, LimitLoopStall)
	if l == nil || l.Function != "fetch" || l.File != "app.py" || l.Line != 12 || l.Share < 0.9 {
		t.Fatalf("%+v", l)
	}
	if !w.Loop.Stalls || w.Loop.Blocking == nil || len(warnings(w, WarnLoopStall)) != 1 {
		t.Errorf("%+v, %+v", w.Loop, w.Warnings)
	}
	// A step that computes for long is another kind of stall.
	w = pythonRun(t, op{cpu: 1e8, wait: 1e8, waits: record.Network, py: &pyOp{gil: 1}}, false)
	if l := limitOf(w, LimitLoopStall); l == nil || !strings.Contains(warnings(w, WarnLoopStall)[0].Message, "computes for 100 ms without an await") {
		t.Errorf("%+v, %+v", l, w.Warnings)
	}
	// And awaiting is none.
	w = pythonRun(t, op{cpu: 1e5, wait: 2e7, waits: record.Network, py: &pyOp{gil: 1}}, false)
	if len(w.Limits) > 0 || len(w.Loop.Awaits) != 1 || w.Loop.Awaits[0].Function != "fetch" || w.Loop.Awaits[0].Wait != record.Network {
		t.Errorf("%+v, %+v", w.Limits, w.Loop)
	}
	for _, c := range w.Cells {
		if c.Model == model.EventLoop && c.Waits != nil && c.Waits["network"] < 0.5 {
			t.Errorf("waits of the event loop: %v", c.Waits)
		}
	}
}

// On a busy host threads wait for a GIL whose holder has no processor: that is
// no limit where ops hold it shortly, and still one where it is held all along.
func TestGILHolderWithoutProcessor(t *testing.T) {
	for _, tt := range []struct {
		name          string
		gil, foreign  float64
		limit, saidOf bool
	}{
		{"sha256, busy", 0.02, 0.6, false, true},
		{"sha256, quiet", 0.02, 0, false, false}, // threads gain what the processors allow
		{"Python, busy", 1, 0.6, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 5e6, foreign: tt.foreign, py: &pyOp{gil: tt.gil, sync: true}})
			run := l.drive(t, l.plan(30, 8, pyModels, []int{1, 2, 4}, "op"), DefaultOptions())
			for i := range run.Finished {
				if p := run.Finished[i].Record.Python; p != nil && run.Finished[i].Trial.Pass == plan.Contention {
					q := *p
					q.GILWaitNs = (q.PythonNs + q.NativeGILNs + q.NativeNs + q.RunnableNs) / 4
					run.Finished[i].Record.Python = &q
				}
			}
			w := judged(t, run).Workloads[0]
			said := slices.ContainsFunc(w.Evidence, func(e string) bool { return strings.Contains(e, "that its holder lacks") })
			if (limitOf(w, LimitGIL) != nil) != tt.limit || said != tt.saidOf {
				t.Errorf("limits %+v, %v", w.Limits, w.Evidence)
			}
		})
	}
}

// Ops of a microsecond hardly wait for the GIL: threads take turns where the next
// op is handed to them. What an op alone holds it for tells all the same.
func TestGILOfShortOps(t *testing.T) {
	for _, tt := range []struct {
		gil   float64
		limit bool
	}{{1, true}, {0.02, false}} {
		l := newLab("op", op{cpu: 5e6, py: &pyOp{gil: tt.gil, sync: true}})
		run := l.drive(t, l.plan(30, 8, pyModels, []int{1, 2, 4}, "op"), DefaultOptions())
		for i := range run.Finished {
			f := &run.Finished[i]
			if p := f.Record.Python; p != nil && f.Trial.Pass == plan.Contention {
				q := *p
				q.GILWaitNs = (q.PythonNs + q.NativeGILNs + q.NativeNs) / 50
				f.Record.Python = &q
			}
			if f.Trial.Cell.Model != model.Sequential && f.Trial.Control == "" {
				f.Record = slower(f.Record, 4) // by handing over
			}
		}
		if w := judged(t, run).Workloads[0]; (limitOf(w, LimitGIL) != nil) != tt.limit {
			t.Errorf("holding the GIL for %g: limits %+v, %v", tt.gil, w.Limits, w.Evidence)
		}
	}
}

// What the reader could not see is not judged.
func TestNoReaderNoGIL(t *testing.T) {
	l := newLab("op", op{cpu: 5e6, py: &pyOp{gil: 1, sync: true}})
	run := l.drive(t, l.plan(20, 8, pyModels, []int{1, 2, 4}, "op"), DefaultOptions())
	for i := range run.Finished {
		if p := run.Finished[i].Record.Python; p != nil {
			q := *p
			q.Approximate = "the layout of CPython 3.99 is not known"
			run.Finished[i].Record.Python = &q
		}
	}
	w := judged(t, run).Workloads[0]
	if w.GIL != nil || limitOf(w, LimitGIL) != nil || len(warnings(w, WarnReader)) != 1 {
		t.Errorf("%+v, %+v, %+v", w.GIL, w.Limits, w.Warnings)
	}
}

func TestErrorHandling(t *testing.T) {
	w := pythonRun(t, op{cpu: 1e6, failEvery: 10, py: &pyOp{gil: 1, raises: "ValueError", notes: []string{"a cancelled sibling"}}}, false)
	if len(w.ErrorHandling) < 4 {
		t.Fatalf("%+v", w.ErrorHandling)
	}
	for _, h := range w.ErrorHandling {
		if h.FailedOps == 0 || len(h.Errors) != 1 || h.Errors[0].Type != "ValueError" || h.Errors[0].Count != h.FailedOps || !slices.Equal(h.Notes, []string{"a cancelled sibling"}) {
			t.Errorf("%+v", h)
		}
	}
	if w := pythonRun(t, op{cpu: 1e6, py: &pyOp{gil: 1}}, false); w.ErrorHandling != nil {
		t.Errorf("%+v", w.ErrorHandling)
	}
}

func TestPythonArtefacts(t *testing.T) {
	io := func(p pyOp) op { return op{cpu: 2e5, wait: 2e7, waits: record.Network, py: &p} }
	more, less := io(pyOp{gil: 1}), op{cpu: 5e6, py: &pyOp{gil: 0.5, sync: true}}
	more.extra = map[model.Model]float64{model.EventLoop: 1.6}
	less.extra = map[model.Model]float64{model.Pool: 0.5}
	tests := []struct {
		name string
		op   op
		warn string
		want bool
	}{
		{"less CPU in a pool", less, WarnLessCPU, true},
		{"more CPU on the loop", more, WarnCPUPerOp, true},
		{"as much", io(pyOp{gil: 1}), WarnCPUPerOp, false},
		{"short ops", op{cpu: 1e5, py: &pyOp{gil: 1}, extra: map[model.Model]float64{model.Threads: 4}}, WarnGranularity, true},
		{"long ops", op{cpu: 2e7, py: &pyOp{gil: 1}, extra: map[model.Model]float64{model.Threads: 4}}, WarnGranularity, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := pythonRun(t, tt.op, false)
			if got := len(warnings(w, tt.warn)); got != btoi(tt.want) {
				t.Errorf("%d warnings %s", got, tt.warn)
			}
		})
	}
}

// TestBatches holds that code for subinterpreters, whose map knows no
// chunksize, makes batches where it was measured with some.
func TestBatches(t *testing.T) {
	for rate, want := range map[float64]string{
		100:    "results = list(pool.map(op, inputs))",
		20_000: "batches = [inputs[i : i + 20] for i in range(0, len(inputs), 20)]",
	} {
		l := newLoad(&plan.Workload{Target: model.Target{Kind: model.Python, Steps: 1}}, 2)
		rec := record.Record{Status: record.OK, Ops: int64(rate), WallNs: 1e9}
		j := &judgement{load: l, view: &view{o: DefaultOptions()}, results: []outcome{{cell: l.baseline(), timing: []plan.Finished{{Record: rec}}}}}
		if code := strings.Join(j.pythonCode(model.Subinterpreters, 2), "\n"); !strings.Contains(code, want) {
			t.Errorf("at %v/s no %q in\n%s", rate, want, code)
		}
	}
}

// TestBatch holds that code hands over as much at a time as the probe did.
func TestBatch(t *testing.T) {
	probe, err := os.ReadFile(filepath.Join("..", "probes", "internal", "python", "probe", "concprof_probe", "executor.py"))
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	if o.Batch != time.Millisecond || o.MaxBatch != 256 || !strings.Contains(string(probe), "\nCHUNK_NS, MAX_CHUNK = 1_000_000, 256 ") {
		t.Errorf("%v and %d are not the probe's CHUNK_NS and MAX_CHUNK", o.Batch, o.MaxBatch)
	}
}

func TestPythonHybridCode(t *testing.T) {
	l := newLoad(&plan.Workload{Target: model.Target{Kind: model.Python, Steps: 2}}, 2)
	j := &judgement{load: l, view: &view{o: DefaultOptions()}, out: Workload{
		GIL:   &GIL{Share: 0.9, Bound: 1.1},
		Steps: []Step{{Name: "fetch", Class: IOBound}, {Name: "parse", Class: CPUBound, Offload: true}},
	}}
	code := strings.Join(j.pythonHybrid(8), "\n")
	for _, want := range []string{"asyncio.Semaphore(8)", "v0 = await step1(x)  # fetch", "await asyncio.to_thread(step2, v0)  # parse computes", "return v1"} {
		if !strings.Contains(code, want) {
			t.Errorf("no %q in\n%s", want, code)
		}
	}
	l.w.Private = true
	if code := strings.Join(j.pythonHybrid(8), "\n"); !strings.Contains(code, "run_in_executor(cores, step2, v0)") {
		t.Errorf("no process pool in\n%s", code)
	}
}

// readerProfiles returns profiles as the Python reader writes them: samples of
// fetch (app.py:12) in these states, in nanoseconds.
func readerProfiles(t testing.TB, states map[string]int64) (cpu, wall []byte) {
	t.Helper()
	encode := func(unit string, only string) []byte {
		m := &pprof.Mapping{ID: 1, File: "python"}
		p := &pprof.Profile{
			SampleType: []*pprof.ValueType{{Type: "samples", Unit: "count"}, {Type: unit, Unit: "nanoseconds"}},
			PeriodType: &pprof.ValueType{Type: unit, Unit: "nanoseconds"}, Period: 1e7, DurationNanos: 1e9,
			Comments: []string{"concprof python reader 1"}, Mapping: []*pprof.Mapping{m},
		}
		var locations []*pprof.Location
		for i, f := range []pprof.Function{{Name: "<call> work", Filename: "/home/u/app/app.py"}, {Name: "fetch", Filename: "/home/u/app/app.py"}, {Name: "concprof_op"}} {
			f.ID = uint64(i + 1)
			p.Function = append(p.Function, &f)
			locations = append(locations, &pprof.Location{ID: f.ID, Mapping: m, Line: []pprof.Line{{Function: &f, Line: 12}}})
		}
		p.Location = locations
		for _, state := range slices.Sorted(maps.Keys(states)) {
			name, wait, _ := strings.Cut(state, " ")
			labels := map[string][]string{"state": {name}}
			switch {
			case name == "running":
				labels["gil"] = []string{wait}
			case wait != "":
				labels["wait"] = []string{wait}
			}
			if only == "" || name == only {
				p.Sample = append(p.Sample, &pprof.Sample{Location: locations, Value: []int64{1, states[state]}, Label: labels})
			}
		}
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	return encode("cpu", "running"), encode("wall", "")
}

// With profiles the limit has the place where ops hold the GIL, and the cells
// show what ops wait for.
func TestPythonProfilesAreUsed(t *testing.T) {
	l := newLab("op", op{cpu: 5e6, wait: 1e6, waits: record.Network, py: &pyOp{gil: 1}})
	p := l.plan(20, 8, pyModels, []int{1, 2, 4}, "op")
	p.Workloads[0].Root = "/home/u/app"
	run := l.drive(t, p, DefaultOptions())
	cpu, wall := readerProfiles(t, map[string]int64{"running held": 4e7, "running none": 1e7, "blocked network": 1e7, "gil-wait gil": 4e7})
	res, err := analyze(run, DefaultOptions(), profiledRun(run, cpu, wall, 100))
	if err != nil {
		t.Fatal(err)
	}
	w := res.Workloads[0]
	if limit := limitOf(w, LimitGIL); limit == nil || limit.Function != "fetch" || limit.File != "app.py" || limit.Line != 12 {
		t.Errorf("%+v", limit)
	}
	for _, c := range w.Cells {
		if c.Model == model.Pool && c.Waits != nil && (c.Waits["gil"] != 0.4 || c.Waits["on_cpu"] != 0.5 || c.Waits["network"] != 0.1) {
			t.Errorf("pool at %d: %v", c.Concurrency, c.Waits)
		}
	}
	if len(w.Flames) == 0 {
		t.Fatal("no flames")
	}
	for _, f := range w.Flames {
		if f.Set.Merged == nil || len(f.Set.Merged.SampleType) != 4 {
			t.Errorf("%v: %+v", f.Cell, f.Set)
		}
	}
	if all := strings.Join(w.Evidence, "\n"); !strings.Contains(all, "most of that in fetch (app.py:12)") || strings.Contains(all, "/home") {
		t.Errorf("evidence\n%s", all)
	}
}

// What a coroutine awaits, alone, has no stack: its tasks tell.
func TestAwaitsOfSequentialAreWaits(t *testing.T) {
	l := newLab("op", op{cpu: 1e5, wait: 2e7, py: &pyOp{gil: 1}})
	run := l.drive(t, l.plan(20, 8, pyModels, []int{1, 8}, "op"), DefaultOptions())
	for i := range run.Finished {
		f := &run.Finished[i]
		if f.Trial.Pass == plan.Classify {
			wall := f.Record.WallNs
			f.Record.Loop = &record.Loop{Turns: 1, Tasks: &record.Tasks{WallNs: wall / 4, Awaits: []record.Await{
				{Frames: []record.Frame{{Function: "fetch", File: "/x/app.py", Line: 3}}, Wait: record.Network, WallNs: wall / 5},
			}}}
		}
	}
	w := judged(t, run).Workloads[0]
	if kind, share := leading(w.Waits); kind != record.Network || share < 0.9 || !strings.Contains(strings.Join(w.Evidence, "\n"), "fetch (x/app.py:3)") {
		t.Errorf("%v\n%s", w.Waits, strings.Join(w.Evidence, "\n"))
	}
}
