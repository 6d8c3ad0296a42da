package analyzer

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// An op is what the simulator runs: times in nanoseconds.
type op struct {
	cpu, wait float64 // of one op alone
	waits     record.Wait
	lock      float64 // part of its time, CPU first, that holds one mutex
	noise     float64 // relative standard deviation between trials
	failEvery int64
	foreign   float64 // share of the cores that other programs take
	wrong     map[model.Model]bool
	races     int64 // that the race detector finds
	broken    map[model.Model]record.Status
	dryFails  bool
	cap       int     // most ops that a downstream serves at once
	rate      float64 // at which ops arrive in trials that time, per second; 0 for none
	steps     []op
	names     []string
	noDigest  bool
	gc        float64 // collector's CPU time, of an op's
	flaky     bool    // results differ from run to run
	// scaleCost multiplies CPU by a model.
	extra map[model.Model]float64
	py    *pyOp // of a Python callable
}

// A pyOp is what is particular of a Python callable.
type pyOp struct {
	gil    float64 // share of its CPU time under the GIL
	sync   bool    // it blocks the loop instead of awaiting
	system float64 // share of its CPU time in the kernel, under asyncio
	noGIL  bool    // the interpreter has none
	back   bool    // it has none until the op is imported
	notes  []string
	raises string // the type of what failing ops raise
}

// A lab is a simulated machine with workloads. Its records depend on the
// trial and the seed only, not on when a trial runs.
type lab struct {
	ops   map[string]op
	cores int
	seed  uint64
	time  float64 // factor on every duration, 1 for none
	start float64 // overhead of a trial, ns
}

func (l *lab) run(t plan.Trial) record.Record {
	o := l.ops[t.Cell.Workload]
	switch t.Control {
	case plan.ControlCPU:
		o = op{cpu: 2e6, foreign: l.foreign()}
	case plan.ControlWait:
		o = op{cpu: 2e4, wait: 5e6, waits: record.Timer, foreign: l.foreign()}
	}
	h := fnv.New64a()
	fmt.Fprint(h, t.Cell, t.Pass, t.Rep, t.Control)
	rng := rand.New(rand.NewPCG(l.seed, h.Sum64()))
	return l.measure(o, t, rng)
}

func (l *lab) foreign() float64 {
	for _, o := range l.ops {
		return o.foreign
	}
	return 0
}

