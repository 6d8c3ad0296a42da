package runner

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// userHz is the unit of /proc/stat.
const userHz = 100

// takeSample reads the host's counters.
func takeSample() sample {
	s := sample{at: time.Now(), busy: -1, all: -1, pressure: -1, throttled: -1}
	if data, err := os.ReadFile("/proc/stat"); err == nil {
		s.busy, s.all, s.steal = parseProcStat(data)
	}
	if data, err := os.ReadFile("/proc/pressure/cpu"); err == nil {
		s.pressure = parsePressure(data)
	}
	s.throttled = readThrottled()
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		s.own = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	return s
}

// parseProcStat adds up the first line of /proc/stat: user nice system idle
// iowait irq softirq steal guest guest_nice, of which the guests' are in user
// and nice already.
func parseProcStat(data []byte) (busy, all, steal time.Duration) {
	line, _, _ := bytes.Cut(data, []byte{'\n'})
	fields := strings.Fields(string(line))
	if len(fields) < 9 || fields[0] != "cpu" {
		return -1, -1, 0
	}
	var ticks [8]time.Duration
	for i := range ticks {
		n, err := strconv.ParseInt(fields[i+1], 10, 64)
		if err != nil {
			return -1, -1, 0
		}
		ticks[i] = time.Duration(n) * time.Second / userHz
		all += ticks[i]
	}
	return all - ticks[3] - ticks[4] - ticks[7], all, ticks[7]
}

// parsePressure returns the total of the line "some avg10=… total=<µs>".
func parsePressure(data []byte) time.Duration {
	sc := bufio.NewScanner(bytes.NewReader(data))
	for sc.Scan() {
		rest, ok := strings.CutPrefix(sc.Text(), "some ")
		if !ok {
			continue
		}
		if _, total, ok := strings.Cut(rest, "total="); ok {
			if n, err := strconv.ParseInt(total, 10, 64); err == nil {
				return time.Duration(n) * time.Microsecond
			}
		}
	}
	return -1
}

// readThrottled returns how long this process's cgroup has been throttled: 0
// for one without a quota, -1 if it cannot be read.
func readThrottled() time.Duration {
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return -1
	}
	for _, dir := range cgroupDirs(data) {
		if stat, err := os.ReadFile(filepath.Join(dir, "cpu.stat")); err == nil {
			return parseCPUStat(stat)
		}
	}
	return -1
}

// cgroupDirs returns where the cgroup of the CPU controller may be: version
// 2, version 1, and the root that a container sees of either.
func cgroupDirs(self []byte) []string {
	var dirs []string
	for line := range strings.Lines(string(self)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		if f[1] == "" {
			dirs = append(dirs, filepath.Join("/sys/fs/cgroup", f[2]), "/sys/fs/cgroup")
			continue
		}
		for c := range strings.SplitSeq(f[1], ",") {
			if c == "cpu" {
				dirs = append(dirs, filepath.Join("/sys/fs/cgroup/cpu", f[2]), "/sys/fs/cgroup/cpu")
			}
		}
	}
	return dirs
}

// parseCPUStat returns throttled_usec of version 2, throttled_time (ns) of
// version 1.
func parseCPUStat(data []byte) time.Duration {
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) != 2 {
			continue
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		switch {
		case err != nil:
		case f[0] == "throttled_usec":
			return time.Duration(n) * time.Microsecond
		case f[0] == "throttled_time":
			return time.Duration(n)
		}
	}
	return 0
}
