package reports

import (
	"encoding/json"
	"fmt"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// An actionEntry is one benchmark as github-action-benchmark reads it with its
// tools customBiggerIsBetter and customSmallerIsBetter (its README, "Examples").
// It keeps values of one name over commits, so a name must not hold what
// changes with a measurement.
type actionEntry struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Range string  `json:"range,omitempty"` // shown beside the value
	Extra string  `json:"extra,omitempty"` // shown as a tooltip
}

// benchmarkAction is the result for github-action-benchmark: of each workload
// and model the best level. bigger gives ops per second, for which more is
// better, else the median op and its CPU time, for which less is.
func benchmarkAction(res *analyzer.Result, bigger bool) ([]byte, error) {
	entries := []actionEntry{}
	for i := range res.Workloads {
		w := &res.Workloads[i]
		cells := ordered(w)
		for _, c := range cells {
			if c.Status != record.OK || !counted(c) || bestCounted(cells, c.Model) != c {
				continue
			}
			name := plain(w.Name) + "/" + plain(string(c.Model))
			extra := fmt.Sprintf("%d in flight, %s", c.Concurrency, plural(int64(c.Trials), "trial"))
			if c.Model == model.Sequential {
				extra = plural(int64(c.Trials), "trial")
			}
			q := c.OpsPerSec
			if bigger {
				e := actionEntry{Name: name, Unit: "ops/s", Value: q.Median, Extra: extra}
				if q.Low != q.High {
					e.Range = span(q.Low, q.High)
				}
				entries = append(entries, e)
				continue
			}
			if c.Latency.P50 > 0 {
				entries = append(entries, actionEntry{Name: name + "/p50", Unit: "ns", Value: float64(c.Latency.P50), Extra: extra})
			}
			if c.CPUNsPerOp > 0 {
				entries = append(entries, actionEntry{Name: name + "/cpu", Unit: "ns/op", Value: c.CPUNsPerOp, Extra: extra})
			}
		}
	}
	out, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the benchmarks: %w", err)
	}
	return visible(out), nil
}

// bestCounted is bestOf without cells that were eliminated: from run to run
// they would come and go.
func bestCounted(cells []*analyzer.Cell, m model.Model) *analyzer.Cell {
	var ok []*analyzer.Cell
	for _, c := range cells {
		if c.Status == record.OK {
			ok = append(ok, c)
		}
	}
	return bestOf(ok, m)
}
