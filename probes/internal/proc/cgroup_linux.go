package proc

import (
	"os"
	"syscall"
)

// into has a process start within the cgroup, so that not even its first
// moments are outside. The file must be open until it has started.
func (c *cgroup) into(attr *syscall.SysProcAttr) (*os.File, error) {
	if c == nil {
		return nil, nil
	}
	dir, err := os.Open(c.dir)
	if err != nil {
		return nil, err
	}
	attr.UseCgroupFD, attr.CgroupFD = true, int(dir.Fd())
	return dir, nil
}
