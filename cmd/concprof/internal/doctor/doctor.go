// Package doctor finds out what a host lets concprof measure, and what to do
// where it does not.
package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/concprof/concprof/probes"
)

// Status says whether a check found what concprof would like to have.
type Status string

// The statuses. Nothing that a check finds stops concprof: it measures less,
// or less exactly.
const (
	OK   Status = "ok"
	Warn Status = "warn"
)

// A Check is one thing that was looked at.
type Check struct {
	Name    string `json:"name"` // stable, kebab-case
	Status  Status `json:"status"`
	Finding string `json:"finding"`
	Remedy  string `json:"remedy,omitempty"` // what to do about a warning
}

// Thresholds are what checks warn at.
type Thresholds struct {
	// ForeignShare is the share of the cores' time that other programs may
	// take. Above it a run gives no recommendation.
	ForeignShare float64
	// StealShare is the share that the hypervisor may take.
	StealShare float64
	// WallHz is the least rate of wall-clock samples. With every core busy
	// fgprof reached 37 to 49 of its 99 Hz where the sampler had to share two
	// Ps, 97 and more with one to spare: under 50 it is starved.
	WallHz float64
	// ClockRead is the most that reading the clock may cost. Through the vDSO
	// it takes 20 to 60 ns; a system call, which some virtual machines need,
	// ten times that.
	ClockRead time.Duration
	// OpenFiles is the least limit on open files: 64 ops in flight, the
	// largest default, with a connection at both ends and room for others.
	OpenFiles uint64
}

// DefaultThresholds returns the thresholds.
func DefaultThresholds() Thresholds {
	return Thresholds{ForeignShare: 0.15, StealShare: 0.05, WallHz: 50, ClockRead: 200 * time.Nanosecond, OpenFiles: 1024}
}

// A Host is what checks look at.
type Host struct {
	// Root is where /proc and /sys are found: "/", or a folder in tests.
	Root string
	// LookPath finds a program.
	LookPath func(name string) (string, error)
	// Interpreters finds the Python that a workload would get by default, and
	// all that there are; nil: they are not looked for.
	Interpreters func(context.Context) (*probes.Interpreter, []*probes.Interpreter, error)
	Thresholds
}

// This returns the host that the program runs on.
func This() Host {
	return Host{Root: "/", LookPath: exec.LookPath, Interpreters: interpreters, Thresholds: DefaultThresholds()}
}

// Checks looks at everything, which takes about a second: two of the checks
// measure.
func (h Host) Checks(ctx context.Context) []Check {
	checks := []Check{h.cores(), h.quota(), h.affinity()}
	checks = append(checks, h.load(ctx)...)
	checks = append(checks,
		h.runQueue(),
		h.pressure(),
		h.throttling(),
		h.governor(),
		h.clock(),
		h.wallSampling(ctx),
		h.memoryLimit(),
		h.openFiles(),
		h.subreaper(),
		h.namespace(),
		h.kernelLimits(),
		h.perf(),
		h.toolchain(ctx),
		h.git(ctx),
	)
	checks = append(checks, h.python(ctx)...)
	return append(checks, h.frames(ctx), h.graphviz())
}

func ok(name, format string, a ...any) Check {
	return Check{Name: name, Status: OK, Finding: fmt.Sprintf(format, a...)}
}

func warn(name, remedy, format string, a ...any) Check {
	return Check{Name: name, Status: Warn, Finding: fmt.Sprintf(format, a...), Remedy: remedy}
}

// kernelLimits asks whether a cgroup can be made for a trial.
func (h Host) kernelLimits() Check {
	const name = "kernel-limits"
	if !probes.KernelLimits() {
		return warn(name, "where systemd runs, try: systemd-run --user --scope concprof ...",
			"not enforced by the kernel: memory and processes of a trial are watched once to ten times a second")
	}
	return ok(name, "memory and processes of a trial are held by a cgroup")
}

// read returns the text of a file under the root, trimmed.
func (h Host) read(path string) (string, error) {
	data, err := os.ReadFile(filepath.Join(h.Root, path))
	return strings.TrimSpace(string(data)), err
}

// toolchain looks for the go command, which builds the probes of Go targets.
func (h Host) toolchain(ctx context.Context) Check {
	const name = "go-toolchain"
	path, err := h.LookPath("go")
	if err != nil {
		return warn(name, "install Go from https://go.dev/dl and put it in PATH; commands and built-in steps need no Go",
			"no go command found: Go functions cannot be analysed")
	}
	return version(ctx, name, path, "go version ", "GOTOOLCHAIN=local")
}

// git looks for the command that checks other revisions out.
func (h Host) git(ctx context.Context) Check {
	const name = "git"
	path, err := h.LookPath("git")
	if err != nil {
		return warn(name, "install git; to compare two runs that are there, concprof compare needs none",
			"no git command found: analyze --against cannot measure another revision")
	}
	return version(ctx, name, path, "git version ")
}

// version asks a program which version it is, and cuts its answer's prefix off.
func version(ctx context.Context, name, path, prefix string, environ ...string) Check {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = append(os.Environ(), environ...)
	out, err := cmd.Output()
	if err != nil {
		return warn(name, "run it by hand: "+path+" version", "%s does not run: %v", path, err)
	}
	return ok(name, "%s (%s)", strings.TrimPrefix(strings.TrimSpace(string(out)), prefix), path)
}

// graphviz is looked for only to say that it does not matter.
func (h Host) graphviz() Check {
	const name = "graphviz"
	if _, err := h.LookPath("dot"); err != nil {
		return ok(name, "not installed and not needed: only the Graph view of concprof pprof would use it")
	}
	return ok(name, "installed; only the Graph view of concprof pprof uses it")
}
