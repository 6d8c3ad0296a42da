package decoder

import (
	"bytes"
	"os"
	"strconv"
)

// reserved returns the bytes of address space that this process has now. Go's
// runtime reserves far more than it uses, and the kernel's limit counts all.
func reserved() uint64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 2 << 30
	}
	first, _, _ := bytes.Cut(data, []byte(" "))
	pages, err := strconv.ParseUint(string(first), 10, 64)
	if err != nil {
		return 2 << 30
	}
	return pages * uint64(os.Getpagesize())
}
