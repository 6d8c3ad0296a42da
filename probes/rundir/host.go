package rundir

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// CurrentHost describes the machine that this process runs on.
func CurrentHost() Host { return describe("/", runtime.NumCPU()) }

// describe reads /proc and /sys below root. Processors are those of the
// affinity mask, or as many as the cgroup's CPU quota is worth if that is
// fewer.
func describe(root string, processors int) Host {
	s := system(root)
	cpu := s.fields("proc/cpuinfo")
	h := Host{
		OS:          runtime.GOOS,
		Arch:        runtime.GOARCH,
		Kernel:      strings.TrimSpace(s.read("proc/sys/kernel/osrelease")),
		CPU:         cpu["model name"],
		Cores:       processors,
		MemoryBytes: s.memory(),
		Virtual:     strings.Contains(" "+cpu["flags"]+" ", " hypervisor "),
	}
	if q, ok := s.quota(); ok {
		h.Cores = max(1, min(h.Cores, q))
	}
	h.Unenforced = s.unenforced()
	h.Fingerprint = h.fingerprint()
	return h
}

// fingerprint hashes what makes two hosts measure alike. The kernel is part of
// it: its scheduler decides what threads cost. Memory is rounded to GiB: what
// the firmware keeps differs by boot.
func (h *Host) fingerprint() string {
	text := fmt.Sprintf("%s/%s/%s/%s/%d/%d/%t", h.OS, h.Arch, h.Kernel, h.CPU, h.Cores, (h.MemoryBytes+1<<29)>>30, h.Virtual)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// A system is where /proc and /sys are.
type system string

func (s system) read(path string) string {
	data, err := os.ReadFile(filepath.Join(string(s), path))
	if err != nil {
		return "" // what is not there is not known
	}
	return string(data)
}

// fields reads lines "name: value", the first of each name.
func (s system) fields(path string) map[string]string {
	m := make(map[string]string)
	for sc := bufio.NewScanner(strings.NewReader(s.read(path))); sc.Scan(); {
		name, value, ok := strings.Cut(sc.Text(), ":")
		name = strings.TrimSpace(name)
		if _, seen := m[name]; ok && !seen {
			m[name] = strings.TrimSpace(value)
		}
	}
	return m
}

// memory returns the machine's memory, or the cgroup's limit if that is less.
// A cgroup of version 1 without a limit has a huge one.
func (s system) memory() int64 {
	kib, _ := strconv.ParseInt(strings.TrimSuffix(s.fields("proc/meminfo")["MemTotal"], " kB"), 10, 64)
	total := kib << 10
	text, ok := s.cgroup("", "memory.max")
	if !ok {
		text, _ = s.cgroup("memory", "memory.limit_in_bytes")
	}
	if limit, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil && (total == 0 || limit < total) {
		return limit
	}
	return total
}

// quota returns how many processors the cgroup's CPU quota is worth, rounded
// up.
func (s system) quota() (cores int, ok bool) {
	text, ok := s.cgroup("", "cpu.max")
	if !ok {
		quota, ok1 := s.cgroup("cpu", "cpu.cfs_quota_us")
		period, ok2 := s.cgroup("cpu", "cpu.cfs_period_us")
		if !ok1 || !ok2 {
			return 0, false
		}
		text = quota + " " + period
	}
	f := strings.Fields(text)
	if len(f) != 2 {
		return 0, false
	}
	most, err1 := strconv.ParseInt(f[0], 10, 64) // "max", or -1 in version 1, is none
	period, err2 := strconv.ParseInt(f[1], 10, 64)
	if err1 != nil || err2 != nil || most <= 0 || period <= 0 {
		return 0, false
	}
	return int((most + period - 1) / period), true
}

// cgroup reads a file of this process's cgroup, or of the root that a
// container sees: of a controller of version 1, or of version 2 if controller
// is "".
func (s system) cgroup(controller, name string) (string, bool) {
	for line := range strings.Lines(s.read("proc/self/cgroup")) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || !strings.Contains(","+f[1]+",", ","+controller+",") {
			continue
		}
		for _, dir := range []string{f[2], "/"} {
			if text := s.read(filepath.Join("sys/fs/cgroup", controller, dir, name)); text != "" {
				return text, true
			}
		}
	}
	return "", false
}

// ForeignCPU is what Host.Unenforced calls the CPU time of other programs, without
// which a busy host is not told from a quiet one.
const ForeignCPU = "foreign CPU time"

// unenforced names what this machine cannot hold or measure and others can.
func (s system) unenforced() []string {
	var missing []string
	if runtime.GOOS != "linux" {
		missing = []string{
			"killing of processes that left the workload's process group", "memory limit", "process limit",
			"detection of a suspended machine",
		}
	}
	for _, m := range []struct{ name, path string }{
		{ForeignCPU, "proc/stat"},
		{"run-queue delay", "proc/self/schedstat"},
		{"CPU pressure", "proc/pressure/cpu"},
	} {
		if s.read(m.path) == "" {
			missing = append(missing, m.name)
		}
	}
	return missing
}
