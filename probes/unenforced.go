package probes

import "github.com/concprof/concprof/probes/internal/proc"

// KernelLimits reports whether the kernel holds trials to their limits on memory
// and processes here. Else they are watched.
func KernelLimits() bool { return proc.Cgroups() }

// Unenforced names what a workload is not held to on this host, or only by
// watching: what rundir.CurrentHost cannot know.
func Unenforced() []string {
	missing := []string{"ending what is left of a workload that kills both concprof and its keeper (no PID namespace)"}
	if !KernelLimits() {
		missing = append(missing, "memory and process limits by the kernel (no cgroup: they are watched)")
	}
	return missing
}
