package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
)

// TestTrace holds that the second source of waits stands beside the first, in
// every format for people where it was asked for and in none where it was not.
func TestTrace(t *testing.T) {
	split := func(k record.Wait, share float64) map[record.Wait]float64 { return map[record.Wait]float64{k: share} }
	res := func(x *analyzer.Trace) *analyzer.Result {
		return &analyzer.Result{Workloads: []analyzer.Workload{{
			Name: "ask", Class: analyzer.IOBound, Trace: x,
			Split: analyzer.Split{OnCPU: 0.05, Runnable: 0.02, Blocked: 0.93}, Waits: split(record.Channel, 0.93),
		}}}
	}
	write := func(format Format, r *analyzer.Result, o Options) string {
		t.Helper()
		var b bytes.Buffer
		if err := Write(&b, format, r, o); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	there := res(&analyzer.Trace{Trial: "t0030", WindowNs: 2e8, Running: 0.04, Runnable: 0.03, Waits: split(record.Channel, 0.93), Resolved: split(record.Network, 0.93)})
	skipped := res(&analyzer.Trace{Skipped: "its trial did not finish: crashed"})

	const line = "by its execution trace, over 200 ms: running 4.0 %, runnable 3.0 %, network 93 %"
	unfold := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if got := unfold(write(Text, there, Options{Verbose: true})); !strings.Contains(got, line) {
		t.Errorf("want %q in:\n%s", line, got)
	}
	if got := unfold(write(Text, skipped, Options{Verbose: true})); !strings.Contains(got, "no execution trace: its trial did not finish: crashed") {
		t.Errorf("why there is none is not said:\n%s", got)
	}
	for _, r := range []*analyzer.Result{skipped, res(nil)} {
		for _, format := range []Format{Text, HTML, Markdown} {
			if got := write(format, r, Options{}); strings.Contains(got, "by its") {
				t.Errorf("%s tells of a trace that is not there", format)
			}
		}
	}
	if got := write(HTML, there, Options{}); !strings.Contains(got, line) {
		t.Error("the page does not tell of the trace")
	}
	var doc struct {
		Workloads []struct {
			Trace *analyzer.Trace `json:"execution_trace"`
		}
	}
	if err := json.Unmarshal([]byte(write(JSON, there, Options{})), &doc); err != nil || doc.Workloads[0].Trace == nil || doc.Workloads[0].Trace.Resolved[record.Network] != 0.93 {
		t.Errorf("%v, %+v", err, doc)
	}
}
