// Package harness stands in for the probe's harness in tests of execution
// traces: it runs an op under the tracer, between the same marks and below an
// anchor of the same name.
package harness

import (
	"bytes"
	"context"
	"runtime/trace"
	"time"
)

// Trace runs op in a goroutine again and again for a time, and returns the trace
// of it. Once it is run before that.
func Trace(op func(), d time.Duration) ([]byte, error) {
	runOp(op)
	var out bytes.Buffer
	if err := trace.Start(&out); err != nil {
		return nil, err
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		ctx := context.Background()
		trace.Log(ctx, "concprof", "ops begin")
		for begin := time.Now(); time.Since(begin) < d; {
			runOp(op)
			admit()
		}
		trace.Log(ctx, "concprof", "ops end")
	}()
	<-done
	trace.Stop()
	return out.Bytes(), nil
}

// runOp is the anchor.
//
//go:noinline
func runOp(op func()) { op() }

// admit is what the harness waits for between two ops where their rate is
// bounded: no part of their time.
//
//go:noinline
func admit() { time.Sleep(100 * time.Microsecond) }
