package doctor

import (
	"context"
	"errors"
	"os/exec"

	"golang.org/x/sys/unix"
)

// frames asks whether the memory of a process that this one started may be
// read, as the reader of Python frames does. The address cannot be one of the
// child's: the system then says that it is wrong, unless it refuses before.
func (h Host) frames(ctx context.Context) Check {
	const name = "python-frames"
	const remedy = "allow ptrace of one's own children: sysctl kernel.yama.ptrace_scope=1, or docker run --cap-add SYS_PTRACE"
	path, err := h.LookPath("sleep")
	if err != nil {
		return ok(name, "not tried: there is no sleep command to try it on")
	}
	child := exec.CommandContext(ctx, path, "60")
	if err := child.Start(); err != nil {
		return ok(name, "not tried: %v", err)
	}
	defer child.Wait()         //nolint:errcheck // it was killed
	defer child.Process.Kill() //nolint:errcheck // it may have ended
	word := make([]byte, 8)
	local := []unix.Iovec{{Base: &word[0]}}
	local[0].SetLen(len(word))
	_, err = unix.ProcessVMReadv(child.Process.Pid, local, []unix.RemoteIovec{{Base: 8, Len: len(word)}}, 0)
	if err != nil && !errors.Is(err, unix.EFAULT) {
		return warn(name, remedy, "the memory of a child may not be read (%v): no profiles of Python targets, clocks only", err)
	}
	return ok(name, "the memory of children may be read: frames of CPython 3.11 and newer are sampled from outside")
}
