//go:build unix && !linux

package harness

import (
	"runtime"
	"syscall"
)

// maxRSS returns ru_maxrss in bytes; Darwin counts bytes, the others KiB.
func maxRSS() int64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(r.Maxrss)
	}
	return int64(r.Maxrss) << 10
}
