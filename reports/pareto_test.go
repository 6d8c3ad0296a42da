package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// costly is a measured cell.
func costly(m model.Model, n int, rate, cpu float64) analyzer.Cell {
	return analyzer.Cell{Model: m, Concurrency: n, Status: record.OK, Trials: 6, OpsPerSec: analyzer.Quartile{Median: rate, Level: 0.97}, CPUNsPerOp: cpu, PeakRSSBytes: 1 << 20}
}

// TestFront finds the cells that no other beats.
func TestFront(t *testing.T) {
	w := &analyzer.Workload{Cells: []analyzer.Cell{
		costly(model.Sequential, 1, 10, 100), costly(model.Pool, 2, 20, 100), // as cheap and faster
		costly(model.Pool, 4, 40, 120), costly(model.Goroutines, 4, 40, 120), // equals
		costly(model.Threads, 4, 39, 130),    // beaten in both
		costly(model.Processes, 2, 41, 1000), // fastest
		costly(model.EventLoop, 1, 5, 90),    // cheapest
		{Model: model.Hybrid, Concurrency: 2, Status: record.WrongResult, Trials: 6, OpsPerSec: analyzer.Quartile{Median: 999}, CPUNsPerOp: 1},
	}}
	p, ok := drawPlane(w, "w1", costs()[0], anchors{}, true)
	if !ok {
		t.Fatal("nothing is drawn")
	}
	var got []string
	for _, f := range p.Front {
		got = append(got, f.Cell)
	}
	if want := []string{"event-loop at 1", "pool at 2", "pool at 4", "processes at 2"}; !slices.Equal(got, want) {
		t.Errorf("the front is %q, want %q", got, want)
	}
	for _, f := range got {
		if !strings.Contains(p.Desc, f) {
			t.Errorf("%s is not in %q", f, p.Desc)
		}
	}
	if strings.Contains(fmt.Sprint(p.Series), "hybrid") {
		t.Error("a wrong result has a point")
	}
	w.Cells = w.Cells[:2]
	if _, ok := drawPlane(w, "w1", costs()[0], anchors{}, true); ok {
		t.Error("a front of two cells")
	}
}

// TestPlaneLabelsApart crowds points and finds no label on another or on a
// point, on the narrowest page.
func TestPlaneLabelsApart(t *testing.T) {
	for _, step := range []float64{0, 0.5, 3, 9} {
		var spots []spot
		for i := range 10 {
			spots = append(spots, spot{20 + step*float64(i), 200 - 2*step*float64(i)})
		}
		taken := pointsOf(spots)
		points := len(taken)
		labelled := 0
		for i, s := range spots {
			if _, _, free := taken.label(s, len(fmt.Sprint(i+1))); free {
				labelled++
			}
		}
		if labelled < 3 {
			t.Errorf("step %g: %d of 10 labels", step, labelled)
		}
		for i := points; i < len(taken); i++ {
			for j := range i {
				if taken[i].meets(taken[j]) {
					t.Errorf("step %g: label %d meets %d", step, i-points, j-points)
				}
			}
		}
	}
}

// TestUSLCurve compares the drawn curve with the law at the ends and at its
// peak.
func TestUSLCurve(t *testing.T) {
	s := analyzer.Scaling{Model: model.Pool, Sigma: 0.02, Kappa: 0.001, Lambda: 100}
	w := &analyzer.Workload{Scaling: []analyzer.Scaling{s}}
	for _, n := range []int{1, 4, 16, 64} {
		w.Cells = append(w.Cells, costly(model.Pool, n, usl(s, float64(n)), 1))
	}
	c, ok := draw(w, "w1", throughput())
	if !ok || len(c.Series) != 1 {
		t.Fatal("no chart")
	}
	fit := c.Series[0].Fit
	if n := strings.Count(fit, "L"); n != curveSteps || strings.Count(fit, "M") != 1 {
		t.Fatalf("%d lines in %q", n, fit)
	}
	// The curve goes through what was measured, for that is the law's.
	for _, p := range c.Series[0].Points {
		var x, y float64
		fmt.Sscanf(p.X, "%f%%", &x)
		fmt.Sscan(p.Y, &y)
		near := math.Inf(1)
		for _, at := range strings.FieldsFunc(fit, func(r rune) bool { return r == 'M' || r == 'L' }) {
			var cx, cy float64
			fmt.Sscan(at, &cx, &cy)
			near = min(near, math.Hypot(cx-x, cy-y))
		}
		if near > 6 {
			t.Errorf("the curve passes %g, %g at a distance of %.1f", x, y, near)
		}
	}
	if !strings.Contains(c.Fits, "pool") {
		t.Errorf("the note says %q", c.Fits)
	}
	w.Scaling[0].Refused = "a fit needs 6 levels, there are 4"
	if c, _ := draw(w, "w1", throughput()); c.Series[0].Fit != "" || !strings.Contains(c.Fits, "pool: a fit needs 6 levels") {
		t.Errorf("refused, it says %q and draws %q", c.Fits, c.Series[0].Fit)
	}
}
