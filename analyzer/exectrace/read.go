package exectrace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/exp/trace"

	"github.com/concprof/concprof/probes/record"
)

// ErrNotTrace is wrapped by every error that Read returns for content that is no
// execution trace, or a damaged one.
var ErrNotTrace = errors.New("not an execution trace")

// Limits bound what Read accepts, so that a foreign file can cost neither more
// memory nor more time than a large trace would. A trial's trace is ended at a
// quarter of the bytes; it has a batch for each 64 KiB and each thread and
// second.
type Limits struct {
	Bytes   int // of the file
	Batches int
	Threads int // each event may be looked for on every thread
	Events  int
	// Depth is how many goroutines are followed, each woken by the next, to
	// learn what the first waited for.
	Depth int
}

// DefaultLimits returns the limits that Read applies. Measured: a trace of 3.4 MB,
// of an op that does nothing but switch goroutines, takes 0.8 s on a busy machine
// and allocates 220 MB in all; one that a probe has ended, 0.1 to 0.3 s.
func DefaultLimits() Limits {
	return Limits{Bytes: record.MaxTraceBytes, Batches: 10_000, Threads: 64, Events: 1_000_000, Depth: 16}
}

// Read accounts for the time of the goroutine that ran the ops, in a trace that
// a probe wrote, within DefaultLimits. It never panics. Traces of Go 1.22 and
// newer are read, up to the version that golang.org/x/exp/trace knows.
func Read(data []byte) (*Account, error) { return DefaultLimits().Read(data) }

// Read is like the function Read, within the limits l.
func (l Limits) Read(data []byte) (a *Account, err error) {
	// The decoder is not ours: what it may still do with hostile input must
	// not end the program.
	defer func() {
		if r := recover(); r != nil {
			a, err = nil, fmt.Errorf("%w: decoding: %v", ErrNotTrace, clip(fmt.Sprint(r)))
		}
	}()
	return l.account(data)
}

func (l Limits) account(data []byte) (*Account, error) {
	if err := l.scan(data); err != nil {
		return nil, err
	}
	r, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, broken(err)
	}
	s := newScheduler()
	for n := 0; ; n++ {
		e, err := r.ReadEvent()
		if errors.Is(err, io.EOF) {
			return s.account(l.Depth)
		}
		if err != nil {
			return nil, broken(err)
		}
		if n >= l.Events {
			return nil, fmt.Errorf("the trace has more than %d events", l.Events)
		}
		if err := s.event(&e); err != nil {
			return nil, err
		}
	}
}

// broken is an error of the decoder, which may list all it knows.
func broken(err error) error { return fmt.Errorf("%w: %s", ErrNotTrace, clip(err.Error())) }

// clip keeps the first line of a text, at most 200 bytes of it.
func clip(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line[:min(len(line), 200)]
}
