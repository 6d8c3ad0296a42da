//go:build unix

package harness

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// mapShared maps the memory that workers share. It stays mapped until the
// process ends.
func mapShared(f *os.File) (*sharedState, error) {
	mem, err := syscall.Mmap(int(f.Fd()), 0, int(sharedSize), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map shared memory: %w", err)
	}
	return (*sharedState)(unsafe.Pointer(&mem[0])), nil
}
