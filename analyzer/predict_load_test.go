package analyzer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// lasting is a histogram of op times in milliseconds, as often as each is given.
func lasting(ms ...float64) *record.Histogram {
	h := new(record.Histogram)
	for _, x := range ms {
		h.Record(int64(x * 1e6))
	}
	return h
}

// mostly are n op times, one in ten of which is another one.
func mostly(ms, other float64, n int) []float64 {
	var all []float64
	for i := range n {
		if i%10 == 0 {
			all = append(all, other)
			continue
		}
		all = append(all, ms)
	}
	return all
}

func TestCrowd(t *testing.T) {
	tests := []struct {
		name string
		ms   []float64
		rate float64
		most int
		want int
	}{
		{"over before the next", []float64{9}, 100, 64, 1},
		{"into the next", []float64{11}, 100, 64, 2},
		{"into the one after", []float64{21}, 100, 64, 3},
		{"one in ten takes longer", mostly(21, 100, 100), 100, 64, 6},
		{"one in two hundred takes longer", append(slices.Repeat([]float64{5}, 199), 11), 100, 64, 1},
		{"one in fifty takes longer", append(slices.Repeat([]float64{5}, 49), 11), 100, 64, 2},
		{"as many as there may be", []float64{64.5}, 1000, 65, 65},
		{"more than there may be", []float64{64.5}, 1000, 64, 0},
		{"many more", []float64{1e6}, 1e6, 64, 0},
		{"some of them for very long", mostly(1, 1e5, 100), 1000, 64, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := crowd(lasting(tt.ms...).Buckets(), 1, tt.rate, 0.01, tt.most); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

// The number is that of a simulated queue in which every op finds a worker: of
// 100,000 that arrive at most 1 % and two standard errors find more in flight, and
// with one less in flight more than 1 % less two.
func TestCrowdInASimulation(t *testing.T) {
	const n = 100_000
	rng := rand.New(rand.NewPCG(3, 9))
	for _, rate := range []float64{40, 100, 500, 2000} {
		h := new(record.Histogram)
		for range 20_000 {
			h.Record(int64(2e7 * rng.ExpFloat64()))
		}
		bs := h.Buckets()
		c := crowd(bs, 1, rate, 0.01, 512)
		// What is drawn are the values of the buckets, which crowd is exact for.
		var values []int64
		for _, b := range bs {
			for range b.N {
				values = append(values, b.Value)
			}
		}
		ends := make([]float64, 0, n)
		var over, atLeast int
		for k := range n {
			now := float64(k) * 1e9 / rate
			flying := 1
			for i := len(ends) - 1; i >= 0 && i > len(ends)-500; i-- {
				if ends[i] > now {
					flying++
				}
			}
			ends = append(ends, now+float64(values[rng.IntN(len(values))]))
			if flying > c {
				over++
			}
			if flying >= c {
				atLeast++
			}
		}
		// The ops in flight at neighbouring arrivals are mostly the same ones, so
		// chance weighs more than in as many independent draws.
		se := math.Sqrt(0.01 * 0.99 / n * max(rate*0.02, 1) * 4)
		a, b := float64(over)/n, float64(atLeast)/n
		t.Logf("at %v/s %d in flight: more in %.4f, as many in %.4f", rate, c, a, b)
		if a > 0.01+2*se || c > 1 && b < 0.01-2*se {
			t.Errorf("at %v/s %d in flight: more in %.4f, as many in %.4f, want the least with at most 0.01", rate, c, a, b)
		}
	}
}

// What the rules predict of ops that arrive at a rate, where it follows from
// Little's law.
func TestLoadRules(t *testing.T) {
	o := DefaultOptions()
	all := slices.Concat(goModels, []model.Model{model.Subinterpreters})
	tests := []struct {
		name                string
		ms                  []float64
		rate                float64
		demand, serial, gil float64
		kind                model.Kind
		models              []model.Model
		change              func(*plan.Workload)
		rule                string
		want                string // "pool at 4"; "none"; "" for no prediction
		why                 string
	}{
		{name: "one is enough", ms: []float64{20}, rate: 40, demand: 0.01, rule: "one", want: "sequential", why: "0.8 in flight, at most 1 for all but 1 % of arrivals"},
		{name: "two are", ms: []float64{20}, rate: 60, demand: 0.01, rule: "enough", want: "pool at 2"},
		{name: "six are, and the tail needs seven", ms: []float64{20.4}, rate: 300, demand: 0.01, rule: "enough", want: "pool at 8", why: "300/s x 20.4 ms = 6.1 in flight, at most 7 for all but 1 % of arrivals, 0.061 of 2 processors"},
		{name: "a tail", ms: mostly(21, 100, 100), rate: 100, demand: 0.01, rule: "enough", want: "pool at 8"},
		{name: "the same, for memory", ms: mostly(21, 100, 100), rate: 100, demand: 0.01, rule: "enough", want: "pool at 4",
			change: func(w *plan.Workload) { w.Objective = "memory" }},
		{name: "computes, and two cores carry it", ms: []float64{10}, rate: 150, demand: 1, rule: "enough", want: "pool at 2", why: "1.5 of 2 processors"},
		{name: "computes, and two cores are just enough", ms: []float64{10}, rate: 199, demand: 1, want: ""},
		{name: "computes, and two cores do not carry it", ms: []float64{10}, rate: 300, demand: 1, rule: "over", want: "none", why: "300/s takes 3 of 2 processors"},
		{name: "one at a time, and that is enough", ms: []float64{10}, rate: 150, demand: 0.1, serial: 0.5, rule: "enough", want: "pool at 2"},
		{name: "one at a time, and that is not enough", ms: []float64{10}, rate: 300, demand: 0.1, serial: 0.5, rule: "over", want: "none", why: "1.5 of what serves one at a time"},
		{name: "workers of their own are enough", ms: []float64{10}, rate: 300, demand: 0.1, serial: 0.5, rule: "wider", want: "processes at 4",
			change: func(w *plan.Workload) { w.Private = true }},
		{name: "the plan ends far below", ms: []float64{20}, rate: 1e5, demand: 1e-4, rule: "in-flight", want: "none", why: "more in flight are needed than the 64 that the plan has at most"},
		{name: "the plan ends below the crowd", ms: mostly(21, 100, 100), rate: 100, demand: 0.01, rule: "most", want: "pool at 4", why: "some ops wait for a worker, and the plan has no more of them (100/s x 28.9 ms = 2.9 in flight, at most 6 for all but 1 % of arrivals",
			change: func(w *plan.Workload) {
				w.Cells = slices.DeleteFunc(w.Cells, func(c plan.Cell) bool { return c.Concurrency > 4 })
			}},
		{name: "the plan ends at what is just enough", ms: []float64{20.1}, rate: 198, demand: 0.01, want: "",
			change: func(w *plan.Workload) {
				w.Cells = slices.DeleteFunc(w.Cells, func(c plan.Cell) bool { return c.Concurrency > 4 })
			}},
		{name: "the plan ends below", ms: []float64{20.5}, rate: 300, demand: 0.001, rule: "in-flight", want: "none", why: "7 in flight are needed, and the plan has at most 4",
			change: func(w *plan.Workload) {
				w.Cells = slices.DeleteFunc(w.Cells, func(c plan.Cell) bool { return c.Concurrency > 4 })
			}},
		{name: "a bound that an op alone breaks", ms: []float64{20}, rate: 40, demand: 0.01, rule: "bound", want: "none", why: "more than p99 <= 10ms allows",
			change: func(w *plan.Workload) { w.Constraints = []string{"rss <= 1GB", "p99 <= 10ms"} }},
		{name: "a bound that an op alone keeps", ms: []float64{20}, rate: 40, demand: 0.01, rule: "one", want: "sequential",
			change: func(w *plan.Workload) { w.Constraints = []string{"p99 <= 19ms"} }},
		{name: "one GIL carries it", ms: []float64{10}, rate: 300, demand: 0.2, gil: 0.2, kind: model.Python, rule: "enough", want: "pool at 4", why: "0.6 of one GIL"},
		{name: "one GIL does not", ms: []float64{10}, rate: 300, demand: 0.5, gil: 0.5, kind: model.Python, rule: "wider", want: "processes at 4", why: "simpler models would need 1.5 of one GIL; at the least level at which hardly any op finds all workers busy; it may be used only if ops share nothing"},
		{name: "one GIL does not, and interpreters have one each", ms: []float64{10}, rate: 300, demand: 0.5, gil: 0.5, kind: model.Python, models: all, rule: "wider", want: "subinterpreters at 4"},
		{name: "one GIL is just enough", ms: []float64{10}, rate: 300, demand: 0.33, gil: 0.33, kind: model.Python, want: ""},
		{name: "one processor is not enough for the event loop", ms: []float64{10}, rate: 150, demand: 1, models: []model.Model{model.Sequential, model.EventLoop, model.Threads}, rule: "wider", want: "threads at 2", why: "1.5 of one processor"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			models := tt.models
			if models == nil {
				models = goModels
			}
			p := newLab("op", op{rate: tt.rate}).plan(30, 8, models, levels, "op")
			w := &p.Workloads[0]
			w.Cells = slices.DeleteFunc(w.Cells, func(c plan.Cell) bool { return c.Model == model.Processes && c.Concurrency > 4 })
			if slices.Contains(models, model.Subinterpreters) {
				w.Cells = append(w.Cells, plan.Cell{Workload: "op", Model: model.Subinterpreters, Concurrency: 4})
			}
			if tt.kind != "" {
				w.Target.Kind = tt.kind
			}
			if tt.change != nil {
				tt.change(w)
			}
			h := lasting(tt.ms...)
			trial := plan.Finished{
				Trial:  plan.Trial{ID: "t1", Cell: plan.Cell{Workload: "op", Model: model.Sequential, Concurrency: 1}, Pass: plan.Classify},
				Record: record.Record{Status: record.OK, WallNs: int64(h.Sum), Ops: h.N, Latency: h},
			}
			v := newView(plan.History{Plan: p, Finished: []plan.Finished{trial}}, o)
			v.loads[0].memo.guess = &guess{wallNs: h.Mean(), serial: tt.serial, gil: tt.gil}
			got, why := v.arriving(v.loads[0], stats.Interval{Value: tt.demand, Low: tt.demand, High: tt.demand})
			if tt.want == "" {
				if got != nil || !strings.Contains(why, "too near to all of it to say") {
					t.Errorf("%+v, %q, want no prediction", got, why)
				}
				return
			}
			if got == nil {
				t.Fatalf("no prediction: %s", why)
			}
			is := "none"
			if got.Model != "" {
				is = setupOf(&Cell{Model: got.Model, Concurrency: got.Concurrency})
			}
			if got.Rule != tt.rule || is != tt.want || !strings.Contains(got.Why, tt.why) {
				t.Errorf("%s: %s (%s), want %s: %s, %q", got.Rule, is, got.Why, tt.rule, tt.want, tt.why)
			}
		})
	}
}

// The processors that ops need lie in an interval, and where that reaches into
// what is just enough nothing is predicted.
func TestADemandThatIsNotKnownPredictsNothing(t *testing.T) {
	p := newLab("op", op{rate: 250}).plan(30, 8, goModels, levels, "op")
	h := lasting(10)
	trial := plan.Finished{
		Trial:  plan.Trial{ID: "t1", Cell: plan.Cell{Workload: "op", Model: model.Sequential, Concurrency: 1}, Pass: plan.Classify},
		Record: record.Record{Status: record.OK, WallNs: int64(h.Sum), Ops: h.N, Latency: h},
	}
	v := newView(plan.History{Plan: p, Finished: []plan.Finished{trial}}, DefaultOptions())
	for _, tt := range []struct {
		low, high float64
		rule      string
	}{{0.5, 0.7, "enough"}, {0.5, 0.79, ""}, {0.83, 0.9, ""}, {0.86, 0.9, "over"}, {0.5, 0.9, ""}} {
		got, why := v.arriving(v.loads[0], stats.Interval{Value: (tt.low + tt.high) / 2, Low: tt.low, High: tt.high})
		if (got == nil) != (tt.rule == "") || got != nil && got.Rule != tt.rule {
			t.Errorf("%v to %v: %+v, %q, want %q", tt.low, tt.high, got, why, tt.rule)
		}
	}
	// Without an op that was timed alone there is no prediction either.
	v = newView(plan.History{Plan: p}, DefaultOptions())
	if got, why := v.arriving(v.loads[0], stats.Interval{}); got != nil || why != "no op alone was timed" {
		t.Errorf("%+v, %q", got, why)
	}
}

// What is predicted is told with its numbers, and held against what came out.
func TestLoadPredictionsAreHeldAgainstTheMeasurement(t *testing.T) {
	gil := &pyOp{gil: 1}
	tests := []struct {
		name     string
		op       op
		budget   float64
		models   []model.Model
		evidence []string
		want     string // "" for no cell
		agrees   bool
	}{
		{"enough", waiting(100), 60, loadModels, []string{"pool at 4 is expected to hold 100/s: ", "measured by latency, the one to use is pool at 4, as expected"}, "pool at 4", true},
		{"one", waiting(30), 120, loadModels, []string{"sequential is expected to hold 30/s: one op at a time keeps up"}, "sequential", true},
		{"over", op{cpu: 2e6, rate: 1500}, 30, loadModels, []string{"no cell is expected to hold 1500/s: 1500/s takes 3 of 2 processors", "no cell holds 1500/s, as expected"}, "", true},
		{"just enough", op{cpu: 2e6, rate: 980}, 60, loadModels, []string{"nothing is predicted: 980/s takes 1.9 of 2 processors, too near"}, "", false},
		{"one GIL is not enough", op{cpu: 5e6, wait: 5e6, rate: 300, py: gil}, 60, []model.Model{model.Sequential, model.Pool, model.Processes},
			[]string{"processes at 4 is expected to hold 300/s: simpler models would need 1.5 of one GIL", "processes at 4 holds 300/s, as expected, but may be used only if ops share nothing"}, "processes at 4", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			w := judged(t, l.drive(t, l.plan(tt.budget, 8, tt.models, []int{1, 4, 16, 64}, "op"), DefaultOptions())).Workloads[0]
			for _, e := range tt.evidence {
				if !slices.ContainsFunc(w.Evidence, func(s string) bool { return strings.Contains(s, e) }) {
					t.Errorf("the evidence does not say %q: %s", e, strings.Join(w.Evidence, "\n"))
				}
			}
			got := ""
			if p := w.Prediction; p != nil && p.Model != "" {
				got = setupOf(&Cell{Model: p.Model, Concurrency: p.Concurrency})
			}
			if got != tt.want || w.Prediction != nil && w.Prediction.Agrees != tt.agrees {
				t.Errorf("%+v, want %q, agrees %v", w.Prediction, tt.want, tt.agrees)
			}
		})
	}
}

// Where another cell won, the numbers say why.
func TestLoadPredictionsThatFail(t *testing.T) {
	cell := func(n int, p99 int64, holds bool) Cell {
		c := Cell{Model: model.Pool, Concurrency: n, Trials: 8, Status: record.OK, Load: &CellLoad{Holds: holds}}
		if c.Latency.P99 = p99; !holds {
			c.Load.Reason = "90 ops were done where at least 95 should have been"
		}
		return c
	}
	predicted := func(n int) *Prediction {
		if n == 0 {
			return &Prediction{Rule: "over", Why: "it takes 3 of 2 processors"}
		}
		return &Prediction{Model: model.Pool, Concurrency: n, Why: "so it is"}
	}
	for _, tt := range []struct {
		name      string
		cells     []Cell
		predicted int
		won       int
		want      string
	}{
		{"too slow", []Cell{cell(4, 3e7, true), cell(16, 2e7, true)}, 4, 16, "pool at 4 has a p99 of 30.0 ms and pool at 16 of 20.0 ms"},
		{"falls behind", []Cell{cell(4, 0, false), cell(16, 2e7, true)}, 4, 16, "pool at 4 does not hold 100/s: 90 ops were done"},
		{"none was expected", []Cell{cell(4, 0, false), cell(16, 2e7, true)}, 0, 16, "pool at 16 holds 100/s"},
		{"none was expected, and none is recommended", []Cell{cell(4, 2e7, true)}, 0, 0, "pool at 4 does"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &load{w: &plan.Workload{Rate: 100, Objective: "latency"}}
			j := &judgement{view: &view{o: DefaultOptions()}, load: l, noise: Noise{ControlTrials: 6, ControlsOK: true}}
			j.out.Cells, j.out.Prediction = tt.cells, predicted(tt.predicted)
			if tt.won > 0 {
				j.out.Recommendation = &Recommendation{Model: model.Pool, Concurrency: tt.won}
			}
			j.compare()
			if p := j.out.Prediction; p.Agrees || !strings.Contains(p.Why, "The measurement disagrees, because "+tt.want) {
				t.Errorf("%+v, want %q", p, tt.want)
			}
		})
	}
}

