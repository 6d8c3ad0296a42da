package analyzer

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/analyzer/profile/foreign"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
)

// stacksOf makes a profile of stacks, leaf first, "name@file" each.
func stacksOf(types []*pprof.ValueType, samples map[string][]int64) *pprof.Profile {
	p := &pprof.Profile{SampleType: types, DefaultSampleType: types[len(types)-1].Type}
	locs := map[string]*pprof.Location{}
	for stack, values := range samples {
		s := &pprof.Sample{Value: values}
		for frame := range strings.SplitSeq(stack, " < ") {
			if locs[frame] == nil {
				name, file, _ := strings.Cut(frame, "@")
				fn := &pprof.Function{ID: uint64(len(locs) + 1), Name: name, Filename: file}
				locs[frame] = &pprof.Location{ID: fn.ID, Line: []pprof.Line{{Function: fn, Line: 1}}}
				p.Function, p.Location = append(p.Function, fn), append(p.Location, locs[frame])
			}
			s.Location = append(s.Location, locs[frame])
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

func nanoseconds(name string) *pprof.ValueType {
	return &pprof.ValueType{Type: name, Unit: "nanoseconds"}
}

const second = int64(1e9)

// A traced table against what sampling saw: the main module is in the one
// only, what runs in C counts for its caller in both, and classes are named by
// the sampler alone.
func TestShowCompares(t *testing.T) {
	table := stacksOf([]*pprof.ValueType{{Type: "calls", Unit: "count"}, nanoseconds("time")}, map[string][]int64{
		"<module>@/src/app.py": {1, 50 * second}, // imports
		"tiny@/src/app.py < many@/src/app.py < <module>@/src/app.py":    {10_000_000, 2 * second},
		"many@/src/app.py < <module>@/src/app.py":                       {10, 6 * second},
		"<built-in method sleep> < fetch@/src/app.py < <module>@app.py": {10, 2 * second},
		"fetch@/src/app.py < <module>@/src/app.py":                      {10, 0},
	})
	sampled := stacksOf([]*pprof.ValueType{nanoseconds(profile.TypeWall)}, map[string][]int64{
		"tiny@/home/x/app.py < Work.many@/home/x/app.py < concprof_op":          {1 * second},
		"<call> tiny@/home/x/app.py < Work.many@/home/x/app.py < concprof_op":   {1 * second},
		"<call> sleep@/home/x/app.py < Work.fetch@/home/x/app.py < concprof_op": {8 * second},
	})
	res := &Result{Workloads: []Workload{{
		Name: "w", Class: Mixed,
		Flames: []Flame{{Cell: plan.Cell{Model: model.Sequential, Concurrency: 1}, Set: &profile.Set{Wall: sampled}}},
	}}}
	judged, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	p := &foreign.Profile{Kind: foreign.CProfile, Note: "from a cProfile file", Data: table}
	if err := res.Show("", "app.prof", p, DefaultOptions()); err != nil {
		t.Fatal(err)
	}
	f := res.Workloads[0].Foreign[0]
	if f.Total != 60*second || f.Top[0].Function != "<module>" || f.Top[1].Function != "many" || f.Top[1].Share != 0.1 {
		t.Errorf("top %+v of %d", f.Top, f.Total)
	}
	margin := func(p float64) float64 { return 2 * math.Sqrt(p*(1-p)/500) } // 10 s at 50 a second
	at := func(name string) Place { return Place{name, "app.py", 1} }
	want := []ForeignShare{
		{Place: at("fetch"), Share: 0.2, Sampled: 0.8, Margin: margin(0.8), Calls: 20, SelfNs: 2 * second, Differs: true},
		{Place: at("many"), Share: 0.6, Sampled: 0.1, Margin: margin(0.1), Calls: 10_000_010, SelfNs: 6 * second, Differs: true, Traced: true},
		{Place: at("tiny"), Share: 0.2, Sampled: 0.1, Margin: margin(0.1), Calls: 10_000_000, SelfNs: 2 * second},
	}
	if diff := cmp.Diff(want, f.Compared); diff != "" || f.CompareWith != profile.TypeWall {
		t.Errorf("compared with %s (-want +got):\n%s", f.CompareWith, diff)
	}
	res.Workloads[0].Foreign = nil
	if again, err := json.Marshal(res); err != nil || string(again) != string(judged) {
		t.Errorf("it changed the judgement: %s, %v", again, err)
	}
}

// What does not measure the same is not compared, and no workload is guessed.
func TestShow(t *testing.T) {
	sampled := stacksOf([]*pprof.ValueType{nanoseconds(profile.TypeWall)}, map[string][]int64{"f@a.py": {second}, "g@a.py": {second}})
	two := func() *Result {
		flames := []Flame{{Cell: plan.Cell{Model: model.Sequential, Concurrency: 1}, Set: &profile.Set{Wall: sampled}}}
		return &Result{Workloads: []Workload{{Name: "a", Flames: flames}, {Name: "b"}}}
	}
	counts := &foreign.Profile{Kind: foreign.Folded, Data: stacksOf([]*pprof.ValueType{{Type: "samples", Unit: "count"}}, map[string][]int64{"f@a.py": {3}, "g@a.py": {5}})}
	cpu := &foreign.Profile{Kind: foreign.Austin, Data: stacksOf([]*pprof.ValueType{nanoseconds(profile.TypeCPU)}, map[string][]int64{"f@a.py": {3}, "g@a.py": {5}})}
	wall := &foreign.Profile{Kind: foreign.Austin, Data: stacksOf([]*pprof.ValueType{nanoseconds(profile.TypeWall)}, map[string][]int64{"f@a.py": {second}, "g@a.py": {second}})}
	for _, tt := range []struct {
		name, workload string
		p              *foreign.Profile
		fault, against string
	}{
		{"counts", "a", counts, "", ""},
		{"CPU time that was not sampled", "a", cpu, "", ""},
		{"wall time", "a", wall, "", profile.TypeWall},
		{"no profile of the run", "b", wall, "", ""},
		{"no workload named", "", wall, "several workloads, a, b", ""},
		{"another workload", "c", wall, `no workload "c" but a, b`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := two()
			err := res.Show(tt.workload, "x.prof", tt.p, DefaultOptions())
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			shown := append(res.Workloads[0].Foreign, res.Workloads[1].Foreign...)
			if len(shown) != 1 || shown[0].CompareWith != tt.against || len(shown[0].Top) == 0 {
				t.Errorf("shown %+v", shown)
			}
		})
	}
}
