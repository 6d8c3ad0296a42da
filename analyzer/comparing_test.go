package analyzer_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/probes/rundir"
)

func side(t testing.TB, label string, run *rundir.Run) compare.Side {
	res, err := analyzer.Analyze(run, analyzer.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return compare.Side{Label: label, Run: run, Result: res}
}

func compared(t testing.TB, base, head compare.Side) *compare.Comparison {
	c, err := compare.Compare(base, head, compare.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A run compared with itself shows no difference anywhere.
func TestComparedWithItself(t *testing.T) {
	for _, kind := range analyzer.Kinds {
		for seed := range uint64(5) {
			s := side(t, "base", analyzer.SimulatedRun(t, kind, seed+1, 1))
			c := compared(t, s, s)
			if c.Changed != 0 || c.Tested == 0 {
				t.Errorf("%s: %d of %d cells differ", kind, c.Changed, c.Tested)
			}
			for _, w := range c.Workloads {
				if w.Class.Changed || w.Recommendation.Changed || len(w.Only) > 0 {
					t.Errorf("%s: %+v", kind, w)
				}
				for _, x := range w.Cells {
					if x.Change.Value != 0 || x.P != 1 {
						t.Errorf("%s: %+v", kind, x)
					}
				}
			}
		}
	}
}

// Two runs of the same code, planned, measured and judged as a real run is,
// differ in any cell in at most 5 % of pairs, and code that is a third slower
// is told in nearly all.
func TestComparedRunsOfTheSameCode(t *testing.T) {
	const pairs = 200
	differ, told := 0, 0
	for i := range uint64(pairs) {
		kind := analyzer.Kinds[i%uint64(len(analyzer.Kinds))]
		base := side(t, "base", analyzer.SimulatedRun(t, kind, 2*i+1, 1))
		if c := compared(t, base, side(t, "head", analyzer.SimulatedRun(t, kind, 2*i+2, 1))); c.Changed > 0 {
			differ++
		}
		if i%10 == 0 {
			c := compared(t, base, side(t, "head", analyzer.SimulatedRun(t, kind, 2*i+2, 1.33)))
			for _, w := range c.Workloads {
				for _, x := range w.Cells {
					if x.Verdict == compare.Faster {
						t.Errorf("%s: slower code reads faster: %+v", kind, x)
					}
				}
			}
			if c.Changed > 0 {
				told++
			}
		}
	}
	t.Logf("%d of %d pairs of the same code differ; of slower code %d of %d", differ, pairs, told, pairs/10)
	if most := 0.05*pairs + 2*math.Sqrt(0.05*0.95*pairs); float64(differ) > most {
		t.Errorf("%d of %d pairs of the same code differ, want at most %.0f", differ, pairs, most)
	}
	if told < pairs/10*9/10 {
		t.Errorf("code that is a third slower is told in %d of %d pairs", told, pairs/10)
	}
}

// Two revisions of the same code, measured side by side, differ in any cell in
// at most 5 % of 2,000 pairs and two standard errors, also on a machine whose
// speed walks away; measured one after the other they do not pass there, which
// shows that the test would tell. Code that takes twice as long is told always.
func TestInterleavedPairsOfTheSameCode(t *testing.T) {
	pairs, apart := 2000, 100
	if testing.Short() {
		pairs, apart = 200, 50
	}
	const walk = 0.01
	count := func(n int, slower float64, separate bool) (differ int) {
		for i := range uint64(n) {
			kind := analyzer.Kinds[i%uint64(len(analyzer.Kinds))]
			runs := analyzer.SimulatedPair(t, kind, i+1, slower, walk, separate)
			c := compared(t, side(t, "base", runs[0]), side(t, "head", runs[1]))
			for _, w := range c.Workloads {
				for _, x := range w.Cells {
					if slower > 1 && x.Verdict == compare.Faster {
						t.Errorf("pair %d: slower code reads faster: %+v", i, x)
					}
				}
			}
			if c.Changed > 0 {
				differ++
			}
		}
		return differ
	}
	most := func(n int) float64 { return 0.05*float64(n) + 2*math.Sqrt(0.05*0.95*float64(n)) }
	same, moved, told := count(pairs, 1, false), count(apart, 1, true), count(apart/5, 2, false)
	t.Logf("interleaved, %d of %d pairs of the same code differ; one after the other %d of %d; of code that takes twice as long %d of %d", same, pairs, moved, apart, told, apart/5)
	if float64(same) > most(pairs) {
		t.Errorf("%d of %d interleaved pairs of the same code differ, want at most %.0f", same, pairs, most(pairs))
	}
	if float64(moved) <= most(apart) {
		t.Errorf("one after the other only %d of %d pairs differ: this machine is too steady to show what interleaving is for", moved, apart)
	}
	if told < apart/5 {
		t.Errorf("code that takes twice as long is told in %d of %d pairs", told, apart/5)
	}
}

// Under a load p99s are compared: those of the same code differ in any cell in at
// most 5 % of pairs and two standard errors, and what is a third slower is told.
func TestComparedUnderALoad(t *testing.T) {
	const pairs = 100
	differ := 0
	for i := range uint64(pairs) {
		runs := analyzer.SimulatedLoadPair(t, 100, 1, i+1)
		c := compared(t, side(t, "base", runs[0]), side(t, "head", runs[1]))
		if c.Tested < 2 {
			t.Fatalf("pair %d: %d cells tested: %+v", i, c.Tested, c.Workloads[0].Cells)
		}
		if c.Changed > 0 {
			differ++
		}
	}
	t.Logf("%d of %d pairs of the same code differ", differ, pairs)
	if most := 0.05*pairs + 2*math.Sqrt(0.05*0.95*pairs); float64(differ) > most {
		t.Errorf("%d of %d pairs of the same code differ, want at most %.0f", differ, pairs, most)
	}
	runs := analyzer.SimulatedLoadPair(t, 100, 1.33, 1)
	c := compared(t, side(t, "base", runs[0]), side(t, "head", runs[1]))
	for _, x := range c.Workloads[0].Cells {
		want := compare.Slower
		if x.Model == "sequential" {
			want = compare.Neither
		}
		if x.Verdict != want || want == compare.Slower && (x.Change.Value < 0.25 || x.Change.Value > 0.42) {
			t.Errorf("a third slower: %+v", x)
		}
	}
}

// What the base recommends is measured to the end on both sides, also where it
// does not hold the rate any more: so that is told, and a gate fails.
func TestARateThatIsHeldNoMore(t *testing.T) {
	runs := analyzer.SimulatedLoadPair(t, 100, 3, 1)
	base, head := side(t, "base", runs[0]), side(t, "head", runs[1])
	if r := base.Result.Workloads[0].Recommendation; r == nil || r.Model != "pool" || r.Concurrency != 4 {
		t.Fatalf("the base recommends %+v", r)
	}
	c := compared(t, base, head)
	i := slices.IndexFunc(c.Workloads[0].Cells, func(x compare.Cell) bool { return x.Model == "pool" && x.Concurrency == 4 })
	if i < 0 || c.Workloads[0].Cells[i].Verdict != compare.Behind {
		t.Fatalf("cells %+v, only %+v", c.Workloads[0].Cells, c.Workloads[0].Only)
	}
	if err := head.Result.Ask([]string{"regression <= 50%"}); err != nil {
		t.Fatal(err)
	}
	c.Settle(head.Result)
	if a := head.Result.Workloads[0].Gate[0]; a.Outcome != analyzer.NotMet || !strings.Contains(a.Found, "pool at 4 no longer holds 100/s: it reached ") {
		t.Errorf("%+v", a)
	}
	// The other way round it is met.
	c = compared(t, head, base)
	if err := base.Result.Ask([]string{"regression(pool) <= 0%"}); err != nil {
		t.Fatal(err)
	}
	c.Settle(base.Result)
	if a := base.Result.Workloads[0].Gate[0]; a.Outcome != analyzer.Met {
		t.Errorf("%+v", a)
	}
}
