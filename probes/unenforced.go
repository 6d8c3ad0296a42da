package probes

import "github.com/concprof/concprof/probes/internal/proc"

// KernelLimits reports whether the kernel holds trials to their limits on memory
// and processes here. Else they are watched.
func KernelLimits() bool { return proc.Cgroups() }

// Namespaces reports whether each trial has a PID namespace here, so that
// nothing of it can outlive or end its keeper. Whether there can be one is
// tried once, by starting this program as a keeper: see Main.
func Namespaces() bool { return proc.Namespaces() }

// Unenforced names what a workload is not held to on this host, or only by
// watching: what rundir.CurrentHost cannot know.
func Unenforced() []string {
	var missing []string
	if !Namespaces() {
		missing = append(missing, "ending what is left of a workload that kills both concprof and its keeper (no PID namespace)")
	}
	if !KernelLimits() {
		missing = append(missing, "memory and process limits by the kernel (no cgroup: they are watched)")
	}
	return missing
}