// Estimates of a p99 hardly depend on how many ops a trial has, and their median
// is the p99 that the ops are drawn from: 4.605 means of exponential times.
func TestEstimate(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	draw := func(n int) float64 {
		h := new(record.Histogram)
		for range n {
			h.Record(int64(1e7 * rng.ExpFloat64()))
		}
		return estimate(h, 0.99)
	}
	for _, n := range []int{167, 199, 200, 250, 1000} {
		var all []float64
		for range 2000 {
			all = append(all, draw(n))
		}
		if got := stats.Median(all) / 1e7; math.Abs(got/4.605-1) > 0.02 {
			t.Errorf("of %d ops the median estimate is %.3f means, want 4.605", n, got)
		}
	}
	// So trials of 170 ops are told from trials of 250 no more often than from
	// others of 170.
	const pairs = 1000
	differ := 0
	for range pairs {
		var a, b []float64
		for range 8 {
			a, b = append(a, draw(170)), append(b, draw(250))
		}
		if stats.RankSum(a, b) <= 0.05 {
			differ++
		}
	}
	if most := 0.05 + 2*math.Sqrt(0.05*0.95/pairs); float64(differ)/pairs > most {
		t.Errorf("%d of %d pairs differ, want at most %.3f of them", differ, pairs, most)
	}
	// By hand: ranks of four values, at 0.5 between the second and the third.
	if got := estimate(lasting(1, 2, 3, 4), 0.5); math.Abs(got/2.5e6-1) > 0.02 {
		t.Errorf("the median of 1 to 4 ms is %v ns", got)
	}
	if got := estimate(lasting(1), 0.99); math.Abs(got/1e6-1) > 0.02 {
		t.Errorf("of one value it is %v ns", got)
	}
	if got := estimate(lasting(1, 9), 0.99); math.Abs(got/9e6-1) > 0.02 {
		t.Errorf("of two values it is %v ns", got)
	}
}

