package pyread

import (
	"github.com/concprof/concprof/probes/record"
)

// A State is what a thread that runs an op did at a look. A thread is in
// exactly one.
type State string

// The states.
const (
	Python     State = "python"      // on a processor, running Python code
	NativeGIL  State = "native-gil"  // on a processor, in C code that holds the GIL
	Native     State = "native"      // on a processor, in C code without it
	GILWait    State = "gil-wait"    // waiting for the GIL
	BlockedGIL State = "blocked-gil" // blocked, holding the GIL
	Blocked    State = "blocked"     // blocked without it
	Runnable   State = "runnable"    // ready to run, without a processor
)

// States returns every state, in the order of record.Python.
func States() []State {
	return []State{Python, NativeGIL, Native, GILWait, BlockedGIL, Blocked, Runnable}
}

// OnCPU reports whether a thread in state s uses a processor.
func (s State) OnCPU() bool { return s == Python || s == NativeGIL || s == Native }

// A Result is what a session saw.
type Result struct {
	// Stacks are the distinct stacks of ops with their states, the heaviest
	// first.
	Stacks []Stack
	// Seen sums them up.
	Seen record.Python
	// Problem says why the result is missing or not to be trusted, "" if it is.
	Problem string
}

// NoOp is the problem of a result without any stack. An event loop whose ops
// only wait has none: its thread stands in the selector.
const NoOp = "no op was seen on any stack"

// A Stack is one stack of an op in one state.
type Stack struct {
	// Frames stand leaf first. A thread in C code has a first frame such as
	// "<call> time.sleep", the text of the call that it is in; the last frame
	// is always the anchor.
	Frames []record.Frame
	State  State
	Wait   record.Wait // of blocked ones; record.GIL of those in GILWait
	GIL    bool        // held
	Count  int64       // looks at threads
	Ns     int64       // thread time that they stand for
}

// add sums a stack up.
func (r *Result) add(s State, ns int64) {
	switch s {
	case Python:
		r.Seen.PythonNs += ns
	case NativeGIL:
		r.Seen.NativeGILNs += ns
	case Native:
		r.Seen.NativeNs += ns
	case GILWait:
		r.Seen.GILWaitNs += ns
	case BlockedGIL:
		r.Seen.BlockedGILNs += ns
	case Blocked:
		r.Seen.BlockedNs += ns
	case Runnable:
		r.Seen.RunnableNs += ns
	}
}
