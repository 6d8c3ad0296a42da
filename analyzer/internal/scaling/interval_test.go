package scaling

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Over many curves with known parameters the intervals cover them as often as
// they claim, but for what chance explains (four standard errors).
func TestSpreadCovers(t *testing.T) {
	const runs = 10_000
	least := Level - 4*math.Sqrt(Level*(1-Level)/runs)
	for _, tt := range []struct {
		name  string
		fit   Fit
		noise float64
	}{
		{"peak at 20", Fit{Lambda: 400, Sigma: 0.04, Kappa: 0.96 / 400}, 0.02},
		{"peak at 20, noisy", Fit{Lambda: 400, Sigma: 0.04, Kappa: 0.96 / 400}, 0.05},
		{"peak far beyond the levels", Fit{Lambda: 400, Sigma: 0.02, Kappa: 0.98 / 40000}, 0.02},
		{"peak at 3", Fit{Lambda: 400, Sigma: 0.1, Kappa: 0.1}, 0.03},
		{"no peak", Fit{Lambda: 400, Sigma: 0.1}, 0.02},
		{"linear", Fit{Lambda: 400}, 0.02},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var sigma, kappa, peak int
			for range runs {
				in, ok := Spread(points(tt.fit, tt.noise, r))
				if !ok {
					t.Fatal("no intervals of seven levels")
				}
				holds := func(s Span, v float64) int {
					if s.Low <= v && v <= s.High {
						return 1
					}
					return 0
				}
				sigma += holds(in.Sigma, tt.fit.Sigma)
				kappa += holds(in.Kappa, tt.fit.Kappa)
				peak += holds(in.Peak, tt.fit.Peak())
			}
			for name, n := range map[string]int{"sigma": sigma, "kappa": kappa, "peak": peak} {
				if share := float64(n) / runs; share < least {
					t.Errorf("%s is covered in %.2f %% of runs, claimed are %.0f %%", name, 100*share, 100*Level)
				} else {
					t.Logf("%s %.2f %%", name, 100*share)
				}
			}
		})
	}
}

// An interval that is always wide covers too. These are not.
func TestSpreadIsNarrow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	in, ok := Spread(points(Fit{Lambda: 400, Sigma: 0.04, Kappa: 0.96 / 400}, 0.01, r))
	if !ok || in.Peak.Low < 15 || in.Peak.High > 27 {
		t.Errorf("with 1 %% noise a peak at 20 reads %v", in.Peak)
	}
	if _, ok := Spread(points(Fit{Lambda: 400}, 0.01, r)[:3]); ok {
		t.Error("three levels fit every curve, but have intervals")
	}
}
