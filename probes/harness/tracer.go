package harness

import (
	"context"
	"os"
	"runtime/trace"
	"sync"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// The marks in an execution trace: log events of this category on the
// goroutine that runs the ops, before the first and after the last.
const (
	traceCategory = "concprof"
	traceBegin    = "ops begin"
	traceEnd      = "ops end"
)

// maxTraced is how many bytes of trace are written before tracing is ended: ops
// that switch goroutines every microsecond write that much in some 50 ms. A
// trace is ended and never cut, for what is cut cannot be read.
const maxTraced = record.MaxTraceBytes / 4

// tracer owns the execution trace of a trial.
type tracer struct {
	out     *os.File
	began   time.Time
	err     error     // why there is no trace
	written int       // by the runtime's own goroutine, until it has ended
	failed  error     // the first write that did
	full    sync.Once // tracing is ended before the ops are
}

// takeTracer takes the descriptor for the trace.
func takeTracer() (*tracer, error) {
	out, err := takeFD(record.TraceFD, "trace")
	if err != nil {
		return nil, err
	}
	return &tracer{out: out}, nil
}

// Write is called by the goroutine that the runtime reads its buffers with.
func (t *tracer) Write(p []byte) (int, error) {
	n, err := t.out.Write(p)
	if err != nil && t.failed == nil {
		t.failed = err
	}
	if t.written += n; t.written > maxTraced {
		t.full.Do(func() { go trace.Stop() }) // it waits for this very goroutine
	}
	return n, err
}

func (t *tracer) start() {
	t.began = time.Now()
	t.err = trace.Start(t)
}

// stop ends the trace and describes it.
func (t *tracer) stop() record.Profile {
	r := record.Profile{Kind: record.ExecutionTrace, File: record.TraceFile, WindowNs: int64(time.Since(t.began))}
	if t.err == nil {
		t.err = within(stopTimeout, func() error { trace.Stop(); return nil })
	}
	if t.err == nil {
		t.err = t.failed
	}
	if t.err == nil {
		t.err = t.out.Close()
	}
	if t.err != nil {
		r.Problem = clip(t.err.Error(), maxReasonBytes)
	}
	return r
}

// runTraced runs one op after another between two marks.
func runTraced(src source, s *slot) {
	ctx := context.Background()
	trace.Log(ctx, traceCategory, traceBegin)
	runSequential(src, s)
	trace.Log(ctx, traceCategory, traceEnd)
}
