package builtin

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
)

func TestStep(t *testing.T) {
	ms := func(n int64) workload.Duration { return workload.Duration(n * int64(time.Millisecond)) }
	addresses := map[string]string{"api": "127.0.0.1:4321"}
	tests := []struct {
		name string
		step workload.Step
		want harness.Step // but for Name
		bad  bool
	}{
		{"sleep", workload.Step{Sleep: &workload.Sleep{For: ms(20), Jitter: ms(5)}}, harness.Step{Kind: harness.KindSleep, ForNs: 20e6, JitterNs: 5e6}, false},
		{"http server", workload.Step{HTTP: &workload.HTTP{Server: "api", Path: "/a?b=c", Method: "POST", Body: 10}},
			harness.Step{Kind: harness.KindHTTP, Address: "http://127.0.0.1:4321/a?b=c", Method: "POST", Bytes: 10}, false},
		{"http url", workload.Step{HTTP: &workload.HTTP{URL: "https://example.com/base", Path: "x"}},
			harness.Step{Kind: harness.KindHTTP, Address: "https://example.com/base/x"}, false},
		{"http unknown server", workload.Step{HTTP: &workload.HTTP{Server: "other"}}, harness.Step{}, true},
		{"tcp server", workload.Step{TCP: &workload.TCP{Server: "api", Connect: true}},
			harness.Step{Kind: harness.KindTCP, Address: "127.0.0.1:4321", Bytes: 64, Connect: true}, false},
		{"tcp address", workload.Step{TCP: &workload.TCP{Address: "db:5432", Bytes: 1}}, harness.Step{Kind: harness.KindTCP, Address: "db:5432", Bytes: 1}, false},
		{"tcp unknown server", workload.Step{TCP: &workload.TCP{Server: "other"}}, harness.Step{}, true},
		{"file", workload.Step{File: &workload.FileIO{Op: "read", Path: "data/x"}}, harness.Step{Kind: harness.KindFile, Work: "read", Path: "/home/data/x", Bytes: 4096}, false},
		{"file of its own", workload.Step{File: &workload.FileIO{Op: "fsync", Bytes: 9}}, harness.Step{Kind: harness.KindFile, Work: "fsync", Bytes: 9}, false},
		{"cpu", workload.Step{CPU: &workload.CPU{Kind: "json", For: ms(2)}}, harness.Step{Kind: harness.KindCPU, Work: "json", ForNs: 2e6}, false},
		{"fixed cpu", workload.Step{CPU: &workload.CPU{Kind: "sort", Iterations: 7}}, harness.Step{Kind: harness.KindCPU, Work: "sort", Iterations: 7}, false},
		{"alloc", workload.Step{Alloc: &workload.Alloc{Bytes: 100}}, harness.Step{Kind: harness.KindAlloc, Bytes: 100, Count: 1}, false},
		{"lock", workload.Step{Lock: &workload.Lock{For: ms(1)}}, harness.Step{Kind: harness.KindLock, ForNs: 1e6, Work: "cpu"}, false},
		{"sleeping lock", workload.Step{Lock: &workload.Lock{For: ms(1), While: "sleep"}}, harness.Step{Kind: harness.KindLock, ForNs: 1e6, Work: "sleep"}, false},
		{"channel", workload.Step{Channel: &workload.Channel{Messages: 3}}, harness.Step{Kind: harness.KindChannel, Count: 3}, false},
		{"empty", workload.Step{}, harness.Step{}, true},
		{"exec", workload.Step{Exec: []string{"true"}}, harness.Step{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.step.Name, tt.want.Name = "s", "s"
			got, err := Step(tt.step, "/home", addresses)
			if (err != nil) != tt.bad {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" && !tt.bad {
				t.Errorf("step (-want +got):\n%s", diff)
			}
		})
	}
}

func TestControl(t *testing.T) {
	for _, c := range []plan.Control{plan.ControlCPU, plan.ControlWait} {
		if steps, err := Control(c); err != nil || len(steps) != 1 || steps[0].ForNs <= 0 {
			t.Errorf("%s: %v, %v", c, steps, err)
		}
	}
	if _, err := Control("other"); err == nil {
		t.Error("an unknown control has steps")
	}
}
