package analyzer

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// gaining runs trials of 100 ops a second times what a cell gains, spread evenly
// by up to a share over the repetitions, those of sequential by up to base; cells
// that are not named gain nothing.
func gaining(l *lab, gains map[string]float64, spread, base float64) func(plan.Trial) record.Record {
	return func(tr plan.Trial) record.Record {
		r := l.run(tr)
		if tr.Control != "" || tr.Pass != plan.Timing && tr.Pass != plan.Pilot {
			return r
		}
		gain := gains[setupOf(&Cell{Model: tr.Cell.Model, Concurrency: tr.Cell.Concurrency})]
		if gain == 0 {
			gain = 1
		}
		over := r.ElapsedNs - r.WallNs
		at := float64([]int{3, 6, 1, 4, 7, 0, 5, 2}[tr.Rep%8])/3.5 - 1
		if at *= spread; tr.Cell.Model == model.Sequential {
			at *= base / spread
		}
		r.WallNs = int64(float64(r.Ops) * 1e7 / gain / (1 + at))
		r.ElapsedNs = r.WallNs + over
		return r
	}
}

// Sequential is given up for a gain that is shown to be worth a change, another
// cell for any that is shown beyond a tie.
func TestWhatAGainMustShow(t *testing.T) {
	tests := []struct {
		name   string
		gains  map[string]float64
		spread float64
		want   string
		why    string
	}{
		{"less than a tie", map[string]float64{"pool at 2": 1.03}, 0.01, "sequential", "3.0 % better than sequential, within the margin of 5.0 %"},
		{"beside a tie's width", map[string]float64{"pool at 2": 1.055}, 0.01, "sequential", "5.5 % better than sequential, or 4."},
		{"surely more than a tie", map[string]float64{"pool at 2": 1.09}, 0.01, "pool at 2", "it reaches 1.09x"},
		{"shown, and reads twice a tie", map[string]float64{"pool at 2": 1.12}, 0.12, "pool at 2", "sequential (1.0"},
		{"much, from trials that spread", map[string]float64{"pool at 2": 1.5}, 0.1, "pool at 2", "it reaches 1.50x"},
		{"another model, hardly better", map[string]float64{"pool at 2": 1.8, "goroutines at 2": 1.9}, 0.01, "goroutines at 2", "it reaches 1.90x"},
		{"another level, a little better", map[string]float64{"pool at 2": 1.8, "pool at 4": 1.9}, 0.01, "pool at 4", "it reaches 1.90x"},
		{"another level, which may be no better", map[string]float64{"pool at 2": 1.8, "pool at 4": 1.91}, 0.08, "pool at 2", "which may be nothing"},
		{"of what is recommended, not of the best", map[string]float64{"pool at 2": 1.04, "processes at 2": 2}, 0.01, "sequential", "processes at 2 reads 2.00x of it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 1e4, wait: 1e7})
			p := l.plan(60, 8, []model.Model{model.Sequential, model.Pool, model.Goroutines, model.Processes}, []int{1, 2, 4}, "op")
			w := judged(t, drive(t, p, DefaultOptions(), gaining(l, tt.gains, tt.spread, 0.01))).Workloads[0]

			r := w.Recommendation
			if r == nil {
				t.Fatalf("undecided: %s", w.Undecided)
			}
			if got := setupOf(&Cell{Model: r.Model, Concurrency: r.Concurrency}); got != tt.want || !strings.Contains(strings.Join(r.Why, "\n"), tt.why) {
				t.Errorf("%s, because %q; want %s, because %q", got, r.Why, tt.want, tt.why)
			}
		})
	}
}

// Where cells are compared by something that spreads more than throughput, that
// is what a tie is measured by.
func TestTheMarginIsOfWhatIsCompared(t *testing.T) {
	for _, objective := range []string{"throughput", "latency"} {
		l := newLab("op", op{cpu: 1e4, wait: 1e7})
		p := l.plan(30, 8, goModels[:2], []int{1, 2}, "op")
		p.Workloads[0].Objective = objective
		run := drive(t, p, DefaultOptions(), func(tr plan.Trial) record.Record {
			r := l.run(tr)
			h := &record.Histogram{}
			for range 100 {
				h.Record(1e7 + 1e6*int64(tr.Rep%8))
			}
			r.Latency = h
			return r
		})
		v := newView(run.History(), DefaultOptions())
		w := judged(t, run).Workloads[0]
		said := strings.Contains(strings.Join(w.Evidence, "\n"), "by latency by up to")
		if m := v.margin(v.loads[0]); w.NoiseFloor > v.o.Tie || (m > 2*v.o.Tie) != (objective == "latency") || said != (objective == "latency") {
			t.Errorf("by %s the margin is %.3f, the noise floor %.3f: %v", objective, m, w.NoiseFloor, w.Evidence)
		}
	}
}
