package harness

import (
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/google/pprof/profile"
)

// anchored sums the samples of a profile whose stacks go through runOp.
func anchored(t *testing.T, data []byte) (through, all int64) {
	t.Helper()
	p, err := profile.ParseData(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Sample {
		all += s.Value[0]
	stack:
		for _, l := range s.Location {
			for _, line := range l.Line {
				if line.Function.Name == "github.com/concprof/concprof/probes/harness.runOp" {
					through += s.Value[0]
					break stack
				}
			}
		}
	}
	return through, all
}

func TestClassifyCPU(t *testing.T) {
	o := probe(t, Spec{
		Mode: ModeClassify, ForNs: int64(400 * time.Millisecond),
		Steps: []Step{
			{Name: "hash", Kind: KindCPU, Work: "sha256", Iterations: 200},
			{Name: "wait", Kind: KindSleep, ForNs: int64(time.Millisecond)},
		},
	})
	r := o.record(t)
	if o.code != 0 || r.Thread == nil || len(r.Profiles) != 2 || len(r.Steps) != 2 {
		t.Fatalf("code %d, record %+v\n%s", o.code, r, o.stderr)
	}
	t.Logf("thread %+v wall %d steps %+v profiles %+v missing %q", *r.Thread, r.WallNs, r.Steps, r.Profiles, r.Missing)
	if through, all := anchored(t, o.cpu); through*2 < all {
		t.Errorf("%d of %d CPU samples go through the op", through, all)
	}
	if through, _ := anchored(t, o.wall); through == 0 {
		t.Error("no wall sample goes through the op")
	}
	hash, wait := r.Steps[0], r.Steps[1]
	if hash.Name != "hash" || hash.Ops == 0 || hash.CPUNs < wait.CPUNs {
		t.Errorf("steps %+v: the first computes, the second waits", r.Steps)
	}
	if r.Thread.CPUNs < hash.CPUNs/2 || r.Thread.LabelledNs == 0 {
		t.Errorf("thread %+v, steps %+v", r.Thread, r.Steps)
	}
}

func TestProfiledTooShort(t *testing.T) {
	// Ops that end at once leave the profilers with less than a tick.
	o := probe(t, Spec{
		Mode: ModeProfile, Model: model.Goroutines, Concurrency: 8, Ops: 1,
		Steps: []Step{{Kind: KindGo, Func: "nothing"}},
	})
	r := o.record(t)
	for _, p := range r.Profiles {
		if p.Kind == record.WallProfile && p.Samples == 0 {
			t.Errorf("profile %+v: want samples of an idle process", p)
		}
		if time.Duration(p.WindowNs) < minProfileWindow {
			t.Errorf("profile %+v: window too short", p)
		}
	}
}
