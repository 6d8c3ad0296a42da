package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// A world says what simulated runs are like.
type world struct {
	cells  int     // of each of two workloads
	spread float64 // relative standard deviation between trials
	tail   float64 // share of trials that a neighbour slows by a third
	floor  bool    // whether runs know their noise floor
}

// run is a run of the world's code, faster by a factor.
func (o world) run(r *rand.Rand, id string, faster float64) Side {
	run := &rundir.Run{Path: id, Source: []byte("x"), Complete: true}
	run.Manifest = rundir.Manifest{ID: id, Host: rundir.Host{Fingerprint: "f"}, Tool: rundir.Tool{Version: "1", Go: "go1.26"}, Plan: plan.Plan{Cores: 2}}
	res := &analyzer.Result{Complete: true, Run: analyzer.Run{ID: id, Noise: analyzer.Noise{ControlsOK: true}}}
	for i := range 2 {
		w := analyzer.Workload{Name: fmt.Sprint("w", i), Class: analyzer.CPUBound}
		p := plan.Workload{Name: w.Name, Runs: 10, BudgetNs: 60e9}
		for k := range o.cells {
			c := analyzer.Cell{Model: model.Pool, Concurrency: k + 1, Status: record.OK}
			if k == 0 {
				c.Model = model.Sequential
			}
			for range 6 + r.IntN(5) {
				v := 1000 * faster * math.Exp(o.spread*r.NormFloat64())
				if r.Float64() < o.tail {
					v /= 1.33
				}
				c.Samples = append(c.Samples, v)
			}
			in := stats.MedianInterval(c.Samples, 0.95)
			c.Trials = len(c.Samples)
			c.OpsPerSec = analyzer.Quartile{Median: in.Value, Low: in.Low, High: in.High, Level: in.Level}
			w.Cells = append(w.Cells, c)
			p.Cells = append(p.Cells, plan.Cell{Workload: w.Name, Model: c.Model, Concurrency: c.Concurrency})
		}
		if o.floor {
			w.NoiseFloor = stats.SelfDifference(w.Cells[0].Samples, 1, 200, 0.99)
		}
		res.Workloads = append(res.Workloads, w)
		run.Manifest.Plan.Workloads = append(run.Manifest.Plan.Workloads, p)
	}
	return Side{Label: id, Run: run, Result: res}
}

// Two runs of the same code differ in any cell, of all of them together, in at
// most 5 % of 2,000 pairs plus two standard errors: with the noise floor and,
// so that it is not the floor alone that holds it, without.
func TestFalseDifferences(t *testing.T) {
	const pairs = 2000
	o := DefaultOptions()
	o.Resamples = 1 // the interval decides nothing
	for _, w := range []world{
		{cells: 3, spread: 0.02, floor: true},
		{cells: 3, spread: 0.10},
		{cells: 8, spread: 0.05, tail: 0.1},
	} {
		r := rand.New(rand.NewPCG(11, uint64(w.cells)))
		differ := 0
		for range pairs {
			c, err := Compare(w.run(r, "base", 1), w.run(r, "head", 1), o)
			if err != nil {
				t.Fatal(err)
			}
			if c.Tested != 2*w.cells {
				t.Fatalf("%d cells tested", c.Tested)
			}
			if c.Changed > 0 {
				differ++
			}
		}
		share := float64(differ) / pairs
		t.Logf("%+v: %.4f of pairs differ", w, share)
		if share > 0.05+2*math.Sqrt(0.05*0.95/pairs) {
			t.Errorf("%+v: %.4f of pairs of the same code differ, want at most 0.05", w, share)
		}
	}
}

func pair(faster float64) (base, head Side) {
	w := world{cells: 3, spread: 0.01}
	r := rand.New(rand.NewPCG(1, 2))
	return w.run(r, "base", 1), w.run(r, "head", faster)
}

