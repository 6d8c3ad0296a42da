package doctor

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/concprof/concprof/probes"
)

// affinity looks for cores that this process may not use.
func (h Host) affinity() Check {
	const name = "affinity"
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return warn(name, "allow sched_getaffinity; trials cannot be kept to their cores", "not readable: %v", err)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return warn(name, "allow sched_setaffinity; while the profilers run, a trial may use a core more than its model",
			"%d cores, which cannot be narrowed: %v", set.Count(), err)
	}
	return ok(name, "%d cores, can be narrowed", set.Count())
}

// subreaper asks whether strays of a workload can be adopted and ended.
func (h Host) subreaper() Check {
	const name = "subreaper"
	var set int32
	if err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&set)), 0, 0, 0); err != nil {
		return warn(name, "allow prctl; only a workload that starts daemons is affected",
			"not enforced here: processes that leave their group may outlive a trial (%v)", err)
	}
	return ok(name, "processes that a workload leaves behind are ended")
}

// namespace asks whether a trial can have a PID namespace.
func (h Host) namespace() Check {
	const name = "pid-namespace"
	if !probes.Namespaces() {
		return warn(name, "none is needed unless a workload attacks concprof; to make one takes CAP_SYS_ADMIN, as a rule root's",
			"trials have none: a workload that kills concprof and its keeper at once may leave processes")
	}
	return ok(name, "each trial has one: nothing of it outlives its keeper or reaches another process by a signal")
}

func (h Host) openFiles() Check {
	const name = "open-files"
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return warn(name, "", "the limit is not readable: %v", err)
	}
	if limit.Max < h.OpenFiles {
		return warn(name, "raise it: ulimit -Hn 4096", "at most %d: high levels of concurrency may run out of them", limit.Max)
	}
	return ok(name, "at most %d", limit.Max)
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
