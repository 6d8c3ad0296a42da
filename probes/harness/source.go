package harness

import "embed"

// Source is the text of this package, which is compiled into probe binaries
// inside other people's modules. The list is explicit so that tests and what
// is not finished stay out; a test of the builder holds it to the folder.
//
//go:embed affinity_linux.go affinity_other.go answer.go arrivals.go born_linux.go born_other.go calibrate.go classify.go crew.go
//go:embed crewprofiles.go describe.go emit.go eventloop.go failures.go fd_other.go fd_unix.go feed.go func.go
//go:embed funcdigest.go funcdirect.go funcinput.go goroutines.go hybrid.go inputs.go label.go main.go
//go:embed maxrss_other.go maxrss_unix.go poll.go pool.go processes.go procfs.go procfs_linux.go
//go:embed procfs_other.go profilecount.go profilers.go runtime.go sample.go sequential.go shared_other.go
//go:embed shared_unix.go slot.go spec.go step.go stepalloc.go stepchannel.go stepclock.go stepcpu.go
//go:embed stepexec.go stepfile.go stephttp.go steplock.go steps.go stepsleep.go steptcp.go thread.go
//go:embed thread_linux.go thread_other.go threadcpu_linux.go threadcpu_other.go threads.go tracer.go trial.go usage.go
//go:embed usage_other.go usage_unix.go window.go worker.go
var Source embed.FS
