package analyzer

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// simulations is how many runs TestWhatIsClaimed plans and judges: more find
// smaller errors. 10,000 take about
// ten minutes on one core.
var simulations = flag.Int("simulations", 120, "simulated runs behind the claims of intervals and of the elimination")

// maxMissed is the share of runs in which the elimination may leave no cell
// that is as good as the truly best one: narrow states 1 in 20 for a single
// comparison of 3 trials with 3.
const maxMissed = 0.05

// A claim is how often an interval held what it is of, and how often it said
// it would.
type claim struct {
	held, n int
	claimed float64 // sum of the levels
}

func (c *claim) add(in Interval, truth float64) {
	c.n++
	c.claimed += in.Level
	if in.Low <= truth && truth <= in.High {
		c.held++
	}
}

func (c *claim) join(o claim) { c.held, c.n, c.claimed = c.held+o.held, c.n+o.n, c.claimed+o.claimed }

func (c claim) String() string {
	n := float64(max(c.n, 1))
	return fmt.Sprintf("%.1f %% of %d intervals that claim %.1f %%", 100*float64(c.held)/n, c.n, 100*c.claimed/n)
}

// short reports whether so few intervals held that chance does not explain it:
// their number lies four standard deviations below what was claimed. Intervals
// of one run share its baseline, which makes them err together.
func (c claim) short() bool {
	p := c.claimed / float64(max(c.n, 1))
	return float64(c.held) < c.claimed-4*math.Sqrt(float64(c.n)*p*(1-p))-1
}

// findings are what simulated runs came to.
type findings struct {
	runs, missed, outspent, wrongClass, decided, recommended, predicted, unclaimed, added int
	// Recommendations worth less than 0.90 of the best cell, of the best that has a
	// level of the plan; of a model other than sequential that truly gains no more
	// than a tie; and of sequential where twice a tie was to be gained.
	poor, poorOwn, idle, forgone int

	claims        [6]claim
	worth, beyond float64
}

func (f *findings) join(g findings) {
	for _, c := range []struct{ to, from *int }{
		{&f.runs, &g.runs}, {&f.missed, &g.missed}, {&f.outspent, &g.outspent}, // the verdict says so of each cell
		{&f.wrongClass, &g.wrongClass}, {&f.decided, &g.decided}, {&f.recommended, &g.recommended},
		{&f.predicted, &g.predicted}, {&f.unclaimed, &g.unclaimed}, {&f.added, &g.added},
		{&f.poor, &g.poor}, {&f.poorOwn, &g.poorOwn}, {&f.idle, &g.idle}, {&f.forgone, &g.forgone},
	} {
		*c.to += *c.from
	}
	f.worth, f.beyond = f.worth+g.worth, f.beyond+g.beyond
	for i := range f.claims {
		f.claims[i].join(g.claims[i])
	}
}

// What the claims are of.
const (
	ofDemand = iota
	ofCells
	ofDropped
	ofSpeedups
	ofRecommended
	ofAdded
)

var claimNames = [...]string{"demand", "ops/s of cells in full", "ops/s of eliminated cells", "speedup", "speedup of what is recommended", "ops/s of levels that were added"}

// TestWhatIsClaimed holds what a report says against a simulated truth, with
// the planner's adaptive stopping: every cell has a true rate of its own and
// trials that spread around it, an op a true demand.
func TestWhatIsClaimed(t *testing.T) {
	n := *simulations
	all := make([]findings, n)
	var workers sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				tr, w, trials := simulate(t, uint64(i), nil)
				all[i] = tr.judge(w, trials)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	var sum findings
	for _, f := range all {
		sum.join(f)
	}
	t.Logf("%d runs; no cell as good as the best one was left in %d because it seemed to lose (%.2f %%, at most %.0f %% stated), in %d because the budget held no more",
		sum.runs, sum.missed, 100*float64(sum.missed)/float64(n), 100*maxMissed, sum.outspent)
	t.Logf("%d classes decided, %d wrong; %d recommendations, worth %.3f of the best in the mean, %d of them less than 0.90",
		sum.decided, sum.wrongClass, sum.recommended, sum.worth/float64(max(sum.recommended, 1)), sum.poor)
	t.Logf("%d of %d predictions agree with the measurement; %d cells that were eliminated claim no interval", sum.predicted, sum.recommended, sum.unclaimed)
	t.Logf("%d levels were added; what is recommended reaches %.3f of the best of the plan's own levels in the mean, less than 0.90 of it in %d",
		sum.added, sum.beyond/float64(max(sum.recommended, 1)), sum.poorOwn)
	t.Logf("a model other than sequential is recommended in %d runs in which it gains no more than a tie; sequential in %d in which twice that was to be gained", sum.idle, sum.forgone)
	for i, c := range sum.claims {
		t.Logf("%s: %v", claimNames[i], c)
		switch {
		case i == ofDropped && c.n > 0:
			t.Errorf("%s: they are not to claim any: %v", claimNames[i], c)
		case i != ofDropped && c.n == 0:
			t.Errorf("%s: there was nothing to hold", claimNames[i])
		case c.short():
			t.Errorf("%s: fewer hold than is claimed: %v", claimNames[i], c)
		}
	}
	if atMost := maxMissed*float64(n) + 4*math.Sqrt(maxMissed*(1-maxMissed)*float64(n)); float64(sum.missed) > atMost {
		t.Errorf("the elimination left no cell as good as the best one in %d of %d runs", sum.missed, n)
	}
	// The class is wrong when its whole interval lies in another band.
	if atMost := 0.05*float64(sum.decided) + 4*math.Sqrt(0.05*0.95*float64(sum.decided)); float64(sum.wrongClass) > atMost {
		t.Errorf("%d of %d decided classes are wrong", sum.wrongClass, sum.decided)
	}
}

