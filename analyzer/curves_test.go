package analyzer

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/concprof/concprof/analyzer/internal/scaling"
)

// What the bounded fit reads lies within the intervals that stand beside it.
func TestScalingSpreadHoldsTheFit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	for range 2000 {
		truth := scaling.Fit{Lambda: 100, Sigma: 0.1 * r.Float64(), Kappa: 0.001 * r.Float64()}
		if r.IntN(3) == 0 {
			truth.Kappa = 0
		}
		var points []scaling.Point
		for _, n := range []float64{1, 2, 4, 8, 16, 32} {
			points = append(points, scaling.Point{N: n, Rate: truth.At(n) * (1 + 0.05*r.NormFloat64())})
		}
		f, err := scaling.USL(points, 6)
		if err != nil {
			t.Fatal(err)
		}
		var s Scaling
		s.spread(points, f)
		for name, x := range map[string]struct {
			in []float64
			v  float64
		}{"sigma": {s.SigmaInterval, f.Sigma}, "kappa": {s.KappaInterval, f.Kappa}, "peak": {s.PeakInterval, f.Peak()}} {
			if len(x.in) > 0 && x.v < x.in[0] || len(x.in) == 2 && x.v > x.in[1] {
				t.Fatalf("%s %v is not in %v, of %+v", name, x.v, x.in, truth)
			}
		}
		if s.Level != scaling.Level || len(s.SigmaInterval) == 0 || s.PeakInterval == nil && f.Kappa > 0 {
			t.Fatalf("no intervals: %+v", s)
		}
	}
}

// Curves of known queues: a station that serves c at once, and processors that
// are short of nothing or overrun.
func TestSaturationOfKnownCurves(t *testing.T) {
	const op = 10e6 // ns
	// station is n clients in a closed loop of a station with c places.
	station := func(c, busy float64) []point {
		var ps []point
		for _, n := range []float64{1, 2, 4, 8, 16, 32} {
			x := min(n, c) / op * 1e9
			ps = append(ps, point{n: n, rate: x, latency: n / x * 1e9, busy: min(n, c) / c * busy})
		}
		return ps
	}
	falling := func(busy float64) []point {
		ps := station(2, busy)
		ps[len(ps)-1].rate *= 0.6
		return ps
	}
	for _, tt := range []struct {
		name           string
		ps             []point
		saturated      float64
		oversubscribed float64
	}{
		{"4 places, idle processors", station(4, 0.05), 1 - 4.0/32, 0},
		{"4 places, busy processors: that is the processors", station(4, 1), 0, 0},
		{"more places than levels", station(64, 0.05), 0, 0},
		{"falls with busy processors", falling(1), 0, 0.4},
		{"falls with idle processors", falling(0.05), 1 - 0.6*2.0/32, 0},
		{"nothing measured", nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &judgement{view: &view{o: DefaultOptions()}, out: Workload{NoiseFloor: 0.02}}
			if got := j.saturated(tt.ps); math.Abs(got-tt.saturated) > 1e-9 {
				t.Errorf("saturated %v, want %v", got, tt.saturated)
			}
			if got := j.oversubscribed(tt.ps); math.Abs(got-tt.oversubscribed) > 1e-9 {
				t.Errorf("oversubscribed %v, want %v", got, tt.oversubscribed)
			}
		})
	}
}
