package reports

import (
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

func TestFitLine(t *testing.T) {
	for _, tt := range []struct {
		name string
		fit  analyzer.Scaling
		want string
	}{
		{"a peak", analyzer.Scaling{PeakConcurrency: 20, PeakInterval: []float64{18, 22.5}},
			"pool: contention 0.0400 (0.0300-0.0500), coherence 0.00200, peak at 20.0 (18.0-22.5) in flight, R² 0.990"},
		{"a peak beyond the levels", analyzer.Scaling{PeakConcurrency: 90, PeakInterval: []float64{70}, Extrapolated: true, Level: 0.95},
			"pool: contention 0.0400 (0.0300-0.0500), coherence 0.00200, peak at 90.0 (70.0 or more) in flight, beyond the levels measured, R² 0.990; intervals at 95 %"},
		{"no peak", analyzer.Scaling{PeakInterval: []float64{250}},
			"pool: contention 0.0400 (0.0300-0.0500), coherence 0.00200, no peak below 250 in flight, R² 0.990"},
		{"every peak excluded", analyzer.Scaling{},
			"pool: contention 0.0400 (0.0300-0.0500), coherence 0.00200, no peak, R² 0.990"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.fit
			s.Model, s.Sigma, s.SigmaInterval, s.Kappa, s.R2 = model.Pool, 0.04, []float64{0.03, 0.05}, 0.002, 0.99
			if got := fitLine(&s); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
