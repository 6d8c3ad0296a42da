package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// userHz is the unit of times in /proc/<pid>/stat and /proc/stat: USER_HZ,
// 100 on every architecture that Go runs on.
const userHz = 100

const maxrssUnit = 1024 // getrusage counts KiB

// A stat is what is needed of /proc/<pid>/stat.
type stat struct {
	pid, parent, session int
	state                byte
	cpu                  time.Duration // with that of children that were waited for
	rss                  int64         // bytes
}

func (s stat) alive() bool { return s.state != 'Z' && s.state != 'X' }

func readStat(pid int) (s stat, ok bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, false
	}
	// The second field is the name in parentheses, which may hold anything.
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return s, false
	}
	f := bytes.Fields(data[end+1:])
	if len(f) < 22 {
		return s, false
	}
	num := func(field int) int64 { // numbered as in proc_pid_stat(5)
		n, _ := strconv.ParseInt(string(f[field-3]), 10, 64)
		return n
	}
	ticks := num(14) + num(15) + num(16) + num(17)
	return stat{
		pid: pid, state: f[0][0], parent: int(num(4)), session: int(num(6)),
		cpu: time.Duration(ticks) * time.Second / userHz,
		rss: num(24) * int64(os.Getpagesize()),
	}, true
}

// processes returns all processes that can be seen.
func processes() []stat {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var all []stat
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if s, ok := readStat(pid); ok {
			all = append(all, s)
		}
	}
	return all
}

// tree returns the descendants of root.
func tree(root int) []stat {
	children := make(map[int][]stat)
	for _, s := range processes() {
		children[s.parent] = append(children[s.parent], s)
	}
	var all []stat
	queue := []int{root}
	for len(queue) > 0 {
		below := children[queue[0]]
		delete(children, queue[0])
		queue = queue[1:]
		for _, s := range below {
			all = append(all, s)
			queue = append(queue, s.pid)
		}
	}
	return all
}

// descendants returns the ids of the descendants of root, of the living only
// if alive is set.
func descendants(root int, alive bool) []int {
	var pids []int
	for _, s := range tree(root) {
		if !alive || s.alive() {
			pids = append(pids, s.pid)
		}
	}
	return pids
}

// below reports whether a process descends from root.
func below(root, pid int) bool {
	// A chain of parents is short; a bound ends one that changes meanwhile.
	for range 1000 {
		s, ok := readStat(pid)
		switch {
		case !ok || s.parent <= 1:
			return false
		case s.parent == root:
			return true
		}
		pid = s.parent
	}
	return false
}

// killTree kills the descendants of root. They are stopped first: what cannot
// run cannot fork while the others are being killed. The process group is of
// no use here: its id may be another's once the target is gone.
func killTree(root, _ int) {
	for range 3 {
		pids := descendants(root, true)
		if len(pids) == 0 {
			return
		}
		for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
			for _, pid := range pids {
				syscall.Kill(pid, sig)
			}
		}
	}
}

func treeSize(root int) (rss int64, n int) {
	for _, s := range tree(root) {
		rss += s.rss
		n++
	}
	return rss, n
}

func residentBytes(pid int) int64 {
	s, _ := readStat(pid)
	return s.rss
}

func treeCPU(root int) time.Duration {
	s, _ := readStat(root)
	sum := s.cpu
	for _, s := range tree(root) {
		sum += s.cpu
	}
	return sum
}

// Rename sets the name by which ps and top show this process: it was executed
// as "exe".
func Rename(name string) {
	os.WriteFile("/proc/self/comm", []byte(name), 0) //nolint:errcheck // for people only
}

// becomeSubreaper makes this process the parent of its orphaned descendants.
func becomeSubreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become a subreaper: %w", err)
	}
	return nil
}

// Adopt makes what a dead keeper leaves come to this process, so that it can
// be killed.
func Adopt() error { return becomeSubreaper() }

// killLost kills what a dead keeper left: the children of this process that
// it did not start. Those it did start are keepers, which are registered, or
// live in its own session, as no process of a target does.
func killLost(target int) {
	if target > 0 {
		syscall.Kill(-target, syscall.SIGKILL)
	}
	self, ok := readStat(os.Getpid())
	if !ok {
		return
	}
	// Each round kills one generation, whose children then come here.
	for range 1000 {
		lost := keepers.strangers(self)
		if len(lost) == 0 {
			return
		}
		for _, s := range lost {
			killTree(s.pid, 0)
			syscall.Kill(s.pid, syscall.SIGKILL)
		}
		for _, s := range lost {
			for {
				if _, err := syscall.Wait4(s.pid, nil, 0, nil); err != syscall.EINTR {
					break
				}
			}
		}
	}
}

// strangers returns the children of this process that are no keepers and do
// not share its session.
func (r *registry) strangers(self stat) []stat {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []stat
	for _, s := range processes() {
		if s.parent == self.pid && s.session != self.session && !r.pids[s.pid] {
			found = append(found, s)
		}
	}
	return found
}

// closeOnExec keeps descriptors from first on out of what is executed.
func closeOnExec(first int) {
	if unix.CloseRange(uint(first), ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	// Linux before 5.11.
	if d, err := os.Open("/proc/self/fd"); err == nil {
		defer d.Close()
		names, _ := d.Readdirnames(-1)
		for _, name := range names {
			if fd, err := strconv.Atoi(name); err == nil && fd >= first {
				syscall.CloseOnExec(fd)
			}
		}
	}
}

func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// preferForOOM has the kernel kill the target rather than anything else when
// memory runs out.
func preferForOOM(pid int) {
	os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("1000"), 0) //nolint:errcheck // a preference only
}

// Clocks are read together, to tell a suspended machine from a slow one.
type clocks struct{ mono, boot time.Duration }

func readClocks() clocks {
	read := func(id int32) time.Duration {
		var ts unix.Timespec
		if err := unix.ClockGettime(id, &ts); err != nil {
			return 0
		}
		return time.Duration(ts.Nano())
	}
	return clocks{mono: read(unix.CLOCK_MONOTONIC), boot: read(unix.CLOCK_BOOTTIME)}
}

// gapSince returns how long the machine was suspended. The clocks are read
// one after the other, which a millisecond allows for.
func (c clocks) gapSince(b clocks) time.Duration {
	gap := (c.boot - b.boot) - (c.mono - b.mono)
	if gap < time.Millisecond {
		return 0
	}
	return gap
}
