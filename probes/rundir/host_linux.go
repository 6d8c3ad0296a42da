package rundir

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// inspect fills in what Linux tells. runtime.NumCPU counts the processors of
// the affinity mask; the cgroup's quota may allow less than they can do.
func (h *Host) inspect() {
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		h.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	h.Cores = runtime.NumCPU()
	if q, ok := quota(); ok {
		h.Cores = max(1, min(h.Cores, q))
	}
	info := fields("/proc/cpuinfo")
	h.CPU = info["model name"]
	h.Virtual = strings.Contains(" "+info["flags"]+" ", " hypervisor ")
	if kb, err := strconv.ParseInt(strings.TrimSuffix(fields("/proc/meminfo")["MemTotal"], " kB"), 10, 64); err == nil {
		h.MemoryBytes = kb << 10
	}
	if n, ok := memoryLimit(); ok && (h.MemoryBytes == 0 || n < h.MemoryBytes) {
		h.MemoryBytes = n
	}
	h.Unenforced = append(h.Unenforced, "cgroup limits: memory and processes are watched every 100 ms instead",
		"containment of a workload that kills both its keeper and concprof")
	for name, file := range map[string]string{
		"CPU pressure": "/proc/pressure/cpu", "run-queue delay": "/proc/self/schedstat", "foreign CPU time": "/proc/stat",
	} {
		if _, err := os.ReadFile(file); err != nil {
			h.Unenforced = append(h.Unenforced, name)
		}
	}
}

// fields reads the lines "name: value" of a file, the first of each name.
func fields(path string) map[string]string {
	m := make(map[string]string)
	f, err := os.Open(path)
	if err != nil {
		return m
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		name, value, ok := strings.Cut(sc.Text(), ":")
		name = strings.TrimSpace(name)
		if _, seen := m[name]; ok && !seen {
			m[name] = strings.TrimSpace(value)
		}
	}
	return m
}

// quota returns how many processors the cgroup's CPU quota is worth, rounded
// up.
func quota() (cores int, ok bool) {
	var text string
	if text, ok = cgroupFile("", "cpu.max"); !ok {
		most, ok1 := cgroupFile("cpu", "cpu.cfs_quota_us")
		period, ok2 := cgroupFile("cpu", "cpu.cfs_period_us")
		if !ok1 || !ok2 {
			return 0, false
		}
		text = most + " " + period
	}
	f := strings.Fields(text)
	if len(f) != 2 {
		return 0, false
	}
	most, err1 := strconv.ParseInt(f[0], 10, 64) // no quota is "max", or -1 in version 1
	period, err2 := strconv.ParseInt(f[1], 10, 64)
	if err1 != nil || err2 != nil || most <= 0 || period <= 0 {
		return 0, false
	}
	return int((most + period - 1) / period), true
}

// memoryLimit returns the cgroup's limit in bytes. Version 1 has a huge one
// where there is none.
func memoryLimit() (int64, bool) {
	text, ok := cgroupFile("", "memory.max")
	if !ok {
		text, ok = cgroupFile("memory", "memory.limit_in_bytes")
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, ok && err == nil
}

// cgroupFile reads a file of this process's cgroup, or of the root that a
// container sees: of a controller of version 1, or of version 2 if controller
// is "".
func cgroupFile(controller, name string) (string, bool) {
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", false
	}
	root := filepath.Join("/sys/fs/cgroup", controller)
	for line := range strings.Lines(string(self)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || !strings.Contains(","+f[1]+",", ","+controller+",") {
			continue
		}
		for _, dir := range []string{filepath.Join(root, f[2]), root} {
			if data, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				return string(data), true
			}
		}
	}
	return "", false
}