func TestDifferenceIsTold(t *testing.T) {
	for faster, want := range map[float64]Verdict{1.2: Faster, 0.8: Slower, 1: Same} {
		base, head := pair(faster)
		c, err := Compare(base, head, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range c.Workloads {
			for _, x := range w.Cells {
				if x.Verdict != want || x.Corrected < x.P || x.Change.Low > x.Change.Value || x.Change.High < x.Change.Value {
					t.Errorf("%v: %+v, want %s", faster, x, want)
				}
			}
		}
	}
}

// What is below the noise floor of either run is no difference, however sure.
func TestNoiseFloor(t *testing.T) {
	base, head := pair(1.2)
	head.Result.Workloads[0].NoiseFloor = 0.3
	c, err := Compare(base, head, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range c.Workloads[0].Cells {
		if x.Verdict != Same || x.Why != "noise floor" || x.Corrected > 0.05 {
			t.Errorf("under a floor of 30 %%: %+v", x)
		}
	}
	if c.Changed != 3 || c.Workloads[0].Floor != 0.3 {
		t.Errorf("%d cells differ, floor %v", c.Changed, c.Workloads[0].Floor)
	}
}

func TestFewTrialsAreNotTested(t *testing.T) {
	base, head := pair(2)
	c0 := &base.Result.Workloads[0].Cells[1]
	c0.Samples = c0.Samples[:5]
	head.Result.Workloads[1].Cells[2].Status = record.Crashed
	head.Result.Workloads[1].Cells[2].Reason = "signal: killed"
	c, err := Compare(base, head, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	if x := c.Workloads[0].Cells[1]; x.Verdict != Untested || x.P != 1 || !strings.Contains(x.Why, "needs 6 trials in each run, has 5") {
		t.Errorf("%+v", x)
	}
	want := []OnlyCell{{Model: model.Pool, Concurrency: 3, In: "base", Why: "crashed: signal: killed"}}
	if diff := cmp.Diff(want, c.Workloads[1].Only); diff != "" {
		t.Errorf("cells of one run (-want +got):\n%s", diff)
	}
	if c.Tested != 4 {
		t.Errorf("%d cells tested, want 4", c.Tested)
	}
}

// With six trials a side and very many cells nothing can be told: that is
// said, with what would help.
func TestPowerless(t *testing.T) {
	w := world{cells: 30, spread: 0.01}
	r := rand.New(rand.NewPCG(1, 2))
	base, head := w.run(r, "base", 1), w.run(r, "head", 2)
	for _, s := range []Side{base, head} {
		for i := range s.Result.Workloads {
			for k := range s.Result.Workloads[i].Cells {
				c := &s.Result.Workloads[i].Cells[k]
				c.Samples = c.Samples[:6]
			}
		}
	}
	c, err := Compare(base, head, DefaultOptions())
	if err != nil || c.Changed != 0 || len(c.Warnings) != 1 || c.Warnings[0].ID != WarnPower || c.Warnings[0].Remedy == "" {
		t.Errorf("%d differ, %+v, %v", c.Changed, c.Warnings, err)
	}
}

// Doubts about either run are doubts about what changed.
func TestWarnings(t *testing.T) {
	base, head := pair(1)
	base.Result.Warnings = []analyzer.Warning{{ID: analyzer.WarnNoisyHost, Message: "other programs took 40 % of the cores", Remedy: "stop them"}}
	head.Result.Run.Noise = analyzer.Noise{ControlTrials: 6}
	head.Result.Complete = false
	c, err := Compare(base, head, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range c.Warnings {
		got = append(got, w.ID+" "+strings.Fields(w.Message)[0])
	}
	want := []string{"noisy-host base:", "run-incomplete head", "controls-failed the"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestRefusal(t *testing.T) {
	base, head := pair(1)
	m := &head.Run.Manifest
	m.Host = rundir.Host{Fingerprint: "other", OS: "linux", Arch: "arm64", Cores: 8}
	m.Tool.Go = "go1.27"
	m.Plan.Workloads[0].BudgetNs = 10e9
	m.Plan.Workloads[1].Cells = m.Plan.Workloads[1].Cells[:2]
	head.Run.Source = []byte("y")
	_, err := Compare(base, head, DefaultOptions())
	different, ok := err.(*DifferentError)
	if !ok {
		t.Fatalf("Compare: %v, want a *DifferentError", err)
	}
	var got []string
	for _, d := range different.Differences {
		got = append(got, strings.TrimSpace(d.Workload+" "+d.What))
	}
	want := []string{"host", "go", "w0 workload", "w0 budget", "w1 workload", "w1 levels"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if text := err.Error(); !strings.Contains(text, "budget of w0: 1m and 10s") {
		t.Errorf("the error says\n%s", text)
	}
	o := DefaultOptions()
	o.Force = true
	c, err := Compare(base, head, o)
	if err != nil || len(c.Differences) != 6 || c.Warnings[0].ID != WarnForced {
		t.Errorf("forced: %+v, %v", c, err)
	}
}

// The seed, and where a workload's sources lie, make no difference. A change
// of a workload's own entry does, one of another workload's does not.
func TestDefinitions(t *testing.T) {
	file := func(text string) *rundir.Run { return &rundir.Run{Source: []byte(text)} }
	one := definitions(file("version: 1\nworkloads:\n  - name: a\n    steps: [{sleep: 1ms}]\n  - name: b\n    steps: [{sleep: 2ms}]\n"), false)
	two := definitions(file("version: 1\n# a comment\nworkloads:\n  - name: a\n    steps:\n      - sleep: {for: 1ms}\n    measure: {runs: 7}\n  - name: b\n    steps: [{sleep: 3ms}]\n"), false)
	if one("a") != two("a") {
		t.Errorf("a: %s and %s, want the same", one("a"), two("a"))
	}
	if one("b") == two("b") {
		t.Error("b is the same though it sleeps for another time")
	}
	if got := one("c"); got != "not in the file" {
		t.Errorf("c: %s", got)
	}
}

func TestRecommendationChange(t *testing.T) {
	rec := func(m model.Model, n int, ties ...analyzer.Tie) *analyzer.Recommendation {
		return &analyzer.Recommendation{Model: m, Concurrency: n, Ties: ties}
	}
	tie := func(m model.Model, n int) analyzer.Tie { return analyzer.Tie{Model: m, Concurrency: n} }
	for _, tt := range []struct {
		name string
		b, h *analyzer.Recommendation
		want Change
	}{
		{"same", rec(model.Pool, 4), rec(model.Pool, 4), Change{Base: "pool at 4", Head: "pool at 4"}},
		{"level", rec(model.Pool, 4), rec(model.Pool, 8), Change{Base: "pool at 4", Head: "pool at 8", Changed: true}},
		{"none", nil, rec(model.Sequential, 1), Change{Base: "none", Head: "sequential", Changed: true}},
		{"a tie in one", rec(model.Pool, 4, tie(model.Pool, 8)), rec(model.Pool, 8), Change{Base: "pool at 4", Head: "pool at 8", Changed: true, Note: "a tie in one of the runs"}},
		{"a tie in both", rec(model.Pool, 4, tie(model.Pool, 8)), rec(model.Pool, 8, tie(model.Pool, 4)), Change{Base: "pool at 4", Head: "pool at 8", Changed: true, Note: "a tie in both runs"}},
	} {
		got := recommended(&analyzer.Workload{Recommendation: tt.b}, &analyzer.Workload{Recommendation: tt.h})
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