// A truth is what is so of a simulated op.
type truth struct {
	demand float64
	lab    *lab
	rates  map[plan.Cell]float64 // the median of each cell's rates, as asked for
	spread spread
}

// rate is the median of a cell's rates, also of a level that is added: what the
// lab makes of it, and a deviation of its own.
func (tr truth) rate(c plan.Cell) float64 {
	r, known := tr.rates[c]
	if !known {
		exact := tr.lab.run(plan.Trial{Cell: c, Pass: plan.Timing, Ops: 100_000})
		rng := rand.New(rand.NewPCG(tr.lab.seed, seedOf(uint64(c.Concurrency), string(c.Model))))
		r = rate(&exact) * math.Exp(0.05*rng.NormFloat64())
		tr.rates[c] = r
	}
	return r
}

// A spread is how trials lie around their median: log-normal, and some of them
// slowed down by the host.
type spread struct{ sigma, slow, by, median float64 }

func (s spread) draw(rng *rand.Rand) float64 {
	x := math.Exp(s.sigma * rng.NormFloat64())
	if rng.Float64() < s.slow {
		x /= 1 + s.by*rng.Float64()
	}
	return x / s.median
}

// centred returns s with its median, of as many draws as bound it to a
// thousandth.
func (s spread) centred() spread {
	rng := rand.New(rand.NewPCG(3, 4))
	s.median = 1
	draws := make([]float64, 4001)
	for i := range draws {
		draws[i] = s.draw(rng)
	}
	s.median = stats.Median(draws)
	return s
}

// simulate plans and judges one run, of a plan that set may change.
func simulate(t *testing.T, seed uint64, set func(*plan.Workload)) (truth, Workload, []plan.Finished) {
	rng := rand.New(rand.NewPCG(seed, 0x636c61696d))
	total := math.Exp(math.Log(1e5) + rng.Float64()*math.Log(3e2)) // 0.1 to 30 ms
	tr := truth{demand: 0.02 + 0.97*rng.Float64(), rates: make(map[plan.Cell]float64)}
	o := op{cpu: tr.demand * total, wait: (1 - tr.demand) * total, noise: 1e-9}
	if rng.IntN(4) == 0 {
		o.lock = total * rng.Float64()
	}
	tr.spread = spread{sigma: 0.005 + 0.06*rng.Float64()*rng.Float64(), slow: 0.2 * rng.Float64(), by: 0.5 * rng.Float64()}.centred()
	l := newLab("op", o)
	l.seed = seed + 1
	models := []model.Model{model.Sequential, model.Pool, model.Goroutines, model.Threads}
	p := l.plan(10*math.Pow(10, rng.Float64()), 10, models, []int{1, 2, 4, 8, 16, 64}, "op")
	p.Workloads[0].MaxLevel = plan.MaxAdded
	if set != nil {
		set(&p.Workloads[0])
	}
	tr.lab = l
	run := drive(t, p, DefaultOptions(), func(x plan.Trial) record.Record { return tr.record(l.run(x), x, rng) })
	return tr, judged(t, run).Workloads[0], run.Finished
}

