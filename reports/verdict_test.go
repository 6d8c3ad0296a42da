package reports

import (
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// A verdict for sequential does not say that nothing is better where something
// is, and may not be recommended.
func TestStaySequential(t *testing.T) {
	for barred, want := range map[bool]string{
		false: "stay sequential, no other model is measurably better",
		true:  "stay sequential, what reads better may not be recommended",
	} {
		w := analyzer.Workload{Recommendation: &analyzer.Recommendation{Model: model.Sequential, Concurrency: 1, Barred: barred}}
		if got := judge(&w).Advice; got != want {
			t.Errorf("barred %v: %q, want %q", barred, got, want)
		}
	}
}

// Of a run that ended before a trial could tell, no number of the host is given.
func TestNoiseThatWasNotMeasured(t *testing.T) {
	const want = "how much the baseline differs from itself was not measured; the controls were not measured; what other programs took was not measured"
	if got := noiseLine(&analyzer.Run{}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
