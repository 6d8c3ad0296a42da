package analyzer

import (
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// Of an op of 10 ms the contention probe, 8 in flight for a second, shows which
// share runs one at a time; on two cores.
func TestSerialShare(t *testing.T) {
	tests := []struct {
		name    string
		model   model.Model
		ops     int64 // in the second; 800 is 8 times sequential
		cpuMs   int64
		mutexMs int64
		foreign float64
		want    float64
	}{
		{"waits overlap", model.Goroutines, 800, 40, 0, 0, 0},
		{"one at a time, no lock to see: a limiter, a worker", model.Goroutines, 100, 10, 0, 0, 1},
		{"a server of four connections", model.Goroutines, 400, 20, 0, 0, 0.25},
		{"the cores are full", model.Goroutines, 200, 1900, 0, 0, 0},
		{"the one core of an event loop is full", model.EventLoop, 100, 950, 0, 0, 0},
		{"other programs have the cores", model.Goroutines, 100, 100, 0, 0.9, 0},
		{"a lock, whoever has the cores", model.Goroutines, 100, 900, 6800, 0.9, 1},
		{"a little slower in company", model.Goroutines, 640, 40, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := plan.Finished{
				Trial: plan.Trial{Cell: plan.Cell{Model: tt.model, Concurrency: 8}, Pass: plan.Contention},
				Record: record.Record{
					Status: record.OK, Ops: tt.ops, WallNs: 1e9, CPU: record.CPU{UserNs: tt.cpuMs * 1e6},
					Runtime: &record.Runtime{GoMaxProcs: 3, MutexWaitNs: tt.mutexMs * 1e6}, Host: &record.Host{ForeignShare: tt.foreign},
				},
			}
			if got := DefaultOptions().serialShare(&f, 10e6, 2); got != tt.want {
				t.Errorf("serial share %.3f, want %.3f", got, tt.want)
			}
		})
	}
}
