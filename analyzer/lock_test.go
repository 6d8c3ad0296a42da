package analyzer

import (
	"encoding/json"
	"testing"

	"github.com/concprof/concprof/analyzer/profile"
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
		{"a table is built once, and the runtime counted two of the seven waits for it", contention(22, 190, 224, 8*2*190), 0, 0},
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

// recorded is the contention probe of an op that hashes 2 MiB, after the first has
// hashed 128 MiB for all: on two cores, 731 ops, of which 7 waited some 80 ms for
// the eighth. Go's runtime timed two of these waits, for eight each, and told more
// waiting than there was.
const recorded = `{"counts":{"511":45,"512":261,"513":77,"514":42,"515":21,"516":11,"517":3,"518":7,"519":4,"520":8,"521":58,"522":25,"523":5,"524":11,"525":3,"526":6,
	"527":3,"529":1,"531":1,"532":1,"533":2,"534":1,"535":1,"536":1,"537":1,"538":1,"540":1,"541":1,"542":1,"544":1,"545":1,"546":1,"547":2,"549":2,
	"552":1,"553":1,"555":3,"556":1,"559":1,"560":3,"561":1,"562":1,"563":2,"564":1,"565":2,"566":1,"567":1,"568":1,"569":3,"571":1,"572":2,"573":1,
	"574":1,"576":2,"577":2,"579":2,"580":3,"581":3,"582":23,"583":15,"584":2,"585":4,"586":2,"587":3,"590":2,"594":1,"597":2,"599":1,"608":2,"610":1,
	"619":1,"626":1,"630":3,"638":1,"640":1,"648":1,"652":1,"653":1,"658":1,"670":1,"672":1,"679":1,"682":1,"707":1,"708":1,"709":2,"710":1,"711":1,
	"712":1,"713":1},"n":731,"min":1038179,"max":87818502,"sum":2184127918}`

// Waiting for what is built once is no limit, whatever the counter says of the
// few who did; a lock is one, whoever tells.
func TestLimitLock(t *testing.T) {
	h := &record.Histogram{}
	if err := json.Unmarshal([]byte(recorded), h); err != nil {
		t.Fatal(err)
	}
	built := contention(0, 0, 0, 1248)
	built.Record.Ops, built.Record.Latency, built.Record.WallNs = h.N, h, 512694113
	lock := contention(8.5, 30, 750, 5400)
	tests := []struct {
		name   string
		trial  plan.Finished
		seen   int64 // of 171 samples of ops, in a lock; at 47 looks at 8 ops, of which more had not begun
		counts int64 // ms, by the runtime; -1: what the trial has
		limit  bool
	}{
		{"a table is built once", built, 57, -1, false},
		{"the same without a wall profile", built, 0, -1, false},
		{"the same, and no wait was counted", built, 57, 0, false},
		{"a lock", lock, 160, -1, true},
		{"a lock that the counter does not see", lock, 160, 0, true},
		{"a lock in goroutines that ops start", lock, 1, -1, true},
		{"a lock for a fifth of the time", lock, 75, 1000, true},
		{"a lock for a fortieth of the time", lock, 9, 100, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.counts >= 0 {
				tt.trial.Record.Runtime = &record.Runtime{MutexWaitNs: tt.counts * 1e6}
			}
			j := &judgement{view: &view{o: DefaultOptions()}, load: &load{w: &plan.Workload{Name: "w"}}}
			j.probe = looks{profile.WaitShares{Samples: 171, Ticks: 47, Blocked: map[record.Wait]int64{record.Lock: tt.seen}}}
			j.limitLock(&tt.trial)
			if got := len(j.out.Limits) > 0; got != tt.limit {
				t.Errorf("limits %+v, want one: %t", j.out.Limits, tt.limit)
			}
		})
	}
}
