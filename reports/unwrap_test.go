package reports

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"
)

// TestUnwrap leaves the op's code right under its root.
func TestUnwrap(t *testing.T) {
	const lib, user = "github.com/concprof/concprof/probes/harness.", "example.com/m/zz_concprof_harness."
	for _, c := range []struct {
		name     string
		in, want []string // root first
	}{
		{"reflection", []string{"harness.runOp", user + "adapt.(*shape).reflected.func1", "reflect.Value.Call", "reflect.Value.call", "example.com/m.F", "net/http.Get"}, []string{"harness.runOp", "example.com/m.F", "net/http.Get"}},
		{"direct", []string{"harness.runOp", user + "directInput[...].func15", user + "directInput[...].func9", "example.com/m.F"}, []string{"harness.runOp", "example.com/m.F"}},
		{"a built-in step is the op", []string{"harness.runOp", lib + "cpuStep.func1.1", lib + "compute", "crypto/sha256.Sum256"}, []string{"harness.runOp", lib + "cpuStep.func1.1", lib + "compute", "crypto/sha256.Sum256"}},
		{"offloaded", []string{"harness.runOp", lib + "(*trial).makeSlots.permits.offload.func1", lib + "cpuStep.func1.1"}, []string{"harness.runOp", lib + "cpuStep.func1.1"}},
		{"waiting for a permit", []string{"harness.runOp", lib + "(*trial).makeSlots.permits.offload.func1", "runtime.chansend1"}, []string{"harness.runOp", lib + "(*trial).makeSlots.permits.offload.func1", "runtime.chansend1"}},
		{"the harness alone", []string{"harness.runOp", user + "directInput[...].func9"}, []string{"harness.runOp", user + "directInput[...].func9"}},
		{"reflection of the user's", []string{"harness.runOp", "example.com/m.F", "reflect.Value.Call"}, []string{"harness.runOp", "example.com/m.F", "reflect.Value.Call"}},
		{"the root alone", []string{"harness.runOp"}, []string{"harness.runOp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &pprof.Profile{Sample: []*pprof.Sample{{}}}
			for i := len(c.in) - 1; i >= 0; i-- {
				p.Sample[0].Location = append(p.Sample[0].Location, &pprof.Location{Line: []pprof.Line{{Function: &pprof.Function{Name: c.in[i]}}}})
			}
			var got []string
			locs := unwrapped(p).Sample[0].Location
			for i := len(locs) - 1; i >= 0; i-- {
				got = append(got, locs[i].Line[0].Function.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(p.Sample[0].Location) != len(c.in) {
				t.Error("the profile itself was changed")
			}
		})
	}
	if unwrapped(nil) != nil {
		t.Error("a profile out of nothing")
	}
}
