package analyzer

import "github.com/concprof/concprof/probes/rundir"

// LimitKind is what keeps a workload from scaling.
type LimitKind string

// The limits.
const (
	LimitLock             LimitKind = "lock"
	LimitGIL              LimitKind = "gil"
	LimitGC               LimitKind = "gc"
	LimitMemory           LimitKind = "memory"
	LimitLoopStall        LimitKind = "loop-stall"
	LimitOversubscription LimitKind = "oversubscription"
	LimitDownstream       LimitKind = "downstream"
)

// Of says what the share of a limit is of, "" where the share says nothing.
func (k LimitKind) Of() string {
	switch k {
	case LimitGC:
		return "of the CPU time"
	case LimitMemory:
		return ""
	case LimitOversubscription:
		return "of the best throughput lost"
	case LimitDownstream:
		return "of the expected throughput missing"
	}
	return "of the ops' time"
}

// A Limit is one thing that keeps a workload from scaling, with the place
// where the time goes.
type Limit struct {
	Kind LimitKind `json:"kind"`
	// Share is of what Kind.Of says, at the concurrency where the limit was seen.
	Share    float64 `json:"share"`
	Function string  `json:"function,omitempty"`
	File     string  `json:"file,omitempty"`
	Line     int     `json:"line,omitempty"`
	// Excerpt are the lines around it, for pages that show them; not in the
	// JSON.
	Excerpt *rundir.Excerpt `json:"-"`
}
