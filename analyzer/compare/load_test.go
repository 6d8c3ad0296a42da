package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// loaded is a run of a workload at 200/s with sequential, which holds it not, and
// pool at 4 and at 16, whose p99s are about so many ms; 0 does not hold it.
func loaded(id string, seed uint64, p99 ...float64) Side {
	r := rand.New(rand.NewPCG(seed, 5))
	w := analyzer.Workload{Name: "w0", Class: analyzer.IOBound, Load: &analyzer.Load{RatePerSec: 200}}
	for i, ms := range append([]float64{0}, p99...) {
		c := analyzer.Cell{Model: model.Pool, Concurrency: []int{1, 4, 16}[i], Status: record.OK, Trials: 8, Ops: 8 * 200}
		if i == 0 {
			c.Model = model.Sequential
		}
		c.Load = &analyzer.CellLoad{Holds: ms > 0, Due: 1600}
		for range 8 {
			reached := 200.0
			if ms > 0 {
				c.Load.P99s = append(c.Load.P99s, 1e6*ms*math.Exp(0.02*r.NormFloat64()))
			} else {
				reached = 100 * math.Exp(0.01*r.NormFloat64())
				c.Load.Reason = "40 ops were done where at least 80 should have been"
			}
			c.Samples = append(c.Samples, reached)
		}
		in := stats.MedianInterval(c.Samples, 0.95)
		c.OpsPerSec = analyzer.Quartile{Median: in.Value, Low: in.Low, High: in.High, Level: in.Level}
		c.Latency.P99 = int64(1e6 * ms)
		w.Cells = append(w.Cells, c)
	}
	w.Recommendation = &analyzer.Recommendation{Model: model.Pool, Concurrency: 4}
	return Side{
		Label:  id,
		Run:    &rundir.Run{Path: id, Source: []byte("x"), Complete: true, Manifest: rundir.Manifest{ID: id, Host: rundir.Host{Fingerprint: "f"}}},
		Result: &analyzer.Result{Complete: true, Workloads: []analyzer.Workload{w}, Run: analyzer.Run{ID: id, Noise: analyzer.Noise{ControlsOK: true}}},
	}
}

