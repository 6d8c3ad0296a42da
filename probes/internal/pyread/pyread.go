// Package pyread samples the Python frames of a running CPython from outside.
//
// The reader is a process of its own to the program it looks at: it reads
// memory and /proc, and never stops, changes or calls into the program. At
// each look it notes, for every thread on which an op runs, the stack below
// the op's anchor and what the thread does: runs Python, runs C with or
// without the GIL, waits for the GIL, is blocked and on what, or stands in a
// processor's queue.
//
//	s, err := pyread.Start(ctx, pid, pyread.Options{Children: true})
//	...
//	r := s.Stop()
//	r.CPU().Write(f)
//
// It knows the memory layout of CPython 3.11 to 3.15 on Linux, on amd64 (and
// from 3.13, which describes itself, on arm64). Anything else is refused with
// an *UnsupportedError; there is no guessing. A thread that is asleep in an
// event loop's selector has no op on its stack: what coroutines wait for is
// accounted in the probe itself and joins the samples in Result.Wall.
package pyread

import (
	"cmp"
	"fmt"
	"slices"
)

// An UnsupportedError says why a process cannot be read.
type UnsupportedError struct {
	PID    int
	Reason string // "a free-threaded build", "CPython 3.16, known are 3.11 to 3.15"
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("cannot read the frames of process %d: %s", e.PID, e.Reason)
}

// Options say how to look. The zero value works.
type Options struct {
	// Hz is how many looks a second are aimed at. Default 100, the rate of
	// Go's own CPU profiler.
	Hz float64
	// MaxShare is the share of one core that the reader may use. Default
	// 0.05. To stay below it, the reader looks at a random subset of the
	// threads and, where that is not enough, less often.
	MaxShare float64
	// Anchors are the names of the functions under which an op's frames
	// stand, in files whose path ends in ProbeFile. Defaults "concprof_op" and
	// "concprof_op_async", in any file.
	Anchors   []string
	ProbeFile string
	// Children makes the reader follow child processes too, to any depth.
	Children bool
	// Seed is that of the random choices. 0 takes one from the clock.
	Seed uint64
}

// Anchor is the name of the root frame of all samples, so that the stacks of
// synchronous and asynchronous ops line up.
const Anchor = "concprof_op"

// WithDefaults returns o with defaults for what is not set.
func (o Options) WithDefaults() Options {
	o.Hz = cmp.Or(max(o.Hz, 0), 100)
	o.MaxShare = cmp.Or(max(o.MaxShare, 0), 0.05)
	if len(o.Anchors) == 0 {
		o.Anchors = []string{Anchor, "concprof_op_async"}
	} else {
		o.Anchors = slices.Clone(o.Anchors)
	}
	return o
}
