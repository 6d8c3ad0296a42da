package analyzer

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// Latencies are compared by one quantile: the p99 of one cell is not held
// against the median of another that has too few ops for a p99.
func TestLatenciesAreComparedByOneQuantile(t *testing.T) {
	type shape struct {
		n          int64
		most, tail int64 // ns, of the median and of the slowest 5 %
	}
	tests := []struct {
		name string
		seq  shape
		pool shape
		want model.Model
		told string
	}{
		{"too few ops under sequential", shape{100, 10e6, 90e6}, shape{1200, 5e6, 50e6}, model.Pool, "by the median of each trial"},
		{"too few ops under pool", shape{1200, 5e6, 50e6}, shape{100, 10e6, 90e6}, model.Sequential, "by the median of each trial"},
		{"enough of both", shape{200, 5e6, 90e6}, shape{1200, 10e6, 50e6}, model.Pool, "by the p99 of each trial"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 1e4, wait: 1e7})
			p := l.plan(30, 8, goModels[:2], []int{2}, "op")
			p.Workloads[0].Cells = append([]plan.Cell{{Workload: "op", Model: model.Sequential, Concurrency: 1}}, p.Workloads[0].Cells...)
			p.Workloads[0].Objective = "latency"
			w := judged(t, drive(t, p, DefaultOptions(), func(tr plan.Trial) record.Record {
				r := l.run(tr)
				s := tt.pool
				if tr.Cell.Model == model.Sequential {
					s = tt.seq
				}
				r.Latency = &record.Histogram{}
				for i := range s.n {
					ns := s.most
					if i%20 == 0 {
						ns = s.tail
					}
					r.Latency.Record(ns)
				}
				return r
			})).Workloads[0]
			if r := w.Recommendation; r == nil || r.Model != tt.want {
				t.Errorf("recommendation %+v, undecided %q", r, w.Undecided)
			}
			if !strings.Contains(strings.Join(w.Evidence, "\n"), tt.told) {
				t.Errorf("evidence %q", w.Evidence)
			}
		})
	}
}
