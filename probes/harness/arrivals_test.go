package harness

import (
	"context"
	"math"
	"sort"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// arriving is an op that sleeps, and a rate at which one at a time cannot keep
// up: 10 ms at 150/s.
const (
	arrivingOp   = 10 * time.Millisecond
	arrivingRate = 150
	arrivingOps  = 45 // 300 ms of them
)

// simulated returns the latencies, ascending, of ops that arrive evenly, take
// service each and are served first come, first served; what has not started when
// the last gap is over never does.
func simulated(ops int, gap, service time.Duration, servers int) []time.Duration {
	free := make([]time.Duration, servers) // when each is free again
	var latencies []time.Duration
	for n := range ops {
		sort.Slice(free, func(i, j int) bool { return free[i] < free[j] })
		due := time.Duration(n) * gap
		start := max(due, free[0])
		if start >= time.Duration(ops)*gap {
			break
		}
		free[0] = start + service
		latencies = append(latencies, free[0]-due)
	}
	sort.Slice(latencies, func(i, j int) bool { return latencies[i] < latencies[j] })
	return latencies
}

// TestSimulated holds the simulation to what can be worked out by hand.
func TestSimulated(t *testing.T) {
	got := simulated(6, 10, 15, 1)
	// Starts at 0, 15, 30, 45; the op that is due at 40 would start at 60.
	for i, want := range []time.Duration{15, 20, 25, 30} {
		if len(got) != 4 || got[i] != want {
			t.Fatalf("latencies %v, want 15 20 25 30", got)
		}
	}
	if got := simulated(100, 10, 15, 2); got[99] != 15 {
		t.Errorf("two servers let an op wait: %v", got[99])
	}
}

func TestOpenLoopPace(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spec   Spec
		window time.Duration
		due    int64
	}{
		{"a number", Spec{Rate: 150, Ops: 45}, 300 * time.Millisecond, 45},
		{"a time", Spec{Rate: 100, ForNs: int64(95 * time.Millisecond)}, 95 * time.Millisecond, 10},
		{"a time, at most some", Spec{Rate: 100, ForNs: int64(time.Second), MaxOps: 7}, time.Second, 7},
		{"one", Spec{Rate: 0.5, Ops: 1}, 2 * time.Second, 1},
		{"gaps that no number tells", Spec{Rate: 3, Ops: 1000}, 333333333333, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPace(&tt.spec)
			if !p.open || p.time != tt.window || p.arrivals() != tt.due {
				t.Errorf("open %v, for %v, %d arrivals; want %v, %d", p.open, p.time, p.arrivals(), tt.window, tt.due)
			}
			if last := p.due(tt.due - 1); last >= p.time {
				t.Errorf("the last arrival is due at %v, after the end", last)
			}
			if tt.spec.latencyEvery() != 1 {
				t.Error("not every op is timed")
			}
		})
	}
	if p := newPace(&Spec{MaxRate: 100, Ops: 5}); p.open || p.time != 0 || p.offered(nil) != nil {
		t.Errorf("a bound on the rate makes a load: %+v", p)
	}
}

// checkBehind holds what one op after another must show that cannot keep up,
// however slow the machine: no sleep is shorter than it was asked to be, so the
// simulation bounds it from below.
func checkBehind(t *testing.T, r *record.Record) {
	t.Helper()
	want := simulated(arrivingOps, time.Second/arrivingRate, arrivingOp, 1)
	l := r.Load
	switch {
	case l == nil || r.Latency == nil:
		t.Fatalf("load %+v, latency %+v", l, r.Latency)
	case l.RatePerSec < arrivingRate*0.999 || l.RatePerSec > arrivingRate*1.001 || l.Due != arrivingOps:
		t.Errorf("load %+v", l)
	case l.Done > 30 || l.Done > r.Ops || r.Ops > int64(len(want))+1:
		t.Errorf("%d ops were started and %d done in time; at most 30 can be", r.Ops, l.Done)
	case r.Latency.N != r.Ops || r.LatencyEvery != 1:
		t.Errorf("%d of %d ops were timed", r.Latency.N, r.Ops)
	}
	// The n-th op of those that ran was due then, and no op before it took less.
	n := int(r.Ops)
	least := time.Duration(n)*arrivingOp - time.Duration(n-1)*time.Second/arrivingRate
	if got := time.Duration(r.Latency.Max); got < least*98/100 {
		t.Errorf("the last of %d ops took %v from when it was due, want at least %v", n, got, least)
	}
}

// TestOpsThatArriveWait runs ops under every model that arrive faster than one
// worker can take them: their waiting counts, and four workers keep up.
func TestOpsThatArriveWait(t *testing.T) {
	sleep := func(context.Context, int64, any) (any, error) { time.Sleep(arrivingOp); return nil, nil }
	for _, m := range inProcess() {
		t.Run(string(m), func(t *testing.T) {
			spec := Spec{Mode: ModeTiming, Model: m, Concurrency: 1, Cores: 2, Ops: arrivingOps, Rate: arrivingRate}
			checkBehind(t, newTrial(t, spec, sleep).execAll())
			if m == model.Sequential {
				return
			}
			ahead(t, spec, func(s Spec) *record.Record { return newTrial(t, s, sleep).execAll() })
		})
	}
}

// ahead runs four workers, which have 2.6 times the room that they need, and as
// many ops longer while a busy machine keeps them from doing more in time than
// one can.
func ahead(t *testing.T, spec Spec, run func(Spec) *record.Record) *record.Record {
	t.Helper()
	spec.Concurrency = 4
	for _, longer := range []int64{1, 2, 4, 8} {
		spec.Ops = longer * arrivingOps
		r := run(spec)
		l := r.Load
		if l == nil || l.Due != spec.Ops || l.Done > r.Ops {
			t.Fatalf("of %d ops: %+v", r.Ops, l)
		}
		// One alone does at most 2 of 3 in time.
		if l.Done > 30*longer && time.Duration(r.Latency.Quantile(0.5)) < time.Duration(longer)*50*time.Millisecond {
			return r
		}
		t.Logf("%d ops: %+v, half of them within %v", spec.Ops, l, time.Duration(r.Latency.Quantile(0.5)))
	}
	t.Error("four workers never keep up")
	return nil
}

func TestOpsThatArriveAtProcesses(t *testing.T) {
	spec := Spec{
		Model: model.Processes, Concurrency: 1, Ops: arrivingOps, Rate: arrivingRate,
		Steps: []Step{{Name: "sleep", Kind: KindSleep, ForNs: int64(arrivingOp)}},
	}
	checkBehind(t, probe(t, spec).record(t))
	four := ahead(t, spec, func(s Spec) *record.Record { return probe(t, s).record(t) })
	if four != nil && (four.Digest == nil || four.Digest.Ops != four.Ops) {
		t.Errorf("digest %+v of %d ops", four.Digest, four.Ops)
	}
}

// TestWorkersShareAClock holds that workers which begin at different times
// count from the first one's beginning.
func TestWorkersShareAClock(t *testing.T) {
	var s sharedState
	first := s.begin(time.Now())
	time.Sleep(20 * time.Millisecond)
	now := time.Now()
	late := s.begin(now)
	if late.After(now.Add(-20*time.Millisecond)) || math.Abs(float64(late.Sub(first))) > float64(10*time.Millisecond) {
		t.Errorf("the second begins %v after the first, as it says", late.Sub(first))
	}
}
