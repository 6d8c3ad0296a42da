//go:build unix

package harness

import "syscall"

// rusageChildren is RUSAGE_CHILDREN of sys/resource.h.
const rusageChildren = -1

func readUsage() usage {
	return usage{readCounters(syscall.RUSAGE_SELF), readCounters(rusageChildren)}
}

func readCounters(who int) counters {
	var r syscall.Rusage
	if err := syscall.Getrusage(who, &r); err != nil {
		return counters{}
	}
	return counters{
		userNs: r.Utime.Nano(), systemNs: r.Stime.Nano(),
		voluntary: int64(r.Nvcsw), involuntary: int64(r.Nivcsw),
		minorFaults: int64(r.Minflt), majorFaults: int64(r.Majflt),
	}
}
