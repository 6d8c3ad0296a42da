package pprofui

import (
	"github.com/google/pprof/profile"
)

// stacks makes a profile of one sample type from stacks, root first, with a
// value in milliseconds each.
func stacks(kind string, values map[string]int64, frames ...[]string) *profile.Profile {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: kind, Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "time", Unit: "nanoseconds"},
		Period:     1,
	}
	located := map[string]*profile.Location{}
	for _, stack := range frames {
		s := &profile.Sample{Value: []int64{values[stack[len(stack)-1]] * 1e6}}
		for i := len(stack) - 1; i >= 0; i-- {
			l := located[stack[i]]
			if l == nil {
				id := uint64(len(located) + 1)
				f := &profile.Function{ID: id, Name: stack[i], Filename: "op.go"}
				l = &profile.Location{ID: id, Line: []profile.Line{{Function: f, Line: int64(id)}}}
				p.Function, p.Location = append(p.Function, f), append(p.Location, l)
				located[stack[i]] = l
			}
			s.Location = append(s.Location, l)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

// testSite is a run of one workload under two models.
func testSite() *Site {
	cell := func(name string, hash, fetch int64) Cell {
		values := map[string]int64{"app.hash": hash, "app.fetch": fetch}
		c := Cell{Name: name, Title: name, Ops: 10, Profiles: map[Kind]*profile.Profile{}, PerOp: map[Kind]*profile.Profile{}}
		for _, k := range []Kind{CPU, Wall} {
			p := stacks(string(k), values, []string{"harness.runOp", "app.Render", "app.hash"}, []string{"harness.runOp", "app.Render", "app.fetch"})
			p.Sample[0].Label = map[string][]string{"model": {`x" URL="javascript:alert(1)`}}
			c.Profiles[k], c.PerOp[k] = p, p
		}
		return c
	}
	return &Site{
		Title: "profiles <of> a run",
		Workloads: []Workload{
			{Name: "render", Target: "./app.Render", Verdict: "mixed (demand 0.50).", Cells: []Cell{cell("sequential-1", 80, 20), cell("pool-8", 60, 140)}},
			{Name: "nothing", Verdict: "inconclusive"},
		},
	}
}
