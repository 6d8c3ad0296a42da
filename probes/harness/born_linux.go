package harness

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const (
	// clockBoot is CLOCK_BOOTTIME of time.h, which the kernel dates the start
	// of processes by.
	clockBoot = 7
	// clockTick is the unit of that date, USER_HZ: 100 a second everywhere.
	clockTick = 10 * time.Millisecond
)

// age returns for how long the process has existed, which the kernel knows to
// a clockTick, rounded down.
func age() time.Duration {
	data, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	var now syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockBoot, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		return 0
	}
	start, ok := parseStart(data)
	if !ok {
		return 0
	}
	return max(0, time.Duration(now.Nano())-start).Truncate(clockTick)
}

// parseStart returns field 22 of /proc/<pid>/stat, when the process started.
// The second field, its name in parentheses, may hold anything.
func parseStart(stat []byte) (time.Duration, bool) {
	i := bytes.LastIndexByte(stat, ')')
	if i < 0 {
		return 0, false
	}
	fields := bytes.Fields(stat[i+1:])
	const field = 22 - 3 // counted from 1, of which two precede fields
	if len(fields) <= field {
		return 0, false
	}
	n, err := strconv.ParseInt(string(fields[field]), 10, 64)
	return time.Duration(n) * clockTick, err == nil
}
