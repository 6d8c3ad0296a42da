//go:build !linux

package doctor

import (
	"context"
	"time"
)

const linuxOnly = "use Linux for the full picture"

func (h Host) affinity() Check {
	return warn("affinity", linuxOnly, "not enforced here: trials cannot be kept to their cores")
}

func (h Host) subreaper() Check {
	return warn("subreaper", linuxOnly, "not enforced here: processes that leave their group may outlive a trial")
}

func (h Host) namespace() Check {
	return warn("pid-namespace", linuxOnly, "not enforced here: a workload that kills concprof and its keeper at once may leave processes")
}

func (h Host) openFiles() Check { return ok("open-files", "not looked at here") }

func ownCPU() time.Duration { return 0 }

func (h Host) frames(context.Context) Check {
	return ok("python-frames", "read on Linux only: no profiles of Python targets here, clocks only")
}
