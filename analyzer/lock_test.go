package analyzer

import (
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// contention is a probe's trial of 8 in flight for 800 ms: most ops take one
// time, the slowest 8 another.
func contention(usual, slowest float64, ops int64, mutexMs int64) plan.Finished {
	h := &record.Histogram{}
	for i := range ops {
		if i < 8 {
			h.Record(int64(slowest * 1e6))
		} else {
			h.Record(int64(usual * 1e6))
		}
	}
	return plan.Finished{
		Trial:  plan.Trial{Cell: plan.Cell{Model: model.Goroutines, Concurrency: 8}, Pass: plan.Contention},
		Record: record.Record{Status: record.OK, Ops: ops, WallNs: 800e6, Latency: h, LatencyEvery: 1, Runtime: &record.Runtime{MutexWaitNs: mutexMs * 1e6}},
	}
}

// Waiting that only the first op of each in flight does, while something is
// built, is no limit; waiting that all do is.
func TestWarmUpIsNoLock(t *testing.T) {
	tests := []struct {
		name      string
		trial     plan.Finished
		low, high float64
	}{
		{"a table is built once", contention(22, 190, 224, 1330), 0, 0},
		{"the slowest wait for some of it only", contention(22, 190, 224, 900), 0, 0},
		{"a lock", contention(8.5, 30, 750, 5400), 0.9, 1},
		{"a lock around half of the op", contention(8.5, 30, 750, 2700), 0.4, 0.5},
		{"a lock around an op so long that there are few", contention(400, 400, 16, 5600), 0.8, 1},
		{"fewer ops than that say nothing of the first", contention(800, 800, 8, 5600), 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := mutexShare(&tt.trial.Record, 8); got < tt.low || got > tt.high {
				t.Errorf("share %.3f, want %.2f to %.2f", got, tt.low, tt.high)
			}
		})
	}
	// Where not every op was timed the slowest are not known.
	f := contention(22, 190, 224, 1330)
	f.Record.LatencyEvery = 10
	if got := mutexShare(&f.Record, 8); got < 0.2 {
		t.Errorf("share %.3f without the times of all ops", got)
	}
}
