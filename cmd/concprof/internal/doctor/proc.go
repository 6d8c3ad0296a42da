package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (h Host) cores() Check {
	const name = "cores"
	n := runtime.NumCPU()
	if n < 2 {
		return warn(name, "use a machine or container with at least 2 cores",
			"1 core: nothing can run in parallel, so models for CPU-bound work cannot be told apart")
	}
	return ok(name, "%d", n)
}

// quota looks for a limit of the control group below the number of cores.
func (h Host) quota() Check {
	const name = "cpu-quota"
	text, err := h.read(filepath.Join("sys/fs/cgroup", h.cgroup(), "cpu.max"))
	if err != nil {
		return ok(name, "no limit found")
	}
	fields := strings.Fields(text)
	if len(fields) != 2 || fields[0] == "max" {
		return ok(name, "none")
	}
	quota, err1 := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if err1 != nil || err2 != nil || period <= 0 {
		return ok(name, "no limit found")
	}
	if cores := quota / period; cores < float64(runtime.NumCPU()) {
		return warn(name, "raise the container's CPU limit to whole cores, or expect trials marked as disturbed",
			"the control group may use %.2f of %d cores: it is stopped when it has used them up", cores, runtime.NumCPU())
	}
	return ok(name, "%s of each %s us", fields[0], fields[1])
}

// cgroup returns this process's group in the version 2 hierarchy.
func (h Host) cgroup() string {
	text, _ := h.read("proc/self/cgroup")
	for _, line := range strings.Split(text, "\n") {
		if path, found := strings.CutPrefix(line, "0::"); found {
			return path
		}
	}
	return "/"
}

// runQueue looks for the clock that tells waiting for a processor from
// waiting for anything else.
func (h Host) runQueue() Check {
	const name = "run-queue-delay"
	text, err := h.read("proc/self/schedstat")
	if err != nil || len(strings.Fields(text)) != 3 {
		return warn(name, "use a kernel with CONFIG_SCHED_INFO; on a quiet machine the difference is small",
			"/proc/self/schedstat is not there: on a busy machine, waiting for a core looks like waiting for I/O")
	}
	return ok(name, "from /proc/*/schedstat")
}

func (h Host) pressure() Check {
	const name = "pressure"
	text, err := h.read("proc/pressure/cpu")
	if err != nil {
		return warn(name, "boot with psi=1; without it, only foreign CPU time tells a busy host",
			"/proc/pressure/cpu is not there: the pressure on the cores is not recorded")
	}
	line, _, _ := strings.Cut(text, "\n")
	_, share, _ := strings.Cut(line, "avg10=")
	if share, _, _ = strings.Cut(share, " "); share == "" {
		return ok(name, "%s", line)
	}
	return ok(name, "recorded; something waited for a core in %s %% of the last 10 s", share)
}

// throttling says whether stops by a CPU quota can be seen, where trials look
// for them: in version 2 of control groups and in version 1, in the process's
// own group and in the root that a container sees of it.
func (h Host) throttling() Check {
	const name = "cpu-throttling"
	self, _ := h.read("proc/self/cgroup")
	for _, line := range strings.Split(self, "\n") {
		f := strings.SplitN(line, ":", 3)
		if len(f) != 3 {
			continue
		}
		root := "sys/fs/cgroup"
		if f[1] != "" {
			if !slices.Contains(strings.Split(f[1], ","), "cpu") {
				continue
			}
			root = "sys/fs/cgroup/cpu"
		}
		for _, dir := range []string{filepath.Join(root, f[2]), root} {
			file := filepath.Join(dir, "cpu.stat")
			if text, err := h.read(file); err == nil {
				return ok(name, "from /%s: %s so far", file, throttled(text))
			}
		}
	}
	return warn(name, "mount the control group's files (/sys/fs/cgroup), if a CPU quota may be set from outside",
		"no cpu.stat of this process's control group: stops by a quota are not told from other waiting")
}

// throttled returns how long a quota stopped the group, in the file's words
// and unit: throttled_usec of version 2, throttled_time in ns of version 1.
func throttled(stat string) string {
	for _, line := range strings.Split(stat, "\n") {
		switch f := strings.Fields(line); {
		case len(f) != 2:
		case f[0] == "throttled_usec":
			return f[1] + " us"
		case f[0] == "throttled_time":
			return f[1] + " ns"
		}
	}
	return "none"
}