func (l *lab) measure(o op, t plan.Trial, rng *rand.Rand) record.Record {
	m, c := t.Cell.Model, float64(t.Cell.Concurrency)
	for _, s := range o.steps {
		o.cpu += s.cpu
		o.wait += s.wait
	}
	cpu, wait := o.cpu*l.time, o.wait*l.time
	if x := o.extra[m]; x > 0 {
		cpu *= x
	}
	cores := float64(l.cores) * (1 - o.foreign)
	slow := max(1, 1/max(1-o.foreign, 0.1))
	par := parallelism(m, l.cores)
	if par > 1 {
		par = cores
	} else {
		par = 1 / slow
	}
	inFlight := c
	if o.cap > 0 {
		inFlight = min(c, float64(o.cap))
	}
	opNs := cpu*slow + wait
	r := inFlight / opNs
	if cpu > 0 {
		r = min(r, par/cpu)
	}
	if o.lock > 0 && m != model.Processes {
		r = min(r, 1/(o.lock*l.time*slow))
	}
	if p := o.py; p != nil {
		if p.gil > 0 && !p.noGIL && m != model.Processes {
			r = min(r, 1/(p.gil*cpu))
		}
		if p.sync && m == model.EventLoop {
			r = 1 / opNs
		}
	}
	if c > par && cpu > 0 {
		r *= 1 - 0.002*math.Log2(c/par) // oversubscription costs a little
	}
	r *= math.Exp(o.noise * rng.NormFloat64())
	n := t.Ops
	if n == 0 {
		n = max(int64(r*float64(t.ForNs)), t.MinOps, int64(c))
	}
	wall := float64(n) / r
	var arrived *arrivals
	if o.rate > 0 && (t.Pass == plan.Pilot || t.Pass == plan.Timing) {
		if m == model.Sequential {
			r = 1 / (opNs * math.Exp(o.noise*rng.NormFloat64()))
		}
		arrived = arrive(o.rate/1e9/l.time, t.Ops, c, c/r)
		n, wall = arrived.ops, arrived.wall
	}
	if m == model.Sequential && arrived == nil {
		wall = float64(n) * opNs * math.Exp(o.noise*rng.NormFloat64())
	}
	rec := record.Record{Status: record.OK, Ops: n, WallNs: int64(wall), ElapsedNs: int64(wall + l.start*l.time)}
	if s, bad := o.broken[m]; bad && t.Pass != plan.Dry {
		return record.Record{Status: s, Reason: "panic: boom", Stage: record.StageOps, ElapsedNs: int64(l.start * l.time)}
	}
	if o.failEvery > 0 {
		rec.FailedOps = n / o.failEvery
	}
	rec.CPU = record.CPU{UserNs: int64(cpu * float64(n))}
	if m == model.Sequential && (t.Pass == plan.Classify || t.Pass == plan.ControlRun) {
		used := cpu * float64(n)
		rec.Thread = &record.Thread{CPUNs: int64(used), RunnableNs: int64(max(wall-used-wait*float64(n), 0)), LabelledNs: int64(used * 0.99)}
		for i, s := range o.steps {
			sc := s.cpu * l.time
			rec.Steps = append(rec.Steps, record.Step{Name: o.names[i], Ops: n, CPUNs: int64(sc * float64(n)),
				WallNs: int64((sc + s.wait*l.time) * float64(n))})
		}
	}
	rec.Memory.PeakRSSBytes = 20<<20 + int64(c)*4096
	rec.Threads = 5
	lat := c / r
	rec.Latency = &record.Histogram{}
	for i := range min(n, 200) {
		rec.Latency.Record(int64(lat * (1 + 0.1*float64(i)/200)))
	}
	rec.LatencyEvery = 1
	if arrived != nil {
		rec.Latency, rec.Load = arrived.latency, arrived.load
	}
	if o.py != nil {
		l.python(&rec, o, m, c, cpu, wait)
	}
	gc := int64(o.gc * float64(rec.CPU.UserNs))
	if o.py == nil {
		rec.Runtime = &record.Runtime{GoMaxProcs: l.cores, GCCPUNs: gc, GCCycles: n}
	}
	rec.CPU.UserNs += gc
	if o.lock > 0 && c > 1 && m != model.Processes {
		busy := r * o.lock * l.time // share of the time that the lock is held
		rec.Runtime.MutexWaitNs = int64(busy * busy * wall * (c - 1) * 0.95)
	}
	if !o.noDigest {
		rec.Digest = &record.Digest{}
		for i := range min(n, 64) {
			x := uint64(i)*0x9e3779b97f4a7c15 + 1
			if o.wrong[m] && i > 2 {
				x++
			}
			if o.flaky {
				x += rng.Uint64()
			}
			rec.Digest.Add(i, x)
			if t.Pass == plan.Check {
				rec.Results = append(rec.Results, record.Result{Op: i, Hash: x, Shown: fmt.Sprint(x)})
			}
		}
	}
	if t.Pass == plan.Race {
		rec.Race = &record.Race{Found: o.races}
		if o.races > 0 {
			rec.Race.Accesses = []record.Access{
				{What: "write", Frames: []record.Frame{{Function: "runtime.mapassign", File: "/usr/local/go/src/runtime/map.go", Line: 9}, {Function: "example.com/m.Op", File: "/home/u/m/op.go", Line: 7}}},
				{What: "previous read", Frames: []record.Frame{{Function: "example.com/m.Op", File: "/home/u/m/op.go", Line: 5}}},
			}
		}
	}
	rec.Host = &record.Host{ForeignShare: o.foreign}
	if t.Pass == plan.Dry {
		rec.Dry = &record.Dry{Result: "ok", OpNs: int64(opNs), GIL: o.py != nil && o.py.back}
		if o.dryFails {
			rec.Status, rec.Reason = record.Failed, "connection refused"
		}
	}
	return rec
}

// python adds what only a CPython probe and its reader report.
func (l *lab) python(rec *record.Record, o op, m model.Model, c, cpu, wait float64) {
	p := o.py
	n, wall := float64(rec.Ops), float64(rec.WallNs)
	rec.Python = &record.Python{
		Samples: int64(wall*c/1e7) + 1, WindowNs: rec.WallNs,
		PythonNs: int64(n * cpu * p.gil), NativeNs: int64(n * cpu * (1 - p.gil)), BlockedNs: int64(n * wait),
	}
	// What ops wait for beyond their own time is the GIL where it is never free,
	// else a processor.
	switch over := int64(c*wall - n*(cpu+wait)); {
	case over <= 0 || m == model.Sequential:
	case n*cpu*p.gil > 0.9*wall && !p.noGIL && m != model.Processes:
		rec.Python.GILWaitNs = over
	default:
		rec.Python.RunnableNs = over
	}
	rec.Notes = p.notes
	if p.raises != "" && rec.FailedOps > 0 {
		rec.Errors = []record.ErrorCount{{Type: p.raises, Message: "boom", Count: rec.FailedOps}}
	}
	if p.system > 0 && m == model.EventLoop {
		rec.CPU.SystemNs = int64(p.system * float64(rec.CPU.UserNs))
		rec.CPU.UserNs -= rec.CPU.SystemNs
	}
	if m == model.EventLoop {
		x := &record.Loop{CPUNs: int64(n * cpu), BusyNs: int64(n * cpu), Turns: rec.Ops, LongestTurnNs: int64(cpu)}
		at := &record.Frame{Function: "fetch", File: "/home/u/app/app.py", Line: 12}
		x.Tasks = &record.Tasks{Sampled: min(rec.Ops, 256), Steps: 2 * rec.Ops, LongestStepNs: int64(cpu), LongestStep: at, WallNs: int64(c * wall), StepNs: int64(n * cpu)}
		if p.sync {
			x.BusyNs, x.BlockingNs, x.Blocking = int64(n*(cpu+wait)), int64(n*wait), at
			x.Tasks.StepNs = x.BusyNs
		} else {
			x.Tasks.Awaits = []record.Await{{Frames: []record.Frame{*at, {Function: "StreamReader.read", File: "/usr/lib/python3.11/asyncio/streams.py", Line: 5}}, Wait: o.waits, WallNs: int64(n * wait), Count: rec.Ops}}
		}
		x.IdleNs = max(rec.WallNs-x.BusyNs, 0)
		rec.Loop = x
	}
}