// Each verdict of a cell whose ops arrive at a rate, and what a gate says to it.
func TestUnderALoad(t *testing.T) {
	of := func(s Side) *analyzer.Cell { return &s.Result.Workloads[0].Cells[1] }
	few := func(n int) func(base, head Side) {
		return func(_, head Side) {
			c := of(head)
			c.Load.P99s, c.Samples, c.Ops = c.Load.P99s[:n], c.Samples[:n], int64(200*n)
		}
	}
	tests := []struct {
		name       string
		base, head float64 // p99 of pool at 4, in ms; 0 does not hold the rate
		change     func(base, head Side)
		want       Verdict
		why        string // of the cell
		condition  string
		outcome    analyzer.Outcome
		found      string
		undecided  string
	}{
		{name: "the same", base: 11, head: 11, want: Same, outcome: analyzer.Met, found: "in pool at 4"},
		{name: "longer", base: 11, head: 14, want: Slower, outcome: analyzer.NotMet, found: "p99 2"},
		{name: "longer, and allowed", base: 11, head: 14, want: Slower, condition: "regression <= 60%", outcome: analyzer.Met, found: "longer"},
		{name: "shorter", base: 14, head: 11, want: Faster, condition: "regression <= 0%", outcome: analyzer.Met, found: "shorter (-"},
		{name: "at the bound", base: 11, head: 13.2, want: Slower, condition: "regression <= 20%", outcome: analyzer.Undecided, undecided: "contains the bound"},
		{name: "less than the histograms resolve", base: 11, head: 11.3, want: Same, why: BelowFloor, condition: "regression <= 0%", outcome: analyzer.Undecided,
			change: func(base, head Side) {
				for i := range of(base).Load.P99s {
					of(base).Load.P99s[i], of(head).Load.P99s[i] = 11e6, 11.3e6
				}
			}, undecided: "cannot be told from noise"},
		{name: "below its own noise", base: 11, head: 14, want: Same, why: BelowFloor, outcome: analyzer.Undecided, undecided: "cannot be told from noise",
			change: func(base, _ Side) {
				for i := range of(base).Load.P99s {
					of(base).Load.P99s[i] = 1e6 * (4 + 2.4*float64(i%4))
				}
			}},
		{name: "holds the rate no more", base: 11, head: 0, want: Behind, condition: "regression <= 100%", outcome: analyzer.NotMet, found: "pool at 4 no longer holds 200/s: it reached "},
		{name: "holds the rate no more, as asked", base: 11, head: 0, want: Behind, condition: "regression > 100%", outcome: analyzer.Met},
		{name: "holds the rate now", base: 0, head: 11, want: Keeps, condition: "regression <= 0%", outcome: analyzer.Met, found: "pool at 4 now holds 200/s, and reached "},
		{name: "holds the rate in neither", base: 0, head: 0, want: Neither, why: "it holds the rate in neither run", outcome: analyzer.Undecided, undecided: "pool at 4: it holds the rate in neither run"},
		{name: "holds the rate by a hair", base: 11, head: 0, want: Same, why: "cannot be told apart", outcome: analyzer.Undecided, undecided: "what they reached cannot be told apart",
			change: func(base, head Side) {
				for i := range of(base).Samples {
					of(base).Samples[i], of(head).Samples[i] = 190+float64(i%3), 190+float64((i+1)%3)
				}
			}},
		{name: "too few trials", base: 11, head: 14, change: few(5), want: Untested, why: "needs 6 trials in each run, has 8 and 5", outcome: analyzer.Undecided, undecided: "needs 6 trials"},
		{name: "too few trials that fall behind", base: 11, head: 0, want: Untested, why: "needs 6 trials in each run, has 8 and 5", outcome: analyzer.Undecided, undecided: "needs 6 trials",
			change: func(_, head Side) { of(head).Samples = of(head).Samples[:5] }},
		{name: "too few ops", base: 11, head: 14, want: Untested, why: "its p99 is not known", outcome: analyzer.Undecided, undecided: "its p99 is not known",
			change: func(_, head Side) { of(head).Latency.P99 = 0 }},
		{name: "too few ops in a trial", base: 11, head: 14, want: Untested, why: "its p99 is not known", outcome: analyzer.Undecided, undecided: "its p99 is not known",
			change: func(_, head Side) { of(head).Load.P99s = nil }},
		{name: "trials of other lengths", base: 11, head: 14, want: Untested, why: "its trials have 200 ops and 400", outcome: analyzer.Undecided, undecided: "its trials have 200 ops and 400",
			change: func(_, head Side) { of(head).Ops *= 2 }},
		{name: "no load before", base: 11, head: 14, want: Untested, why: "in one of the runs only", outcome: analyzer.Undecided, undecided: "in one of the runs only",
			change: func(base, _ Side) { base.Result.Workloads[0].Load, of(base).Load = nil, nil }},
		{name: "no load any more", base: 11, head: 14, want: Untested, why: "in one of the runs only", outcome: analyzer.Undecided, undecided: "in one of the runs only",
			change: func(_, head Side) { head.Result.Workloads[0].Load, of(head).Load = nil, nil }},
		{name: "left out of the other run", base: 11, head: 11, want: "", outcome: analyzer.Undecided, undecided: "only base has numbers of pool at 4; in the other run: eliminated: it does not hold 200/s",
			change: func(_, head Side) {
				c := of(head)
				c.Status, c.Reason, c.Samples, c.OpsPerSec = record.Eliminated, "it does not hold 200/s: 40 ops were done where at least 80 should have been", nil, analyzer.Quartile{}
			}},
		{name: "the best of a model", base: 11, head: 14, want: Slower, condition: "regression(pool) <= 5%", outcome: analyzer.Met, found: "in pool at 16"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base, head := loaded("base", 1, tt.base, 10), loaded("head", 2, tt.head, 10)
			if tt.change != nil {
				tt.change(base, head)
			}
			c, err := Compare(base, head, DefaultOptions())
			if err != nil {
				t.Fatal(err)
			}
			w := &c.Workloads[0]
			i := slices.IndexFunc(w.Cells, func(x Cell) bool { return x.Model == model.Pool && x.Concurrency == 4 })
			if tt.want == "" {
				if i >= 0 || len(w.Only) != 1 {
					t.Errorf("%+v, only %+v", w.Cells, w.Only)
				}
			} else if x := w.Cells[i]; x.Verdict != tt.want || !strings.Contains(x.Why, tt.why) || x.Corrected < x.P {
				t.Errorf("%+v, want %s, %q", x, tt.want, tt.why)
			}
			if w.Cells[0].Verdict != Neither && w.Cells[0].Verdict != Untested {
				t.Errorf("sequential: %+v", w.Cells[0])
			}
			condition := tt.condition
			if condition == "" {
				condition = "regression <= 5%"
			}
			if err := head.Result.Ask([]string{condition}); err != nil {
				t.Fatal(err)
			}
			c.Settle(head.Result)
			a := head.Result.Workloads[0].Gate[0]
			if a.Outcome != tt.outcome || !strings.Contains(a.Found, tt.found) || !strings.Contains(a.Why, tt.undecided) || (a.Outcome == analyzer.Undecided) != (a.Why != "") {
				t.Errorf("%+v, want %s, %q, %q", a, tt.outcome, tt.found, tt.undecided)
			}
		})
	}
}

// Where the usual cell does not hold the rate, the first that does tells the noise.
func TestTailFloor(t *testing.T) {
	base, head := loaded("base", 1, 11, 10), loaded("head", 2, 11, 10)
	for _, s := range []Side{base, head} {
		s.Result.Workloads[0].Recommendation = nil
	}
	for i := range base.Result.Workloads[0].Cells[1].Load.P99s {
		base.Result.Workloads[0].Cells[1].Load.P99s[i] *= 1 + 0.5*float64(i%2)
	}
	c, err := Compare(base, head, DefaultOptions())
	if err != nil || c.Workloads[0].Floor < 0.3 {
		t.Errorf("floor %v, %v", c.Workloads[0].Floor, err)
	}
}

// Of 2,000 pairs of runs of the same code at most 5 % and two standard errors show
// any difference.
func TestFalseDifferencesUnderALoad(t *testing.T) {
	const pairs = 2000
	o := DefaultOptions()
	o.Resamples = 1 // the interval decides nothing
	differ := 0
	for i := range uint64(pairs) {
		c, err := Compare(loaded("base", 2*i, 11, 10), loaded("head", 2*i+1, 11, 10), o)
		if err != nil || c.Tested != 2 {
			t.Fatalf("%d tested, %v", c.Tested, err)
		}
		if c.Changed > 0 {
			differ++
		}
	}
	if share := float64(differ) / pairs; share > 0.05+2*math.Sqrt(0.05*0.95/pairs) {
		t.Errorf("%.4f of pairs of the same code differ, want at most 0.05", share)
	}
}
