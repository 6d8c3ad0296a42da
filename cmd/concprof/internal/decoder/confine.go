package decoder

import (
	"fmt"
	"runtime/debug"
	"syscall"
)

// confine takes from this process what reading a profile does not need. With
// no descriptor left to open it can reach no file and no socket; what it has
// open, it keeps.
func confine() error {
	debug.SetMemoryLimit(maxMemory * 3 / 4) // collect harder before the kernel says no
	for _, l := range []struct {
		what     string
		resource int
		most     uint64
	}{
		// Of data and not of the address space, of which Go reserves far more
		// than it uses.
		{"memory", syscall.RLIMIT_DATA, used() + maxMemory},
		{"processor time", syscall.RLIMIT_CPU, maxCPU},
		{"sizes of files", syscall.RLIMIT_FSIZE, 0},
		{"core dumps", syscall.RLIMIT_CORE, 0},
		{"descriptors", syscall.RLIMIT_NOFILE, 0},
	} {
		if err := syscall.Setrlimit(l.resource, &syscall.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return fmt.Errorf("cannot limit %s: %w", l.what, err)
		}
	}
	return nil
}
