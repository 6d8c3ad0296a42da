package harness

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// A cpuSet is the kernel's set of processors, for up to 8192 of them.
type cpuSet [128]uint64

// first returns the n lowest processors of s.
func (s *cpuSet) first(n int) (set cpuSet, size int) {
	for i, word := range s {
		for word != 0 && size < n {
			low := word & -word
			set[i] |= low
			word ^= low
			size++
		}
	}
	return set, size
}

func (s *cpuSet) count() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// limitProcessors restricts all threads of the process to n of the
// processors that it may use. Threads made later inherit the restriction.
func limitProcessors(n int) error {
	var all cpuSet
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(all), uintptr(unsafe.Pointer(&all))); errno != 0 {
		return fmt.Errorf("sched_getaffinity: %w", errno)
	}
	if all.count() <= n {
		return nil
	}
	set, _ := all.first(n)
	// A thread that is not restricted yet may start another while the list
	// is read, so the list is read until it shows nothing new.
	seen := make(map[int]bool)
	for {
		entries, err := os.ReadDir(taskDir)
		if err != nil {
			return err
		}
		fresh := false
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil || seen[tid] {
				continue
			}
			seen[tid], fresh = true, true
			_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
			if errno != 0 && errno != syscall.ESRCH {
				return fmt.Errorf("sched_setaffinity: %w", errno)
			}
		}
		if !fresh {
			return nil
		}
	}
}
