package python

import (
	"testing"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

const arriving = `
import asyncio, time
def op(): time.sleep(0.01)
async def coro(): await asyncio.sleep(0.01)
`

// TestOpsThatArriveWait runs ops of 10 ms under every model that arrive at
// 150/s for 300 ms: one worker cannot take them, four can. No sleep is shorter
// than it was asked to be, so what one worker must show is bounded from below
// however slow the machine; four do more than that.
func TestOpsThatArriveWait(t *testing.T) {
	const (
		rate, ops = 150, 45
		op        = 10 * time.Millisecond
	)
	python := one(t)
	run := func(t *testing.T, m model.Model, level int, ops int64) *record.Record {
		t.Helper()
		step := callable("op", "coro")
		if m == model.Hybrid {
			step = callable("", "coro")
		}
		spec := harness.Spec{Model: m, Concurrency: level, Ops: ops, Rate: rate, Steps: []harness.Step{step}}
		r := trial{spec: spec, files: arriving}.start(t, python).record(t)
		if l := r.Load; l == nil || l.Due != ops || l.RatePerSec < 0.999*rate || l.RatePerSec > 1.001*rate || l.WindowNs != ops*2e7/3 {
			t.Fatalf("load %+v", l)
		}
		if r.LatencyEvery != 1 || r.Latency == nil || r.Latency.N != r.Ops || r.FailedOps != 0 {
			t.Fatalf("latency of every %d: %+v, of %d ops, %+v", r.LatencyEvery, r.Latency, r.Ops, r.Errors)
		}
		return r
	}
	for _, m := range []model.Model{model.Sequential, model.EventLoop, model.Threads, model.Pool, model.Hybrid, model.Processes} {
		t.Run(string(m), func(t *testing.T) {
			r := run(t, m, 1, ops)
			if r.Load.Done > 30 || r.Ops > 31 {
				t.Errorf("%d ops were started and %d done in time; at most 30 can be", r.Ops, r.Load.Done)
			}
			least := time.Duration(r.Ops)*op - time.Duration(r.Ops-1)*time.Second/rate
			if got := time.Duration(r.Latency.Max); got < least*95/100 {
				t.Errorf("the last of %d ops took %v from when it was due, want at least %v", r.Ops, got, least)
			}
			if m == model.Sequential {
				return
			}
			// As many ops longer while a busy machine keeps four from doing more.
			for _, longer := range []int64{1, 2, 4, 8} {
				four := run(t, m, 4, longer*ops)
				l, half := four.Load, time.Duration(four.Latency.Quantile(0.5))
				if l.Done > 30*longer && half < time.Duration(longer)*50*time.Millisecond {
					return
				}
				t.Logf("%d ops: %+v, half of them within %v", longer*ops, l, half)
			}
			t.Error("four workers never keep up")
		})
	}
}
