package reports

import (
	"math"
	"strconv"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// TestAxis holds every value on the paper, zero or a power of ten at the foot,
// and the ticks few.
func TestAxis(t *testing.T) {
	for _, high := range []float64{0.03, 0.99, 1, 1.2, 2.9, 3.1, 7.2, 9.99, 10, 749, 131e6, 4.2e9} {
		for _, log := range []bool{false, true} {
			low := high / 300
			a := newAxis(low, high, log, rate)
			if n := len(a.ticks); n < 3 || n > 9 {
				t.Errorf("up to %g, log %v: %d ticks", high, log, n)
			}
			for _, v := range append([]float64{low, high}, a.ticks...) {
				if y := a.at(v); y < chartTop-0.01 || y > chartHeight-chartBottom+0.01 {
					t.Errorf("up to %g, log %v: %g stands at %g, off the paper", high, log, v, y)
				}
			}
			if !log && a.ticks[0] != 0 {
				t.Errorf("up to %g: the axis begins at %g", high, a.ticks[0])
			}
			if log {
				step := a.at(a.ticks[0]) - a.at(a.ticks[1])
				for i := 1; i < len(a.ticks); i++ {
					if d := a.at(a.ticks[i-1]) - a.at(a.ticks[i]); math.Abs(d-step) > 0.01 {
						t.Errorf("up to %g: decades of %g and %g pixels", high, step, d)
					}
				}
			}
		}
	}
}

// TestLogAxis takes a model that is far slower than another to a logarithmic
// axis, and leaves the baseline, which is one point, out of that.
func TestLogAxis(t *testing.T) {
	workload := func(slow float64) *analyzer.Workload {
		w := &analyzer.Workload{Name: "w"}
		add := func(m model.Model, n int, v float64) {
			w.Cells = append(w.Cells, analyzer.Cell{Model: m, Concurrency: n, Status: record.OK, Trials: 10, OpsPerSec: analyzer.Quartile{Median: v, Low: v * 0.9, High: v * 1.1, Level: 0.97}})
		}
		add(model.Sequential, 1, 10)
		for _, n := range []int{1, 4, 64} {
			add(model.Pool, n, 15*float64(n))
			add(model.EventLoop, n, slow)
		}
		return w
	}
	for slow, foot := range map[float64]string{500: "0", 5: "1.00"} {
		c, ok := draw(workload(slow), "w1", throughput())
		if !ok || c.YTicks[0].Label != foot {
			t.Errorf("a model at %g beside one at 960: the axis begins at %v, want %s", slow, c.YTicks, foot)
		}
	}
}

// TestLabelsApart spreads eight labels that all end at one place.
func TestLabelsApart(t *testing.T) {
	for _, end := range []float64{0, 100, chartHeight} {
		all := make([]series, len(model.All()))
		for i := range all {
			all[i].EndY = px(end)
		}
		label(all)
		var last float64
		for i, s := range all {
			y, err := strconv.ParseFloat(s.LabelY, 64)
			if err != nil || y < 0 || y > chartHeight {
				t.Fatalf("label %d at %q, %v", i, s.LabelY, err)
			}
			if i > 0 && y-last < labelHeight-0.11 {
				t.Errorf("labels at %g and %g", last, y)
			}
			last = y
		}
	}
}
