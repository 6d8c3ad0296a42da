package reports

import (
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// A prediction that the measurement contradicts is told with its reason, also one
// that no cell holds the rate.
func TestDisagreement(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    *analyzer.Prediction
		want string
	}{
		{"none", nil, ""},
		{"agrees", &analyzer.Prediction{Model: model.Pool, Concurrency: 4, Agrees: true}, ""},
		{"another cell", &analyzer.Prediction{Model: model.Pool, Concurrency: 4, Speedup: 3.5, Why: "it waits. The measurement disagrees, because pool at 4 reached 2.00x"},
			"expected pool with 4 workers at 3.50x; the measurement disagrees, because pool at 4 reached 2.00x"},
		{"no cell", &analyzer.Prediction{Rule: "over", Why: "200/s takes 3 of 2 processors. The measurement disagrees, because pool at 8 holds 200/s"},
			"expected no cell to hold the rate; the measurement disagrees, because pool at 8 holds 200/s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &analyzer.Workload{Prediction: tt.p, Recommendation: &analyzer.Recommendation{Model: model.Pool, Concurrency: 8}}
			if got := disagreement(w); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
