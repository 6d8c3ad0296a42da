//go:build unix

package harness

import (
	"fmt"
	"os"
	"syscall"
)

// firstPrivateFD is where the harness keeps its descriptors: above those that
// programs open by number or expect to be given next.
const firstPrivateFD = 100

// takeFD moves an inherited descriptor out of the user's way and marks it
// close-on-exec, so that neither the ops nor the commands that they start can
// write to it by accident.
func takeFD(fd int, name string) (*os.File, error) {
	moved, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, firstPrivateFD)
	if errno != 0 {
		return nil, fmt.Errorf("take %s descriptor %d: %w", name, fd, errno)
	}
	if err := syscall.Close(fd); err != nil {
		return nil, fmt.Errorf("close %s descriptor %d: %w", name, fd, err)
	}
	return os.NewFile(moved, name), nil
}
