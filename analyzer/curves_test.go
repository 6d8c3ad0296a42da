package analyzer

import (
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