// governor looks for cores whose clock rate follows the load: short trials
// then run at another rate than long ones.
func (h Host) governor() Check {
	const name = "governor"
	files, _ := filepath.Glob(filepath.Join(h.Root, "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"))
	var found []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if g := strings.TrimSpace(string(data)); err == nil && g != "" && !slices.Contains(found, g) {
			found = append(found, g)
		}
	}
	slices.Sort(found)
	switch all := strings.Join(found, ", "); {
	case len(found) == 0:
		return ok(name, "not readable, as in most virtual machines: changes of the clock rate are not seen")
	case len(found) > 1:
		return warn(name, "set one governor on all cores: cpupower frequency-set -g performance", "the cores differ: %s", all)
	case all == "powersave" || all == "ondemand" || all == "conservative" || all == "schedutil":
		return warn(name, "cpupower frequency-set -g performance, if throughput of different runs is to be compared",
			"%s: the clock rate follows the load", all)
	default:
		return ok(name, "%s", all)
	}
}

func (h Host) perf() Check {
	const name = "perf"
	text, err := h.read("proc/sys/kernel/perf_event_paranoid")
	if err != nil {
		return ok(name, "not available and not needed")
	}
	return ok(name, "not needed (perf_event_paranoid is %s)", text)
}

// memoryLimit looks for a control group that a limit can be written to.
func (h Host) memoryLimit() Check {
	const name = "memory-limit"
	file := filepath.Join(h.Root, "sys/fs/cgroup", h.cgroup(), "cgroup.subtree_control")
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return ok(name, "by watching the resident memory: no control group here may be written")
	}
	f.Close()
	return ok(name, "by watching the resident memory; a control group could be written too")
}

// load measures for half a second what other programs and the hypervisor take
// of the cores.
func (h Host) load(ctx context.Context) []Check {
	const foreignName, stealName = "foreign-cpu", "steal"
	const remedy = "stop other programs or use another machine: a busy host makes every verdict less sure"
	before, err := h.stat()
	if err != nil {
		return []Check{warn(foreignName, "mount /proc", "cannot read the load: %v", err)}
	}
	own := ownCPU()
	start := time.Now()
	select {
	case <-ctx.Done():
	case <-time.After(500 * time.Millisecond):
	}
	after, err := h.stat()
	if err != nil {
		return []Check{warn(foreignName, "mount /proc", "cannot read the load: %v", err)}
	}
	total := after.total - before.total
	if total <= 0 {
		return []Check{warn(foreignName, "", "/proc/stat stands still")}
	}
	busy := (after.busy - before.busy) / total
	mine := (ownCPU() - own).Seconds() / time.Since(start).Seconds() / float64(runtime.NumCPU())
	foreign, steal := max(0, busy-mine), (after.steal-before.steal)/total

	var checks []Check
	if foreign > h.ForeignShare {
		checks = append(checks, warn(foreignName, remedy, "other programs take %.0f %% of the cores now; over %.0f %% there is no recommendation", 100*foreign, 100*h.ForeignShare))
	} else {
		checks = append(checks, ok(foreignName, "other programs take %.0f %% of the cores now", 100*foreign))
	}
	if steal > h.StealShare {
		return append(checks, warn(stealName, "use a machine with cores of its own", "the hypervisor takes %.0f %% of the cores now", 100*steal))
	}
	return append(checks, ok(stealName, "the hypervisor takes %.0f %% of the cores now", 100*steal))
}

// ticks are times of all cores together, in clock ticks.
type ticks struct{ busy, steal, total float64 }

// stat reads the first line of /proc/stat (proc(5)): user, nice, system, idle,
// iowait, irq, softirq, steal; guest times are part of user and nice.
func (h Host) stat() (ticks, error) {
	text, err := h.read("proc/stat")
	if err != nil {
		return ticks{}, err
	}
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return ticks{}, fmt.Errorf("/proc/stat: unexpected line %q", line)
	}
	var t ticks
	for i, f := range fields[1:9] {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return ticks{}, fmt.Errorf("/proc/stat: %w", err)
		}
		t.total += v
		switch i {
		case 3, 4: // idle, iowait
		case 7:
			t.steal = v
		default:
			t.busy += v
		}
	}
	return t, nil
}