// planOf makes a plan for the lab's workloads in the given order.
func (l *lab) plan(budget float64, runs int, models []model.Model, levels []int, names ...string) *plan.Plan {
	p := &plan.Plan{Seed: l.seed, Cores: l.cores}
	for _, name := range names {
		o := l.ops[name]
		w := plan.Workload{Name: name, Label: name, Runs: runs, Warmup: 1, BudgetNs: int64(budget * 1e9 * l.time), TimeoutNs: 30e9,
			Target: model.Target{Kind: model.Steps, Steps: max(len(o.steps), 1)}, Objective: "throughput", Steps: o.names, Rate: o.rate}
		if o.rate > 0 {
			w.Objective = "latency"
		}
		if o.py != nil {
			w.Target.Kind = model.Python
			w.Interpreter = &record.Interpreter{Implementation: "cpython", Version: "3.11.7", GIL: !o.py.noGIL && !o.py.back}
			if w.Steps == nil {
				w.Steps = []string{"python"}
			}
		}
		for _, m := range models {
			if ok, why := m.Runs(w.Target); !ok {
				w.Skipped = append(w.Skipped, plan.Skip{Model: m, Reason: why})
				continue
			}
			for _, c := range levels {
				if m == model.Sequential && c > 1 || m == model.Processes && o.py != nil && c > 2*l.cores {
					continue
				}
				w.Cells = append(w.Cells, plan.Cell{Workload: name, Model: m, Concurrency: c})
			}
		}
		p.Workloads = append(p.Workloads, w)
	}
	return p
}

// drive lets the planner run in the lab until it is done, and checks at every
// step what must hold of any decision.
func (l *lab) drive(t testing.TB, p *plan.Plan, o Options) *rundir.Run {
	t.Helper()
	return drive(t, p, o, l.run)
}

func drive(t testing.TB, p *plan.Plan, o Options, run func(plan.Trial) record.Record) *rundir.Run {
	t.Helper()
	planner := NewPlanner(o)
	h := plan.History{Plan: p}
	seen := make(map[string]bool)
	var budget, spent, last int64
	for _, w := range p.Workloads {
		budget += w.BudgetNs
	}
	for range 20000 {
		d := planner.Next(h)
		h.Decisions = append(h.Decisions, d)
		if d.Why == "" {
			t.Fatalf("a decision without a reason: %+v", d)
		}
		if d.Done {
			if spent-last > budget {
				t.Fatalf("spent %d ns of %d before the last trial", spent-last, budget)
			}
			return &rundir.Run{Manifest: rundir.Manifest{ID: "sim", Plan: *p}, Decisions: h.Decisions, Finished: h.Finished, Complete: true}
		}
		if len(d.Trials) != 1 {
			t.Fatalf("decided %d trials", len(d.Trials))
		}
		tr := d.Trials[0]
		if seen[tr.ID] || tr.ID == "" {
			t.Fatalf("trial ID %q twice or empty", tr.ID)
		}
		seen[tr.ID] = true
		if tr.Ops <= 0 && tr.ForNs <= 0 {
			t.Fatalf("trial %+v has no end", tr)
		}
		if spent > budget && tr.Pass != plan.Dry {
			t.Fatalf("%+v planned though %d ns of %d are spent", tr, spent, budget)
		}
		rec := run(tr)
		if tr.Pass != plan.Dry { // which always run, one op each
			last = rec.ElapsedNs
			spent += last
		}
		h.Finished = append(h.Finished, plan.Finished{Trial: tr, Record: rec})
	}
	t.Fatal("the planner does not end")
	return nil
}

var (
	goModels = []model.Model{model.Sequential, model.Pool, model.Goroutines, model.EventLoop, model.Threads, model.Hybrid, model.Processes}
	pyModels = []model.Model{model.Sequential, model.Pool, model.EventLoop, model.Threads, model.Hybrid, model.Processes}
	levels   = []int{1, 2, 4, 8, 16, 32, 64}
)

func newLab(name string, o op) *lab {
	if o.noise == 0 {
		o.noise = 0.01
	}
	return &lab{ops: map[string]op{name: o}, cores: 2, seed: 1, time: 1, start: 4e7}
}

func emptyRun() *rundir.Run { return &rundir.Run{} }
