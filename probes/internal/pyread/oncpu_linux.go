//go:build amd64 || arm64

package pyread

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"
)

// onCPU tells whether a thread that the kernel calls running is on a
// processor, or in the queue of one.
//
// It is exact where the kernel has /proc/<pid>/task/<tid>/sched: a thread that
// came onto a processor once more often than it left one is there. The kernel
// counts the former in schedstat, the latter as switches; both begin at 0.
func (r *reader) onCPU(th *thread, now kernelState, at time.Duration) bool {
	if now.exact {
		return now.sched.switches < now.slices || r.displaced(now.sched)
	}
	return !th.queued(now, at)
}

// displaced reports whether a thread left its processor to the reader itself:
// then the one was stopped right before the other began. Without the reader it
// would run.
func (r *reader) displaced(s schedInfo) bool {
	const before, after = 50 * time.Microsecond, 2 * time.Microsecond
	d := r.began - s.since
	return r.began != 0 && d > -after && d < before
}

// A schedInfo is what is needed of /proc/<pid>/task/<tid>/sched.
type schedInfo struct {
	switches int64 // how often it left a processor
	// since is the scheduler's clock when the thread's run time was last
	// brought up to date: when it came onto its processor or left it.
	since time.Duration
}

func (f *threadFiles) readSched() (s schedInfo, ok bool) {
	if f.sched == 0 { // only of threads that were seen running
		f.sched = f.openFile("/sched")
	}
	if f.sched <= 0 || f.schedstat <= 0 {
		return s, false
	}
	var buf [1024]byte
	n, err := unix.Pread(f.sched, buf[:], 0)
	if err != nil {
		return s, false
	}
	return parseSched(buf[:n])
}

// parseSched reads /proc/<pid>/task/<tid>/sched, whose lines are
// "se.exec_start : 2974752.384445", in milliseconds, and so on.
func parseSched(data []byte) (s schedInfo, ok bool) {
	found := 0
	for line := range bytes.Lines(data) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		switch string(bytes.TrimSpace(name)) {
		case "se.exec_start":
			ms, ns, _ := bytes.Cut(bytes.TrimSpace(value), []byte("."))
			s.since = time.Duration(decimal(ms)*1e6 + decimal(ns))
			found++
		case "nr_switches":
			s.switches = decimal(bytes.TrimSpace(value))
			found++
		}
	}
	return s, found == 2
}

// queued is onCPU's opposite where the kernel only says how much time a
// thread had on a processor and in its queue since the last look: looks are
// given to both in that proportion, the remainder carried over.
func (th *thread) queued(now kernelState, at time.Duration) bool {
	since := at - th.at
	run, wait := float64(now.run-th.last.run), float64(now.wait-th.last.wait)
	if since <= 0 || !th.valid {
		return false
	}
	// A wait is only counted once it has ended, and may have begun before the
	// last look.
	wait = max(0, min(wait, float64(since)-run))
	switch {
	case run+wait > 0:
		th.debt += wait / (run + wait)
	case th.last.running && since > tick:
		th.debt++ // it did not get on a processor at all
	}
	if th.debt >= 0.5 {
		th.debt--
		return true
	}
	return false
}

// tick is the longest time between two updates of the time that a running
// thread has used: that of the slowest clock kernels are built with, 100 Hz.
const tick = 10 * time.Millisecond

// shortSlice is the slice that the reader asks of the scheduler, its least.
// With it the reader gets on a busy processor when it wakes up, not when the
// thread there has used its slice or makes a system call, which would show
// that thread at system calls too often. Kernels before 6.12 ignore it.
const shortSlice = 100 * time.Microsecond

// hasten asks for shortSlice for the calling thread. It is only a wish.
func hasten() {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL {
		return
	}
	attr.Size = unix.SizeofSchedAttr
	attr.Runtime = uint64(shortSlice)
	_ = unix.SchedSetAttr(0, attr, 0)
}

// openSelf opens the scheduling file of the calling thread.
func openSelf() (f threadFiles) {
	f.open(unix.Getpid(), unix.Gettid())
	return f
}

// wake notes when the scheduler's clock let the reader begin.
func (r *reader) wake() {
	r.began = 0
	if s, ok := r.self.readSched(); ok {
		r.began = s.since
	}
}
