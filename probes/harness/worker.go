package harness

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/concprof/concprof/probes/record"
)

// The descriptors that a worker has beside those of a probe.
const (
	sharedFD  = 7
	barrierFD = 8
)

// workerDone is the event by which a worker says that its last op has ended.
// It comes before the record, so that what a worker does to describe its ops
// is not part of their time. The runner never sees it.
const workerDone record.EventKind = "done"

// sharedState is the memory that the workers of a trial share.
type sharedState struct {
	next    atomic.Int64 // the number of the next op
	_       [56]byte     // to itself on a cache line: every op changes it
	start   atomic.Int64 // when the first worker began, by clock; 0 before
	sampler sampler
}

// begin returns when the first of the workers began, as time.Now would have
// told it to this one, whose own beginning is now. Ops arrive by one clock,
// whichever worker runs them.
func (s *sharedState) begin(now time.Time) time.Time {
	mine := clock()
	s.start.CompareAndSwap(0, mine)
	return now.Add(time.Duration(s.start.Load() - mine))
}

const sharedSize = int64(unsafe.Sizeof(sharedState{}))

// initShared prepares the memory before the workers map it.
func initShared(f *os.File, spec *Spec) error {
	s, err := mapShared(f)
	if err != nil {
		return err
	}
	s.sampler.fix(spec.latencyEvery())
	return nil
}

// A worker is what a worker process has of its trial.
type worker struct {
	shared  *sharedState
	barrier *os.File
}

func takeWorker() (*worker, error) {
	mem, err := takeFD(sharedFD, "shared memory")
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	shared, err := mapShared(mem)
	if err != nil {
		return nil, err
	}
	barrier, err := takeFD(barrierFD, "start")
	if err != nil {
		return nil, err
	}
	return &worker{shared, barrier}, nil
}

// waitForStart waits for the byte that lets the worker begin. The end of the
// pipe means that the process that would send it is gone.
func (w *worker) waitForStart() error {
	defer w.barrier.Close()
	if _, err := w.barrier.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("wait for the start: %w", err)
	}
	return nil
}

func (w *worker) feed(p pace) *sharedFeed {
	return &sharedFeed{next: &w.shared.next, pace: p}
}

// A sharedFeed is a source whose numbers several processes take. A number
// that was taken is run, so that the ops run are 0 to the number of them.
type sharedFeed struct {
	next    *atomic.Int64
	own     int64 // taken by this process
	checkAt int64
	pace    pace
}

func (f *sharedFeed) take() int64 {
	if f.own >= f.checkAt && !f.more() {
		return none
	}
	op := f.next.Add(1) - 1
	if op >= f.pace.limit {
		return none
	}
	if f.pace.open && f.pace.due(op) >= f.pace.time {
		return none // so is every later one
	}
	f.own++
	if f.pace.gap > 0 {
		time.Sleep(f.pace.due(op) - time.Since(f.pace.start))
	}
	return op
}

// more reports whether ops may still start. Only the number of ops is left to
// check until this process has taken checkAt of them.
func (f *sharedFeed) more() bool {
	p := &f.pace
	if p.time <= 0 {
		f.checkAt = p.limit
		return true
	}
	passed := time.Since(p.start)
	next := f.next.Load()
	late := passed >= p.time || p.gap > 0 && p.due(next) >= p.time
	if late && next >= p.min {
		return false
	}
	f.checkAt = f.own + 1
	if p.gap == 0 && passed > 0 && !late {
		f.checkAt = f.own + p.stride(f.own, passed)
	}
	return true
}
