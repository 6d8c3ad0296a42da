package profile_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// A line is a sample of a synthetic profile: its stack from the root on, with
// spaces between frames ("function:line"), and its value.
type line struct {
	stack string
	value int64
	label string // value of the label "concprof"
}

// synthetic builds a raw profile of one value, as a profiler would write it.
func synthetic(kind string, lines ...line) *pprof.Profile {
	p := &pprof.Profile{DurationNanos: 1e9, TimeNanos: 1}
	if kind == "wall" {
		p.SampleType = []*pprof.ValueType{{Type: "samples", Unit: "count"}, {Type: "time", Unit: "nanoseconds"}}
		p.PeriodType = &pprof.ValueType{Type: "wallclock", Unit: "nanoseconds"}
	} else {
		p.SampleType = []*pprof.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}
		p.PeriodType = &pprof.ValueType{Type: "cpu", Unit: "nanoseconds"}
	}
	p.Period = 1e7
	m := &pprof.Mapping{ID: 1, File: kind, HasFunctions: true}
	p.Mapping = []*pprof.Mapping{m}
	functions := map[string]*pprof.Function{}
	for _, l := range lines {
		s := &pprof.Sample{Value: []int64{l.value, l.value * 1e7}}
		if l.label != "" {
			s.Label = map[string][]string{"concprof": {l.label}}
		}
		for _, f := range strings.Fields(l.stack) {
			name, at := f, 1
			if i := strings.LastIndexByte(f, ':'); i > 0 {
				name = f[:i]
				if _, err := fmt.Sscan(f[i+1:], &at); err != nil {
					panic(err)
				}
			}
			fn := functions[name]
			if fn == nil {
				file := "f.go"
				for _, host := range []string{"golang.org/", "google.golang.org/", "github.com/redis/"} {
					if strings.HasPrefix(name, host) {
						file = "/go/pkg/mod/" + host + "f.go"
					}
				}
				fn = &pprof.Function{ID: uint64(len(p.Function) + 1), Name: name, SystemName: name, Filename: file, StartLine: 3}
				functions[name] = fn
				p.Function = append(p.Function, fn)
			}
			loc := &pprof.Location{ID: uint64(len(p.Location) + 1), Address: uint64(len(p.Location) + 4096), Mapping: m, Line: []pprof.Line{{Function: fn, Line: int64(at)}}}
			p.Location = append(p.Location, loc)
			s.Location = append([]*pprof.Location{loc}, s.Location...)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

// root is where the stacks of ops begin in raw profiles.
const root = "runtime.goexit x.org/m/zz_concprof_harness.worker x.org/m/zz_concprof_harness.runOp "

// folded prints a derived profile, a stack a line from the root on, with its
// labels but for those of the cell.
func folded(p *pprof.Profile) []string {
	var out []string
	for _, s := range p.Sample {
		var b strings.Builder
		for i := len(s.Location) - 1; i >= 0; i-- {
			l := s.Location[i].Line[0]
			fmt.Fprintf(&b, "%s:%d ", l.Function.Name, l.Line)
		}
		for _, k := range []string{"state", "wait", "step"} {
			if v := s.Label[k]; len(v) > 0 {
				fmt.Fprintf(&b, "%s=%s ", k, v[0])
			}
		}
		fmt.Fprint(&b, s.Value)
		out = append(out, b.String())
	}
	slices.Sort(out)
	return out
}

func total(p *pprof.Profile, col int) (sum int64) {
	for _, s := range p.Sample {
		sum += s.Value[col]
	}
	return sum
}

func TestDerive(t *testing.T) {
	cpu := synthetic("cpu",
		line{root + "x.org/m.Op:10 x.org/m.parse:21 strconv.Atoi:5", 30, "op"},
		line{root + "x.org/m.Op:10 x.org/m.parse:22", 5, "op"},
		line{"x.org/m.Op.func1:15 sort.Ints:2", 7, "op"},
		line{"runtime.gcBgMarkWorker", 50, ""},
		line{"x.org/m/zz_concprof_harness.worker x.org/m/zz_concprof_harness.hashResult", 6, "op"},
		line{"runtime.goexit runtime/pprof.profileWriter", 9, "op"},
	)
	wall := synthetic("wall",
		line{root + "x.org/m.Op:10 x.org/m.parse:20", 40, ""}, // seen at a safe point
		line{root + "x.org/m.Op:11 net/http.(*Client).Do net/http.(*persistConn).roundTrip:9 runtime.selectgo runtime.gopark", 50, ""},
		line{root + "x.org/m.Op:12 os.(*File).Read syscall.read syscall.Syscall", 8, ""},
		line{"runtime.goexit x.org/m/zz_concprof_harness.metronome runtime.chanrecv1 runtime.gopark", 98, ""},
		line{root + "x.org/m/zz_concprof_harness.(*stepClock).end time.Now", 2, ""},
		line{root + "runtime/pprof.SetGoroutineLabels", 2, ""},
		line{"runtime.goexit x.org/m.Op.func1:15 sort.Ints:2", 7, ""},
		line{"runtime.goexit runtime/pprof.profileWriter runtime.notetsleepg", 98, ""},
		line{"runtime.goexit runtime.main main.main x.org/m/zz_concprof_harness.Main runtime.chanrecv1 runtime.gopark", 98, ""},
	)
	set := profile.Derive([]profile.Raw{{CPU: cpu, Wall: wall, Ops: 10, WallHz: 100, Workload: "thumbnails", Model: "pool", Concurrency: 8}}, "")
	if set.Problem != "" || set.Residual != 0 || set.Ops != 10 {
		t.Fatalf("problem %q, residual %v, %d ops", set.Problem, set.Residual, set.Ops)
	}
	check := func(name string, p *pprof.Profile, want []string) {
		t.Helper()
		if err := p.CheckValid(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, folded(p)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if p.PeriodType.Type != "wall" || p.DurationNanos != 1e9 || p.DefaultSampleType != p.SampleType[0].Type {
			t.Errorf("%s: period type %v, duration %d, default %q", name, p.PeriodType, p.DurationNanos, p.DefaultSampleType)
		}
		if len(p.Mapping) != 1 || p.Mapping[0].File != "thumbnails pool-8" {
			t.Errorf("%s: mappings %v", name, p.Mapping)
		}
		for _, s := range p.Sample {
			if s.Label["model"][0] != "pool" || s.Label["concurrency"][0] != "8" {
				t.Errorf("%s: labels %v", name, s.Label)
			}
		}
		for _, f := range p.Function {
			if f.StartLine != 0 {
				t.Errorf("%s: %s starts at line %d", name, f.Name, f.StartLine)
			}
		}
		for _, l := range p.Location {
			if l.Address != 0 || len(l.Line) != 1 {
				t.Errorf("%s: location %v", name, l)
			}
		}
	}
	check("cpu", set.CPU, []string{
		"harness.runOp:0 [goroutines that ops start]:0 x.org/m.Op.func1:15 sort.Ints:2 state=running [70000000]",
		"harness.runOp:0 x.org/m.Op:10 x.org/m.parse:21 strconv.Atoi:5 state=running [300000000]",
		"harness.runOp:0 x.org/m.Op:10 x.org/m.parse:22 state=running [50000000]",
	})
	check("wall", set.Wall, []string{
		"harness.runOp:0 x.org/m.Op:10 x.org/m.parse:20 state=running [400000000]",
		"harness.runOp:0 x.org/m.Op:11 net/http.(*Client).Do:1 net/http.(*persistConn).roundTrip:9 runtime.selectgo:1 state=blocked wait=network [500000000]",
		"harness.runOp:0 x.org/m.Op:12 os.(*File).Read:1 syscall.read:1 syscall.Syscall:1 state=ambiguous wait=file [80000000]",
	})
	check("offcpu", set.OffCPU, []string{
		"harness.runOp:0 x.org/m.Op:10 x.org/m.parse:20 state=runnable [50000000]",
		"harness.runOp:0 x.org/m.Op:11 net/http.(*Client).Do:1 net/http.(*persistConn).roundTrip:9 runtime.selectgo:1 state=blocked wait=network [500000000]",
		"harness.runOp:0 x.org/m.Op:12 state=blocked wait=file [80000000]",
	})
	if w, c, o := total(set.Merged, 0), total(set.Merged, 1), total(set.Merged, 2); w != 980e6 || c != 420e6 || o != 630e6 {
		t.Errorf("merged totals %d %d %d", w, c, o)
	}
}

func TestDeriveWallRate(t *testing.T) {
	wall := synthetic("wall",
		line{root + "x.org/m.Op time.Sleep runtime.gopark", 80, ""},
		line{"runtime.goexit x.org/m/zz_concprof_harness.metronome runtime.gopark", 80, ""})
	bare := synthetic("wall", line{root + "x.org/m.Op time.Sleep runtime.gopark", 80, ""})
	for _, tt := range []struct {
		name string
		raw  profile.Raw
		want int64
	}{
		{"the rate that the record holds", profile.Raw{Wall: wall, WallHz: 50}, 1600e6},
		{"the metronome in the profile", profile.Raw{Wall: wall}, 1e9},
		{"the profile's own period", profile.Raw{Wall: bare}, 800e6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := total(profile.Derive([]profile.Raw{tt.raw}, "").Wall, 0); got != tt.want {
				t.Errorf("%d ns, want %d", got, tt.want)
			}
		})
	}
}

func TestDeriveWithholds(t *testing.T) {
	computing := line{root + "x.org/m.Op x.org/m.f", 50, "op"}
	asleep := line{root + "x.org/m.Op time.Sleep runtime.gopark", 100, ""}
	for _, tt := range []struct {
		name     string
		raws     []profile.Raw
		problem  string
		residual float64
	}{
		{"nothing", nil, "the CPU profile of a trial is missing; the wall profile of a trial is missing", 0},
		{"no wall profile", []profile.Raw{{CPU: synthetic("cpu", computing)}}, "the wall profile of a trial is missing", 0},
		{"no CPU profile", []profile.Raw{{Wall: synthetic("wall", asleep)}}, "the CPU profile of a trial is missing", 0},
		{"one of two is missing", []profile.Raw{{CPU: synthetic("cpu"), Wall: synthetic("wall", asleep)}, {CPU: synthetic("cpu")}}, "the wall profile of a trial is missing", 0},
		{"no op seen", []profile.Raw{{CPU: synthetic("cpu"), Wall: synthetic("wall")}}, "the wall profile shows no op: its window was too short", 0},
		{"a blind wall profile", []profile.Raw{{CPU: synthetic("cpu", computing), Wall: synthetic("wall", asleep)}},
			"off-CPU time is withheld: the wall profile missed 100 % of the CPU time, more than 10 %", 1},
		{"a blind spot of an op that hardly computes", []profile.Raw{{CPU: synthetic("cpu", line{root + "x.org/m.Op", 4, "op"}), Wall: synthetic("wall", asleep)}}, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := profile.Derive(tt.raws, "")
			if set.Problem != tt.problem || (set.OffCPU == nil) != (tt.problem != "") || set.Residual != tt.residual {
				t.Errorf("problem %q, offcpu %v, residual %v", set.Problem, set.OffCPU, set.Residual)
			}
		})
	}
}

// random returns the raw profiles of n trials whose stacks are drawn at
// random.
func random(r *rand.Rand, n int) []profile.Raw {
	stacks := []string{
		"x.org/m.Op:1 x.org/m.a:2", "x.org/m.Op:1 x.org/m.a:3 sort.Ints:1", "x.org/m.Op:2 x.org/m.b:2", "x.org/m.Op:4",
		"x.org/m.Op:1 x.org/m.a:2 time.Sleep runtime.gopark", "x.org/m.Op:3 os.(*File).Write syscall.Syscall",
		"x.org/m.Op:3 x.org/m.c:1 main._Cfunc_usleep runtime.cgocall", "x.org/m.Op:5 sync.(*Mutex).Lock sync.runtime_SemacquireMutex runtime.semacquire1 runtime.gopark",
	}
	deep := strings.Repeat("x.org/m.deep:1 ", 32) // its root is lost
	var raws []profile.Raw
	for range n {
		var cpu, wall []line
		for _, s := range stacks {
			wall = append(wall, line{root + s, r.Int64N(50), ""})
			if !strings.Contains(s, "runtime.gopark") {
				cpu = append(cpu, line{root + s, r.Int64N(30), "op"})
			}
		}
		wall = append(wall, line{deep, r.Int64N(20), ""})
		cpu = append(cpu, line{root + deep + deep, r.Int64N(10), "op"})
		r.Shuffle(len(wall), func(i, j int) { wall[i], wall[j] = wall[j], wall[i] })
		r.Shuffle(len(cpu), func(i, j int) { cpu[i], cpu[j] = cpu[j], cpu[i] })
		raws = append(raws, profile.Raw{CPU: synthetic("cpu", cpu...), Wall: synthetic("wall", wall...), Ops: 1 + r.Int64N(1000), WallHz: 50 + 50*r.Float64(), Model: "goroutines", Concurrency: 4})
	}
	return raws
}

func TestDeriveKeepsTotals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	o := profile.Options{MaxResidual: 2}
	for range 200 {
		set := o.Derive(random(r, 1+r.IntN(4)))
		if set.Problem != "" {
			t.Fatal(set.Problem)
		}
		cpu, wall, off := total(set.CPU, 0), total(set.Wall, 0), total(set.OffCPU, 0)
		missed := int64(math.Round(set.Residual * float64(cpu)))
		if wall != off+cpu-missed {
			t.Errorf("wall %d is not off-CPU %d + CPU %d - missed %d", wall, off, cpu, missed)
		}
		for _, s := range set.OffCPU.Sample {
			if s.Value[0] < 0 {
				t.Errorf("off-CPU time %d", s.Value[0])
			}
		}
		for i, p := range []*pprof.Profile{set.Wall, set.CPU, set.OffCPU} {
			if total(set.Merged, i) != total(p, 0) {
				t.Errorf("merged column %d sums to %d, want %d", i, total(set.Merged, i), total(p, 0))
			}
			per := profile.PerOp(p, set.Ops)
			if got, want := float64(total(per, 0)), float64(total(p, 0))/float64(set.Ops); math.Abs(got-want) > 0.5 {
				t.Errorf("per op %v, want %v", got, want)
			}
		}
	}
}

func TestDeriveIgnoresOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	raws := random(r, 5)
	written := func() []byte {
		set := profile.Derive(raws, "")
		var b bytes.Buffer
		for _, p := range []*pprof.Profile{set.CPU, set.Wall, set.OffCPU, set.Merged, profile.PerOp(set.Wall, set.Ops)} {
			if p == nil {
				continue
			}
			if err := profile.Write(&b, p); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	want := written()
	for range 10 {
		r.Shuffle(len(raws), func(i, j int) { raws[i], raws[j] = raws[j], raws[i] })
		if !bytes.Equal(written(), want) {
			t.Fatal("the bytes depend on the order of trials")
		}
	}
}

// TestDeriveRecorded derives from what the real profilers wrote.
func TestDeriveRecorded(t *testing.T) {
	for _, o := range ops() {
		t.Run(o.name, func(t *testing.T) {
			cpu, wall := recorded(t, o.name)
			set := profile.Derive([]profile.Raw{{CPU: cpu, Wall: wall, Ops: 1, Workload: o.name, Model: "goroutines", Concurrency: o.n}}, "")
			if set.Wall == nil || set.CPU == nil {
				t.Fatal(set.Problem)
			}
			// Every op in flight is seen at every tick.
			if share := float64(total(set.Wall, 0)) / float64(o.n) / float64(wall.DurationNanos); share < 0.95 || share > 1.05 {
				t.Errorf("wall time is %.2f of the window", share)
			}
			for _, s := range set.Wall.Sample {
				if s.Location[len(s.Location)-1].Line[0].Function.Name != profile.Anchor {
					t.Errorf("a stack begins at %v", s.Location[len(s.Location)-1].Line)
				}
			}
			if (set.Truncated > 0.95) != (o.name == "deep") {
				t.Errorf("%.2f of the wall time truncated", set.Truncated)
			}
			if set.OffCPU == nil {
				t.Fatal(set.Problem)
			}
			off := float64(total(set.OffCPU, 0)) / float64(total(set.Wall, 0))
			low, high := 0.95, 1.0 // it waits all the time,
			switch {
			case o.kind == "":
				low, high = 0, 0.1 // computes,
			case o.name == "mutex" || o.name == "rwmutex":
				low, high = 0.7, 0.8 // or computes while one of four
			}
			if off < low || off > high {
				t.Errorf("off-CPU time is %.3f of the wall time, want %.2f to %.2f", off, low, high)
			}
		})
	}
}
