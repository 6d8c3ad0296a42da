package analyzer_test

import (
	"math"
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
