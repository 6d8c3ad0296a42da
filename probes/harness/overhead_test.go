package harness

import (
	"context"
	"math"
	"sort"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// BenchmarkOverhead compares what an empty op costs under the harness with
// what it costs in the loop that one would write by hand: errgroup with a
// limit, and workers on a channel. An instrument that is to tell models apart
// must not add more than a tenth to either. Rounds of both are interleaved;
// the medians and their ratio are reported. Other load on the machine moves
// single rounds by more than the whole difference, so run it some times:
//
//	go test -run '^$' -bench Overhead -benchtime 1x -count 5 ./probes/harness
func BenchmarkOverhead(b *testing.B) {
	empty, err := adapt("empty", emptyOp)
	if err != nil {
		b.Fatal(err)
	}
	const workers = 8
	for _, bb := range []struct {
		name    string
		harness func(*feed, []*slot)
		byHand  func(ops int64, workers int, op func(int64) error) error
	}{
		{"goroutines", runGoroutines, withErrgroup},
		{"pool", runPool, withChannel},
	} {
		b.Run(bb.name, func(b *testing.B) {
			cost := clockCost()
			ratio, ours, theirs := interleave(b, 41, 50_000,
				func(ops int64) {
					slots := emptySlots(workers, empty, cost)
					p := pace{limit: ops, start: time.Now()}
					bb.harness(newFeed(p), slots)
					for _, s := range slots {
						ops -= s.ops
					}
					if ops != 0 {
						b.Fatalf("%d ops not run", ops)
					}
				},
				func(ops int64) {
					if err := bb.byHand(ops, workers, emptyOpError); err != nil {
						b.Fatal(err)
					}
				})
			b.ReportMetric(ratio, "ratio")
			b.ReportMetric(ours, "ns/harness-op")
			b.ReportMetric(theirs, "ns/hand-op")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// emptySlots returns slots as a timing trial has them: results enter the
// digest, and one op in k is timed.
func emptySlots(n int, step stepFunc, cost time.Duration) []*slot {
	sm := new(sampler)
	sm.fix(0)
	slots := make([]*slot, n)
	for i := range slots {
		slots[i] = &slot{
			plain: true, only: step, ctx: context.Background(),
			sampler: sm, clockCost: cost,
		}
	}
	return slots
}

// emptyOp is what both loops call. The harness gets it as a func(), the loops
// by hand as the func(int64) error that such loops are written for.
//
//go:noinline
func emptyOp() {}

func emptyOpError(int64) error {
	emptyOp()
	return nil
}

// withErrgroup is a goroutine per op as people write it.
func withErrgroup(ops int64, workers int, op func(int64) error) error {
	var g errgroup.Group
	g.SetLimit(workers)
	for i := int64(0); i < ops; i++ {
		g.Go(func() error { return op(i) })
	}
	return g.Wait()
}

// withChannel is a pool of workers as people write it, with the harness's
// room in the channel.
func withChannel(ops int64, workers int, op func(int64) error) error {
	ch := make(chan int64, workers)
	failed := make(chan error, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range ch {
				if err := op(i); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for i := int64(0); i < ops; i++ {
		ch <- i
	}
	close(ch)
	wg.Wait()
	close(failed)
	return <-failed
}

// interleave runs rounds of a and b in turn and returns the ratio of their
// median times, and those per op in nanoseconds.
func interleave(b *testing.B, rounds int, ops int64, x, y func(int64)) (ratio, ours, theirs float64) {
	b.Helper()
	var xs, ys []float64
	x(ops / 10)
	y(ops / 10)
	for i := range rounds {
		run := func(f func(int64)) float64 {
			begin := time.Now()
			f(ops)
			return float64(time.Since(begin)) / float64(ops)
		}
		if i%2 == 0 {
			xs = append(xs, run(x))
			ys = append(ys, run(y))
		} else {
			ys = append(ys, run(y))
			xs = append(xs, run(x))
		}
	}
	ours, theirs = median(xs), median(ys)
	return ours / theirs, ours, theirs
}

func median(v []float64) float64 {
	sort.Float64s(v)
	if len(v) == 0 {
		return math.NaN()
	}
	return v[len(v)/2]
}
