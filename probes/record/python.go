package record

import "path"

// Python is what the frame reader saw of a CPython probe from outside, during
// the ops. Times are thread time: samples times the sampling period, summed
// over the threads and worker processes that ran ops.
type Python struct {
	// Samples counts the looks that were taken, Torn those stacks of them
	// that changed while they were read and were left out.
	Samples int64 `json:"samples"`
	Torn    int64 `json:"torn"`
	// WindowNs is how long the reader ran, ReaderCPUNs what it used itself.
	WindowNs    int64 `json:"window_ns"`
	ReaderCPUNs int64 `json:"reader_cpu_ns"`
	// Threads that ran ops were in exactly one of these states at a look:
	// running Python code; running C code with and without the GIL; waiting
	// for the GIL; blocked with it and without it; ready to run but without a
	// processor.
	PythonNs     int64 `json:"python_ns"`
	NativeGILNs  int64 `json:"native_gil_ns"`
	NativeNs     int64 `json:"native_ns"`
	GILWaitNs    int64 `json:"gil_wait_ns"`
	BlockedGILNs int64 `json:"blocked_gil_ns"`
	BlockedNs    int64 `json:"blocked_ns"`
	RunnableNs   int64 `json:"runnable_ns"`
	// Approximate says why the numbers are not the reader's: an interpreter
	// whose layout it does not know. "" if they are.
	Approximate string `json:"approximate,omitempty"`
}

// Interpreter describes the interpreter that ran Python targets.
type Interpreter struct {
	Implementation string `json:"implementation"` // "cpython", "pypy"
	Version        string `json:"version"`        // "3.11.7"
	Build          string `json:"build,omitempty"`
	GIL            bool   `json:"gil"`
	FreeThreaded   bool   `json:"free_threaded,omitempty"` // of the build; the GIL may be on all the same
	Prefix         string `json:"prefix,omitempty"`
}

// String names the interpreter, "CPython 3.13.0, free-threaded, GIL off".
func (i Interpreter) String() string {
	name := i.Implementation
	switch name {
	case "cpython":
		name = "CPython"
	case "pypy":
		name = "PyPy"
	}
	name += " " + i.Version
	if i.FreeThreaded {
		name += ", free-threaded, GIL "
		if i.GIL {
			return name + "on"
		}
		return name + "off"
	}
	return name
}

// A Frame is a place in a program.
type Frame struct {
	Function string `json:"function"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// PythonProbe reports whether a file is of concprof's own probe for Python,
// under whatever folder: its program, a module of its package, or the one file
// that it was in older runs.
func PythonProbe(file string) bool {
	switch path.Base(file) {
	case "concprof_start.py", "concprof_probe.py":
		return true
	}
	return path.Base(path.Dir(file)) == "concprof_probe"
}

// Tasks is what a sample of an event loop's tasks did, measured exactly by
// driving their coroutines.
type Tasks struct {
	Sampled int64 `json:"sampled"` // at most 256
	Steps   int64 `json:"steps"`   // from one await to the next
	// LongestStepNs is the longest of them, LongestStep where it ended, or of
	// the last step of an op where it began.
	LongestStepNs int64  `json:"longest_step_ns"`
	LongestStep   *Frame `json:"longest_step,omitempty"`
	WallNs        int64  `json:"wall_ns"` // of all sampled tasks, from start to end
	StepNs        int64  `json:"step_ns"` // of that, in steps
	// Awaits are what the tasks waited for, the longest first, at most 64.
	Awaits []Await `json:"awaits,omitempty"`
}

// An Await is one chain of awaiting frames, outermost first.
type Await struct {
	Frames []Frame `json:"frames"`
	Wait   Wait    `json:"wait"`
	WallNs int64   `json:"wall_ns"`
	Count  int64   `json:"count"`
}
