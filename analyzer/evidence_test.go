package analyzer

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// sampled returns profiles of ops that compute for cpuNs and were seen running
// in so many of all samples of the wall profile, and asleep in the others.
func sampled(t *testing.T, cpuNs, running, asleep int64) (cpu, wall []byte) {
	t.Helper()
	encode := func(unit string, stacks map[string]int64) []byte {
		p := &pprof.Profile{SampleType: []*pprof.ValueType{{Type: "samples", Unit: unit}}, PeriodType: &pprof.ValueType{}, Period: 1, DurationNanos: 1e9}
		m := &pprof.Mapping{ID: 1, File: "probe"}
		p.Mapping = []*pprof.Mapping{m}
		locations := map[string]*pprof.Location{}
		for _, leaf := range []string{"busy", "asleep"} {
			v, ok := stacks[leaf]
			if !ok {
				continue
			}
			functions := []string{"example.com/m.work", "example.com/m/zz_concprof_harness.runOp", "runtime.goexit"}
			if leaf == "asleep" {
				functions = append([]string{"runtime.gopark", "time.Sleep"}, functions...)
			}
			s := &pprof.Sample{Value: []int64{v}, Label: map[string][]string{"concprof": {"op"}}}
			for _, name := range functions {
				if locations[name] == nil {
					fn := &pprof.Function{ID: uint64(len(p.Function) + 1), Name: name, Filename: "/home/u/site/m.go"}
					p.Function = append(p.Function, fn)
					locations[name] = &pprof.Location{ID: fn.ID, Mapping: m, Line: []pprof.Line{{Function: fn, Line: 7}}}
					p.Location = append(p.Location, locations[name])
				}
				s.Location = append(s.Location, locations[name])
			}
			p.Sample = append(p.Sample, s)
		}
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	return encode("nanoseconds", map[string]int64{"busy": cpuNs}), encode("count", map[string]int64{"busy": running, "asleep": asleep})
}

// profiledRun lets every profiled trial of a run have left these profiles,
// sampled at that rate.
func profiledRun(run *rundir.Run, cpu, wall []byte, hz float64) reader {
	for i := range run.Finished {
		if f := &run.Finished[i]; f.Trial.Pass.Profiled() {
			f.Record.Profiles = []record.Profile{
				{Kind: record.CPUProfile, File: "cpu"},
				{Kind: record.WallProfile, File: "wall", AchievedHz: hz},
			}
			if hz < 50 {
				f.Record.Profiles[1].Problem = "sampled too rarely"
			}
		}
	}
	return func(_, file string) ([]byte, error) {
		if file == "cpu" {
			return cpu, nil
		}
		return wall, nil
	}
}

func warnings(w Workload, id string) []Warning {
	return slices.DeleteFunc(slices.Clone(w.Warnings), func(x Warning) bool { return x.ID != id })
}

// The warning that off-CPU time is not drawn stands where it is not, and
// nowhere else: an op that hardly computes may well have most of that missed.
func TestBlindWallProfilesAreTheWithheldOnes(t *testing.T) {
	tests := []struct {
		name            string
		cpuNs           int64
		running, asleep int64
		withheld        bool
	}{
		{"nothing is missed", 1e8, 20, 80, false},
		{"most of little is missed", 3e7, 1, 99, false},
		{"most of much is missed", 5e8, 10, 90, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 1e5, wait: 2e7})
			run := l.drive(t, l.plan(20, 6, goModels, []int{1, 8, 64}, "op"), DefaultOptions())
			cpu, wall := sampled(t, tt.cpuNs, tt.running, tt.asleep)
			res, err := analyze(run, DefaultOptions(), profiledRun(run, cpu, wall, 100))
			if err != nil {
				t.Fatal(err)
			}
			w := res.Workloads[0]
			drawn := true
			for _, f := range w.Flames {
				drawn = drawn && f.Set.OffCPU != nil
			}
			if len(w.Flames) == 0 || drawn == tt.withheld {
				t.Fatalf("%d cells profiled, off-CPU time drawn: %v", len(w.Flames), drawn)
			}
			got := warnings(w, WarnResidual)
			if tt.withheld != (len(got) == 1) {
				t.Fatalf("warnings %+v, want %v", got, tt.withheld)
			}
			if tt.withheld && (strings.Count(got[0].Message, " %") != len(w.Flames) || !strings.Contains(got[0].Message, "pool at 64, ")) {
				t.Errorf("%q does not list %d cells", got[0].Message, len(w.Flames))
			}
		})
	}
}

