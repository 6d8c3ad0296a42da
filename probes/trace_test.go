package probes

import (
	"bytes"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// sleepingOp waits for a timer, and switches goroutines as often as it can where
// its number is large: what a tracer writes then is cut short.
const sleepingOp = `package shared

import "time"

func Op(n int) {
	if n < 5 {
		time.Sleep(time.Millisecond)
		return
	}
	ping, pong := make(chan int), make(chan int)
	go func() {
		for range ping {
			pong <- 1
		}
	}()
	for i := 0; i < 2000; i++ {
		ping <- 1
		<-pong
	}
	close(ping)
}
`

// TestTraceGo holds that a traced trial leaves a whole trace and nothing else,
// that one which grows too large is ended and not cut, and that no other trial
// is traced.
func TestTraceGo(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a probe is built")
	}
	r := runAll(t, goModule(t, sleepingOp),
		plan.Trial{Pass: plan.Tracing, Ops: 5},
		plan.Trial{Pass: plan.Tracing, Ops: 400},
		plan.Trial{Pass: plan.Timing, Ops: 5, Cell: plan.Cell{Model: model.Pool, Concurrency: 2}})
	wantOK(t, r)
	sizes := []int{}
	for _, f := range r.Finished[:2] {
		ps := f.Record.Profiles
		if len(ps) != 1 || ps[0].Kind != record.ExecutionTrace || ps[0].File != record.TraceFile || ps[0].Problem != "" || ps[0].SHA256 == "" || ps[0].WindowNs < f.Record.WallNs {
			t.Fatalf("%s: profiles %+v", f.Trial.ID, ps)
		}
		if f.Record.Ops != f.Trial.Ops {
			t.Errorf("%s: %d ops", f.Trial.ID, f.Record.Ops)
		}
		data, err := r.ReadProfile(f.Trial.ID, ps[0].File)
		if err != nil || !bytes.HasPrefix(data, []byte("go 1.")) || !bytes.Contains(data, []byte("harness.runOp")) || !bytes.Contains(data, []byte("ops begin")) {
			t.Errorf("%s: %d bytes, %v", f.Trial.ID, len(data), err)
		}
		sizes = append(sizes, len(data))
	}
	// 400 ops of 2,000 exchanges would write more than 10 MB.
	if sizes[0] > record.MaxTraceBytes/8 || sizes[1] < record.MaxTraceBytes/4 || sizes[1] > record.MaxTraceBytes {
		t.Errorf("traces of %v bytes, at most %d are kept", sizes, record.MaxTraceBytes)
	}
	if ps := r.Finished[2].Record.Profiles; len(ps) != 0 {
		t.Errorf("a timing trial left %+v", ps)
	}
}
