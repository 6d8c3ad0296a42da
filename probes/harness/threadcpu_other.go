//go:build !linux

package harness

import "time"

var processStart = time.Now()

// threadCPU stands in for a clock that the standard library does not reach
// here: the time that has passed.
func threadCPU() time.Duration { return time.Since(processStart) }

// clock stands in for one that all processes of the host read alike and that is
// never set.
func clock() int64 { return time.Now().UnixNano() }
