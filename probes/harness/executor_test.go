package harness

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// inProcess are the models whose ops run in the probe process.
func inProcess() []model.Model {
	return []model.Model{model.Sequential, model.Pool, model.Goroutines, model.EventLoop, model.Threads, model.Hybrid}
}

// newTrial returns a trial of one step that is ready to be executed here.
func newTrial(t *testing.T, spec Spec, step stepFunc) *trial {
	return newTrialOf(t, spec, builtStep{name: "step", build: same(step)})
}

func newTrialOf(t *testing.T, spec Spec, step builtStep) *trial {
	t.Helper()
	tr := &trial{spec: &spec, sampler: new(sampler)}
	tr.steps = []builtStep{step}
	tr.sampler.fix(spec.latencyEvery())
	in, err := loadInputs(spec.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.makeSlots(in); err != nil {
		t.Fatal(err)
	}
	return tr
}

func (t *trial) execAll() *record.Record {
	p := newPace(t.spec)
	p.start = time.Now()
	openLoop(&p, t.slots)
	t.execute(newFeed(p))
	rec := &record.Record{Status: record.OK}
	collect(rec, t.slots, t.sampler, t.spec.NoDigest)
	rec.Load = p.offered(t.slots)
	return rec
}

func TestEveryOpOnce(t *testing.T) {
	const ops = 20_000
	for _, m := range inProcess() {
		for _, level := range []int{1, 3, 16} {
			inputless := level != 3 // the shortest way through the harness, and the other
			t.Run(fmt.Sprintf("%s/%d", m, level), func(t *testing.T) {
				seen := make([]atomic.Int32, ops)
				step := func(_ context.Context, op int64, in any) (any, error) {
					seen[op].Add(1)
					if !inputless && in != any(op) {
						t.Errorf("op %d was given %v", op, in)
					}
					return nil, nil
				}
				tr := newTrialOf(t, Spec{Mode: ModeTiming, Model: m, Concurrency: level, Cores: 2, Ops: ops},
					builtStep{name: "step", build: same(step), inputless: inputless})
				rec := tr.execAll()
				for op := range seen {
					if n := seen[op].Load(); n != 1 {
						t.Fatalf("op %d ran %d times", op, n)
					}
				}
				if rec.Ops != ops || rec.Digest.Ops != ops {
					t.Errorf("record says %d ops, digest %d", rec.Ops, rec.Digest.Ops)
				}
				if n := rec.Latency.N; n == 0 || n > ops {
					t.Errorf("%d of %d ops were timed", n, ops)
				}
			})
		}
	}
}

// TestConcurrency holds every op back until as many are in flight as the
// level allows, and counts whether there ever are more.
func TestConcurrency(t *testing.T) {
	for _, m := range inProcess() {
		t.Run(string(m), func(t *testing.T) {
			level := 5
			if m == model.Sequential {
				level = 1
			}
			var inFlight, most atomic.Int64
			reached := make(chan struct{})
			var once sync.Once
			tr := newTrial(t, Spec{Mode: ModeTiming, Model: m, Concurrency: level, Cores: 2, Ops: 500},
				func(context.Context, int64, any) (any, error) {
					n := inFlight.Add(1)
					defer inFlight.Add(-1)
					for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
					}
					if n == int64(level) {
						once.Do(func() { close(reached) })
					}
					select {
					case <-reached:
					case <-time.After(10 * time.Second):
						t.Errorf("%d ops in flight, want %d", inFlight.Load(), level)
					}
					return nil, nil
				})
			tr.execAll()
			if n := most.Load(); n != int64(level) {
				t.Errorf("at most %d ops in flight, want %d", n, level)
			}
		})
	}
}

// TestHybridPermits holds that offloaded steps are never more than the cores.
func TestHybridPermits(t *testing.T) {
	const cores = 2
	var inside, most atomic.Int64
	tr := newTrial(t, Spec{Mode: ModeTiming, Model: model.Hybrid, Concurrency: 8, Cores: cores, Ops: 400, Offload: []bool{true}},
		func(context.Context, int64, any) (any, error) {
			n := inside.Add(1)
			defer inside.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(10 * time.Microsecond)
			return nil, nil
		})
	tr.execAll()
	if most.Load() > cores {
		t.Errorf("%d steps held a permit, want at most %d", most.Load(), cores)
	}
}

// TestDigestAgrees runs the same ops, some of which fail, under every model.
func TestDigestAgrees(t *testing.T) {
	var first *outcome
	for _, m := range append(inProcess(), model.Processes) {
		o := probe(t, Spec{
			Model: m, Concurrency: 3, Ops: 1000, Inputs: &Inputs{Count: 77},
			Steps: []Step{
				{Name: "odd", Kind: KindGo, Func: "odd-or-number"},
				{Name: "square", Kind: KindGo, Func: "square"},
			},
		})
		r := o.record(t)
		// Of 1000 ops on the numbers 0 to 76, cycled, 12*38 + 38 are odd.
		if r.FailedOps != 494 || len(r.Errors) != 1 || r.Errors[0].Count != 494 || r.Errors[0].Message != "odd number" {
			t.Errorf("%s: %d failed ops, errors %+v", m, r.FailedOps, r.Errors)
		}
		if first == nil {
			first = o
			continue
		}
		if agree, ops := first.record(t).Digest.Compare(r.Digest); !agree || ops != 1000 {
			t.Errorf("%s: digest %+v, sequential %+v", m, r.Digest, first.record(t).Digest)
		}
	}
}

// TestDigestDiffers holds that one different result among many shows.
func TestDigestDiffers(t *testing.T) {
	run := func(odd int64) *record.Digest {
		return newTrial(t, Spec{Mode: ModeTiming, Model: model.Goroutines, Concurrency: 4, Cores: 2, Ops: 1000},
			func(_ context.Context, op int64, _ any) (any, error) {
				if op == odd {
					return "other", nil
				}
				return nil, nil
			}).execAll().Digest
	}
	same, other, third := run(-1), run(500), run(501)
	if agree, _ := same.Compare(other); agree {
		t.Error("a different result does not show")
	}
	if agree, _ := other.Compare(third); agree {
		t.Error("the op whose result differs does not show")
	}
}
