//go:build !linux

package proc

import (
	"syscall"
	"time"
)

const maxrssUnit = 1 // getrusage counts bytes on macOS

// Without /proc and subreapers only a target's process group can be followed:
// what leaves it is not found. rundir.CurrentHost says so.

func becomeSubreaper() error { return nil }

// Rename does nothing here.
func Rename(string) {}

// Adopt does nothing here.
func Adopt() error { return nil }

func descendants(int, bool) []int { return nil }

func killTree(_, group int) {
	syscall.Kill(-group, syscall.SIGKILL) //nolint:errcheck // it may be gone
}

func killLost(target int) {
	if target > 0 {
		syscall.Kill(-target, syscall.SIGKILL) //nolint:errcheck // it may be gone
	}
}

func treeSize(int) (rss int64, n int) { return 0, 0 }
func residentBytes(int) int64         { return 0 }
func treeCPU(int) time.Duration       { return 0 }
func below(int, int) bool             { return false }
func preferForOOM(int)                {}

func closeOnExec(first int) {
	var lim syscall.Rlimit
	n := 1024
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) == nil && lim.Cur < 1<<16 {
		n = int(lim.Cur)
	}
	for fd := first; fd < n; fd++ {
		syscall.CloseOnExec(fd)
	}
}

func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

type clocks struct{}

func readClocks() clocks                     { return clocks{} }
func (clocks) gapSince(clocks) time.Duration { return 0 }
