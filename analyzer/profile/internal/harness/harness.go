// Package harness stands in for the probe's harness in tests of profiles: it
// runs an op under the same profilers, below an anchor of the same name.
package harness

import (
	"bytes"
	"context"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/felixge/fgprof"
)

// A Recording is what the profilers wrote about one op.
type Recording struct {
	CPU, Wall []byte
	Ops       int64
}

// Record runs op from n goroutines, again and again for at least the time
// that is given, under both profilers. The time must be that of several ticks
// (10 ms each): fgprof cannot be stopped before its first.
func Record(op func(), n int, at time.Duration) (*Recording, error) {
	var cpu, wall bytes.Buffer
	quit, parked := make(chan struct{}), make(chan struct{})
	go metronome(parked, quit)
	<-parked
	defer close(quit)

	if err := pprof.StartCPUProfile(&cpu); err != nil {
		return nil, err
	}
	stop := fgprof.Start(&wall, fgprof.FormatPprof)
	end := time.Now().Add(at)
	ops := make([]int64, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			pprof.Do(context.Background(), pprof.Labels("concprof", "op"), func(context.Context) {
				for time.Now().Before(end) {
					runOp(op)
					ops[i]++
				}
			})
		})
	}
	wg.Wait()
	pprof.StopCPUProfile() // before fgprof writes, or its work shows up
	if err := stop(); err != nil {
		return nil, err
	}
	r := &Recording{CPU: cpu.Bytes(), Wall: wall.Bytes()}
	for _, o := range ops {
		r.Ops += o
	}
	return r, nil
}

// runOp is the anchor.
//
//go:noinline
func runOp(op func()) { op() }

// metronome is parked for the whole window, and so counted at each tick.
//
//go:noinline
func metronome(parked chan<- struct{}, quit <-chan struct{}) {
	close(parked)
	<-quit
}
