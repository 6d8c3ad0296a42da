package record

// ProtocolVersion is the version of the events that a probe writes. A probe
// of another version is refused.
const ProtocolVersion = 1

// MaxEventBytes bounds what a probe may write in one trial; a probe that
// writes more gets EPIPE and its trial ends as bad-result.
const MaxEventBytes = 1 << 20

// The descriptors of a probe. It moves them out of the user's way, and marks
// them close-on-exec, before any op runs.
const (
	ResultFD      = 3 // probe -> runner: events, a JSON document a line
	SpecFD        = 4 // runner -> probe: one JSON document, then end of file
	CPUProfileFD  = 5 // only in profiled trials
	WallProfileFD = 6
	TraceFD       = 5 // only in traced trials, which have no profilers
)

// EventKind names an event.
type EventKind string

// The events of a trial: hello, ready, end, bye in that order; fatal instead
// of what could not be reached. What is missing tells the stage in which the
// probe died.
const (
	Hello EventKind = "hello" // the probe runs: Version, Runtime
	Ready EventKind = "ready" // setup is done, ops begin
	End   EventKind = "end"   // ops are done: Record
	Bye   EventKind = "bye"   // teardown is done, the probe exits
	Fatal EventKind = "fatal" // Stage, Reason
)

// An Event is one line on the result descriptor. Token repeats what the spec
// gave, so that no other writer can pose as the probe by accident.
type Event struct {
	Kind    EventKind `json:"event"`
	Token   string    `json:"token"`
	Version int       `json:"version,omitempty"`
	Runtime string    `json:"runtime,omitempty"` // "go1.26.8"
	Stage   Stage     `json:"stage,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Record  *Record   `json:"record,omitempty"`
	// Of hello, from a Python probe: the process to be read, and what runs
	// in it.
	PID         int          `json:"pid,omitempty"`
	Interpreter *Interpreter `json:"interpreter,omitempty"`
}
