package harness

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// What a host can lack, as record.Record.Missing names it.
const (
	missingDelay  = "run-queue delay"
	missingMemory = "peak memory"
)

const taskDir = "/proc/self/task"

// readDelays reads schedstat of every thread (Documentation/scheduler/
// sched-stats.rst of Linux: time on the processor, time waiting for it, both
// in nanoseconds, and number of time slices).
func readDelays(m *missing) delays {
	dir, err := os.Open(taskDir)
	if err != nil {
		m.add(missingDelay)
		return nil
	}
	defer dir.Close()
	tids, err := dir.Readdirnames(-1)
	if err != nil {
		m.add(missingDelay)
		return nil
	}
	d := make(delays, len(tids))
	for _, tid := range tids {
		data, err := os.ReadFile(taskDir + "/" + tid + "/schedstat")
		if os.IsNotExist(err) && exists(taskDir+"/"+tid) {
			m.add(missingDelay) // the kernel keeps no such statistics
			return nil
		}
		if err != nil {
			continue // the thread has ended
		}
		if wait, ok := parseDelay(data); ok {
			d[tid] = wait
		}
	}
	return d
}

// openFiles returns how many descriptors this process has, 0 if that cannot be
// told.
func openFiles() int {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	return max(0, len(names)-1) // without the folder's own
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// parseDelay returns the second number of a schedstat file.
func parseDelay(data []byte) (int64, bool) {
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return n, err == nil
}

// readStatus takes VmHWM and not ru_maxrss for the peak: a process inherits
// the latter from whatever it was before it executed this program.
func readStatus(m *missing) status {
	var s status
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		m.add(missingMemory)
		return s
	}
	for _, line := range strings.Split(string(data), "\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch name {
		case "VmHWM":
			if n, err := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 64); err == nil {
				s.peakRSS = n << 10
			}
		case "Threads":
			if n, err := strconv.Atoi(value); err == nil {
				s.threads = n
			}
		}
	}
	if s.peakRSS == 0 {
		m.add(missingMemory)
	}
	return s
}
