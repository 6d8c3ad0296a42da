//go:build !linux

package rundir

import "golang.org/x/sys/unix"

// inspect fills in what POSIX tells.
func (h *Host) inspect() {
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		h.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	h.Unenforced = append(h.Unenforced, "killing of processes that left the workload's process group",
		"memory limit", "process limit", "detection of a suspended machine", "run-queue delay", "foreign CPU time",
		"CPU pressure", "CPU throttling")
}