// Profiles that were sampled too rarely are used, with one warning that lists
// all of them.
func TestSlowlySampledProfilesAreUsed(t *testing.T) {
	l := newLab("op", op{cpu: 1e5, wait: 2e7})
	run := l.drive(t, l.plan(20, 6, goModels, []int{1, 8, 64}, "op"), DefaultOptions())
	cpu, wall := sampled(t, 1e7, 1, 25)
	res, err := analyze(run, DefaultOptions(), profiledRun(run, cpu, wall, 26))
	if err != nil {
		t.Fatal(err)
	}
	w := res.Workloads[0]
	if kind, _ := leading(w.Waits); kind != record.Timer {
		t.Errorf("waits %v, want timers", w.Waits)
	}
	for _, f := range w.Flames {
		if f.Set.Wall == nil {
			t.Errorf("%v: %s", f.Cell, f.Set.Problem)
		}
	}
	if len(warnings(w, WarnProfiles)) != 0 {
		t.Errorf("%+v", w.Warnings)
	}
	got := warnings(w, WarnSlowSampling)
	if len(got) != 1 || strings.Count(got[0].Message, "(26 a second)") != len(w.Flames) || !strings.Contains(got[0].Message, "sequential, 6 of 6 trials") {
		t.Errorf("%d cells: %+v", len(w.Flames), got)
	}
}

// Places are told without what is of the machine that built the op.
func TestPlacesAreTold(t *testing.T) {
	tests := []struct{ file, root, want string }{
		{"/home/u/site/internal/thumb/thumb.go", "/home/u/site", "internal/thumb/thumb.go"},
		{"/home/u/site/internal/thumb/thumb.go", "/home/u/site/", "internal/thumb/thumb.go"},
		{"/home/u/site2/x/y.go", "/home/u/site", "x/y.go"},
		{"/home/u/go/pkg/mod/golang.org/x/net@v0.1.0/html/parse.go", "/home/u/site", "golang.org/x/net@v0.1.0/html/parse.go"},
		{"/usr/local/go/src/net/http/client.go", "/home/u/site", "net/http/client.go"},
		{"/home/u/site/src/a.go", "/home/u/site", "src/a.go"},
		{"example.com/site/thumb/thumb.go", "", "example.com/site/thumb/thumb.go"},
		{"/home/u/site/thumb/thumb.go", "", "thumb/thumb.go"},
		{`C:\site\thumb\thumb.go`, "", "thumb/thumb.go"},
		{"", "/home/u/site", ""},
	}
	for _, tt := range tests {
		if got := relative(tt.file, tt.root); got != tt.want {
			t.Errorf("relative(%q, %q) = %q, want %q", tt.file, tt.root, got, tt.want)
		}
	}
	l := newLab("op", op{cpu: 1e5, wait: 2e7})
	p := l.plan(20, 6, goModels, []int{1, 8, 64}, "op")
	p.Workloads[0].Root = "/home/u/site"
	run := l.drive(t, p, DefaultOptions())
	cpu, wall := sampled(t, 1e7, 1, 99)
	res, err := analyze(run, DefaultOptions(), profiledRun(run, cpu, wall, 100))
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(res.Workloads[0].Evidence, "\n"); strings.Contains(all, "/home") || !strings.Contains(all, "example.com/m.work (m.go:7)") {
		t.Errorf("evidence\n%s", all)
	}
}

func TestBuiltInStepsHaveNoPlace(t *testing.T) {
	const harness = "github.com/concprof/concprof/probes/harness."
	tests := []struct {
		steps    []string
		kind     model.Kind
		function string
		want     string
	}{
		{[]string{"http"}, model.Steps, harness + "httpStep.func1.1", "built-in step http"},
		{[]string{"lookup"}, model.Steps, harness + "httpStep.func1.1", "built-in step lookup"},
		{[]string{"http", "cpu"}, model.Steps, harness + "httpStep.func1.1", "built-in step http"},
		{[]string{"lookup", "cpu"}, model.Steps, harness + "httpStep.func1.1", "a built-in step of kind http"},
		{[]string{"http", "cpu"}, model.Steps, harness + "compute", "built-in step of the op"},
		{[]string{"go"}, model.Go, "example.com/m/zz_concprof_harness.adapt.func1", "the op itself"},
	}
	for _, tt := range tests {
		l := newLoad(&plan.Workload{Steps: tt.steps, Target: model.Target{Kind: tt.kind}}, 2)
		if got := l.told(profile.Place{Function: tt.function, File: "/x/harness/step.go", Line: 3}); got.String() != tt.want || got.file != "" {
			t.Errorf("%v %s: %q in %q, want %q", tt.steps, tt.function, got, got.file, tt.want)
		}
	}
}

// The chain is told in the order of its links, a sentence each, whatever the
// order in which they were found.
func TestEvidenceIsInOrder(t *testing.T) {
	w := judged(t, simulated(t, "lock", kinds()["lock"], 20, goModels)).Workloads[0]
	at := -1
	for _, part := range []string{"alone, an op spends", "its demand", "with 8 in flight", "against itself", "is expected to win", "the one to use is"} {
		i := slices.IndexFunc(w.Evidence, func(s string) bool { return strings.Contains(s, part) })
		if i <= at {
			t.Errorf("%q is at %d, after %d:\n%s", part, i, at, strings.Join(w.Evidence, "\n"))
		}
		at = i
	}
	if p := w.Prediction; p == nil || p.Rule != "locked" || strings.Contains(p.Why, "rule") {
		t.Errorf("prediction %+v", p)
	}
}