// record gives a record of the lab the times that this truth and chance have
// for it.
func (tr truth) record(r record.Record, x plan.Trial, rng *rand.Rand) record.Record {
	over := r.ElapsedNs - r.WallNs
	switch {
	case x.Control != "":
		return r
	case x.Pass == plan.Timing || x.Pass == plan.Pilot:
		rate := tr.rate(x.Cell) * tr.spread.draw(rng)
		if x.Ops == 0 {
			r.Ops = max(int64(rate*float64(x.ForNs)/1e9), x.MinOps, int64(x.Cell.Concurrency))
		}
		r.WallNs = int64(float64(r.Ops) * 1e9 / rate)
	case r.Thread != nil:
		// The ratio of two log-normal times has its median where they have it,
		// and so has the demand, which grows with it.
		cpu := float64(r.Thread.CPUNs) * math.Exp(tr.spread.sigma*rng.NormFloat64())
		blocked := float64(r.Thread.CPUNs) * (1/tr.demand - 1) * math.Exp(tr.spread.sigma*rng.NormFloat64())
		ready := 0.1 * cpu * rng.Float64()
		r.WallNs = int64(cpu + blocked + ready)
		r.Thread = &record.Thread{CPUNs: int64(cpu), LabelledNs: int64(cpu), RunnableNs: int64(ready)}
		r.CPU.RunnableNs = int64(ready)
	}
	r.ElapsedNs = r.WallNs + over
	return r
}

// judge holds a verdict against the truth.
func (tr truth) judge(w Workload, trials []plan.Finished) findings {
	f := findings{runs: 1}
	o := DefaultOptions()
	classified := 0
	for _, x := range trials {
		classified += btoi(x.Trial.Pass == plan.Classify)
	}
	level := stats.MedianInterval(make([]float64, classified), o.Level).Level
	f.claims[ofDemand].add(Interval{Low: w.DemandInterval[0], High: w.DemandInterval[1], Level: level}, tr.demand)
	if w.Class != Inconclusive && w.Confidence > 0 {
		f.decided++
		f.wrongClass += btoi(w.Class != o.classAt(tr.demand))
	}
	base := tr.rate(plan.Cell{Workload: "op", Model: model.Sequential, Concurrency: 1})
	best, planned, left, why := 0.0, 0.0, 0.0, ""
	for _, c := range w.Cells {
		real := tr.rate(plan.Cell{Workload: "op", Model: c.Model, Concurrency: c.Concurrency})
		if f.added += btoi(c.Added != ""); c.Added == "" {
			planned = max(planned, real)
		}
		if real > best {
			best, why = real, c.Reason
		}
		if c.Status == record.OK {
			left = max(left, real)
		}
		if c.Trials < 2 {
			continue
		}
		of := ofCells
		if c.Status == record.Eliminated {
			of = ofDropped // what is dropped was chosen for being low
		}
		if c.OpsPerSec.Level == 0 && c.Speedup.Level == 0 && c.OpsPerSec.Low == c.OpsPerSec.High {
			f.unclaimed++ // no interval is printed
			continue
		}
		in := Interval{Low: c.OpsPerSec.Low, High: c.OpsPerSec.High, Level: c.OpsPerSec.Level}
		f.claims[of].add(in, real)
		if c.Added != "" {
			f.claims[ofAdded].add(in, real)
		}
		if c.Model != model.Sequential && of == ofCells && c.Speedup.Level > 0 {
			f.claims[ofSpeedups].add(c.Speedup, real/base)
		}
	}
	if left*(1+o.Tie) < best {
		if strings.Contains(why, "budget") {
			f.outspent = 1
		} else {
			f.missed = 1
		}
	}
	if r := w.Recommendation; r != nil {
		got := tr.rate(plan.Cell{Workload: "op", Model: r.Model, Concurrency: r.Concurrency})
		f.recommended++
		f.worth, f.beyond = got/best, got/planned
		f.poor, f.poorOwn = btoi(got < 0.90*best), btoi(got < 0.90*planned)
		f.idle = btoi(r.Model != model.Sequential && got <= base*(1+o.Tie))
		f.forgone = btoi(r.Model == model.Sequential && best > base*(1+o.SpreadTie*o.Tie))
		f.predicted = btoi(w.Prediction != nil && w.Prediction.Agrees)
		if r.Model != model.Sequential {
			f.claims[ofRecommended].add(r.Speedup, got/base)
		}
	}
	return f
}

// TestClaims holds the counting itself.
func TestClaims(t *testing.T) {
	var c claim
	for i := range 1000 {
		c.add(Interval{Low: 0, High: 1, Level: 0.95}, float64(btoi(i%10 == 0))*2)
	}
	if !c.short() {
		t.Errorf("90 %% of 1,000 that claim 95 %% are not called short: %v", c)
	}
	if slices.Contains(claimNames[:], "") {
		t.Error("a claim has no name")
	}
}
