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
	if n, ok := cgroupNumber("memory.max"); ok && (h.MemoryBytes == 0 || n < h.MemoryBytes) {
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
	data, ok := cgroupFile("cpu.max")
	if !ok {
		return 0, false
	}
	f := strings.Fields(data)
	if len(f) != 2 {
		return 0, false
	}
	most, err1 := strconv.ParseInt(f[0], 10, 64) // "max" is none
	period, err2 := strconv.ParseInt(f[1], 10, 64)
	if err1 != nil || err2 != nil || period <= 0 {
		return 0, false
	}
	return int((most + period - 1) / period), true
}

func cgroupNumber(name string) (int64, bool) {
	data, ok := cgroupFile(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(data), 10, 64)
	return n, err == nil
}

// cgroupFile reads a file of this process's cgroup of version 2, or of the
// root that a container sees.
func cgroupFile(name string) (string, bool) {
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(self)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for _, dir := range []string{filepath.Join("/sys/fs/cgroup", path), "/sys/fs/cgroup"} {
			if data, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				return string(data), true
			}
		}
	}
	return "", false
}
