package decoder

import (
	"bytes"
	"os"
	"strconv"
)

// used returns the bytes that this process has mapped to write to: what the
// kernel holds against its limit on data.
func used() uint64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return unknown
	}
	fields := bytes.Fields(data) // size, resident, shared, text, lib, data, dt
	if len(fields) < 6 {
		return unknown
	}
	pages, err := strconv.ParseUint(string(fields[5]), 10, 64)
	if err != nil {
		return unknown
	}
	return pages * uint64(os.Getpagesize())
}

// unknown is more than Go's runtime begins with.
const unknown = 256 << 20