// The best cell's noise is what others are held against, not that of a cell that
// waits now and then because it is near to what it can do.
func TestTheFloorUnderALoadIsThatOfTheBest(t *testing.T) {
	p := newLab("op", op{rate: 45}).plan(60, 8, []model.Model{model.Sequential, model.Pool}, []int{1, 4}, "op")
	w := &p.Workloads[0]
	h := plan.History{Plan: p}
	rng := rand.New(rand.NewPCG(1, 1))
	for i, c := range w.Cells {
		for rep := range 8 {
			ms := 20 * math.Exp(0.01*rng.NormFloat64())
			if c == (plan.Cell{Workload: "op", Model: model.Sequential, Concurrency: 1}) {
				ms = 30 * math.Exp(0.3*rng.NormFloat64())
			}
			l := new(record.Histogram)
			for range 200 {
				l.Record(int64(ms * 1e6))
			}
			h.Finished = append(h.Finished, plan.Finished{
				Trial: plan.Trial{ID: fmt.Sprint("t", i, rep), Cell: c, Pass: plan.Timing, Rep: rep},
				Record: record.Record{Status: record.OK, WallNs: 4e9, Ops: 200, Latency: l,
					Load: &record.Load{RatePerSec: 45, WindowNs: 4e9, Due: 200, Done: 199}},
			})
		}
	}
	v := newView(h, DefaultOptions())
	floor, cell, trials := v.floorOf(v.loads[0])
	if cell.Model != model.Pool || floor > 0.1 || trials != 8 {
		t.Errorf("%v by %s, %d trials", floor, cell, trials)
	}
}
