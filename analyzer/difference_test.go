package analyzer

import (
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// TestFirstDifference holds that a model whose results differ is run again to
// find the first op that does, and that no other model is.
func TestFirstDifference(t *testing.T) {
	l := newLab("op", op{cpu: 1e5, wait: 2e7, wrong: map[model.Model]bool{model.Pool: true}})
	w := judged(t, l.drive(t, l.plan(20, 10, goModels, levels, "op"), DefaultOptions())).Workloads[0]
	if len(w.Differences) != 1 {
		t.Fatalf("differences %+v, want one", w.Differences)
	}
	d := w.Differences[0]
	if d.Model != model.Pool || !d.Found || d.Op != 3 || d.Sequential == d.Returned || d.Returned == "" || d.Compared < 4 || d.Trial == "" {
		t.Errorf("%+v, want op 3 of pool", d)
	}
	if r := w.Recommendation; r == nil || r.Model == model.Pool {
		t.Errorf("recommends %+v", r)
	}
}

// TestShownResult holds how what differs is told apart.
func TestShownResult(t *testing.T) {
	one, two := &record.Result{Hash: 1, Shown: "7"}, &record.Result{Hash: 2, Shown: "7"}
	for want, got := range map[string]string{
		"nothing": shownResult(nil, one), "7": shownResult(one, nil),
		"digest 0000000000000001": shownResult(one, two), "digest 0000000000000003": shownResult(&record.Result{Hash: 3}, two),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
