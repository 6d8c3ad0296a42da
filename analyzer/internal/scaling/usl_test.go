package scaling

import (
	"math"
	"math/rand/v2"
	"testing"
)

func points(f Fit, noise float64, r *rand.Rand) []Point {
	var ps []Point
	for _, n := range []float64{1, 2, 4, 8, 16, 32, 64} {
		ps = append(ps, Point{N: n, Rate: f.At(n) * math.Exp(noise*r.NormFloat64())})
	}
	return ps
}

func TestUSL(t *testing.T) {
	tests := []struct {
		name string
		fit  Fit
		peak float64
	}{
		{"linear", Fit{Lambda: 50}, math.Inf(1)},
		{"serial share", Fit{Lambda: 50, Sigma: 0.1}, math.Inf(1)},
		{"with a peak at 20", Fit{Lambda: 400, Sigma: 0.04, Kappa: 0.96 / 400}, 20},
		{"all serial", Fit{Lambda: 10, Sigma: 1}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			exact, err := USL(points(tt.fit, 0, r), 6)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(exact.Sigma-tt.fit.Sigma) > 1e-6 || math.Abs(exact.Kappa-tt.fit.Kappa) > 1e-6 || exact.R2 < 0.999 && tt.fit.Sigma < 1 {
				t.Errorf("fit %+v, want %+v", exact, tt.fit)
			}
			if p := exact.Peak(); math.Abs(p-tt.peak) > 0.01 && !(math.IsInf(tt.peak, 1) && p > 1000) {
				t.Errorf("peak %v, want %v", p, tt.peak)
			}
			noisy, err := USL(points(tt.fit, 0.02, r), 6)
			if err != nil {
				t.Fatal(err)
			}
			if noisy.Sigma < 0 || noisy.Kappa < 0 {
				t.Errorf("a negative parameter: %+v", noisy)
			}
			if tt.peak == 20 && math.Abs(noisy.Peak()-20) > 4 {
				t.Errorf("with 2 %% noise the peak reads %.1f, want about 20", noisy.Peak())
			}
		})
	}
}

func TestUSLRefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	ps := points(Fit{Lambda: 50, Sigma: 0.1}, 0, r)
	if _, err := USL(ps[:5], 6); err == nil || err.Error() != "a fit needs 6 levels, there are 5" {
		t.Errorf("five levels: %v", err)
	}
	ps[3].Rate = 0
	if _, err := USL(ps, 6); err == nil {
		t.Error("no throughput at one level, but a fit")
	}
	ps[3].Rate = math.NaN()
	if _, err := USL(ps, 6); err == nil {
		t.Error("NaN at one level, but a fit")
	}
}

// A curve that the law cannot describe has a bad goodness of fit.
func TestUSLSaysThatItFitsBadly(t *testing.T) {
	f, err := USL([]Point{{1, 10}, {2, 40}, {4, 12}, {8, 90}, {16, 15}, {32, 70}}, 6)
	if err == nil && f.R2 > 0.7 {
		t.Errorf("R2 %.2f of a zigzag", f.R2)
	}
}
