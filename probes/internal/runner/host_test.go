package runner

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/record"
)

func TestBetween(t *testing.T) {
	const s = time.Second
	start := time.Unix(1000, 0)
	a := sample{at: start, busy: 100 * s, all: 1000 * s, steal: s, own: s, pressure: 5 * s, throttled: 0}
	b := sample{at: start.Add(10 * s), busy: 112 * s, all: 1020 * s, steal: 2 * s, own: 2 * s, pressure: 6 * s, throttled: s}
	got, missing := between(a, b, 4*s, 2*s)
	// 12 s busy of 20, of which 4 the trial, 2 the servers, 1 concprof.
	want := record.Host{ForeignShare: 0.25, StealShare: 0.05, PressureShare: 0.1, ThrottledNs: int64(s)}
	if diff := cmp.Diff(want, got); diff != "" || len(missing) != 0 {
		t.Errorf("missing %v, host (-want +got):\n%s", missing, diff)
	}

	// Counters that tick behind the clocks do not give negative shares.
	if got, _ := between(a, b, 20*s, 0); got.ForeignShare != 0 {
		t.Errorf("foreign share %v", got.ForeignShare)
	}
	none := sample{at: start, busy: -1, all: -1, pressure: -1, throttled: -1}
	got, missing = between(none, none, s, 0)
	if diff := cmp.Diff(record.Host{}, got); diff != "" || len(missing) != 4 {
		t.Errorf("missing %v, host (-want +got):\n%s", missing, diff)
	}
}
