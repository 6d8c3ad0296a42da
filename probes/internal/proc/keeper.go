package proc

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// The keeper's times. The graces are what a program that handles the signal
// gets; a Go program with 10,000 goroutines prints its stacks in about half a
// second.
const (
	termGrace = 300 * time.Millisecond
	quitGrace = time.Second
	// settleTime lets children that are about to end do so, before they count
	// as strays.
	settleTime = 50 * time.Millisecond
	tickTime   = 100 * time.Millisecond
	killTime   = 10 * time.Millisecond // between rounds of killing
	// standstill is the least delay of a tick that counts as the keeper having
	// been stopped rather than waiting for a processor.
	standstill = 2 * time.Second
	// treeTime lies between looks at the whole tree, or treeFactor times the CPU
	// time of the last one, if that is longer: each reads all of /proc, and
	// must not take more than 1/treeFactor of a processor that is measured. But
	// limits that are looked at less often than every treeMost are none.
	treeTime   = time.Second
	treeFactor = 500
	treeMost   = 3 * time.Second
)

// Keep is the main function of a keeper. It never returns.
func Keep() {
	// PR_SET_PDEATHSIG follows the thread, so the target is started from one
	// that lives as long as the process.
	runtime.LockOSThread()
	// All that can be, for what it runs may send any. Caught rather than ignored:
	// ignoring would be inherited.
	signal.Notify(make(chan os.Signal, 1))
	closeOnExec(lifelineFD)
	lifeline := os.NewFile(lifelineFD, "lifeline")
	status := os.NewFile(statusFD, "status")
	k := &keeper{status: json.NewEncoder(status)}
	if err := k.run(lifeline); err != nil {
		n := notice{Failure: err.Error()}
		if scratch := (*ScratchError)(nil); errors.As(err, &scratch) {
			errors.As(err, &n.Errno)
		}
		k.status.Encode(n) //nolint:errcheck // concprof may be gone
	}
	os.Exit(0)
}

type keeper struct {
	order  order
	status *json.Encoder
	target int
	ending Ending

	killing bool // every process is to go, at once
	ended   bool // the target has
	begin   clocks
	lastAt  time.Time // of the last tick
	treeAt  time.Time // of the next look at the tree
	disks   []disk    // that the target can fill
	cgroup  *cgroup   // nil where none can be made
}

type reaped struct {
	pid int
	ws  syscall.WaitStatus
}

func (k *keeper) run(lifeline io.Reader) error {
	r := bufio.NewReader(io.LimitReader(lifeline, maxOrderBytes))
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	if err := json.Unmarshal(line, &k.order); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	if outside := k.order.Namespace; outside != 0 {
		if err := furnish(outside); err != nil {
			return err
		}
	}
	if k.order.Try {
		k.status.Encode(notice{})     //nolint:errcheck // concprof may be gone
		io.Copy(io.Discard, lifeline) //nolint:errcheck // until it has looked
		return nil
	}
	if err := becomeSubreaper(); err != nil {
		return err
	}
	if dir := k.order.Scratch; dir != "" {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return &ScratchError{dir, err}
		}
		defer os.RemoveAll(dir) //nolint:errcheck // what it may not remove it leaves
	}
	k.cgroup = newCgroup(k.order.Limits)
	defer k.cgroup.remove() //nolint:errcheck // an empty cgroup holds nothing
	if err := k.start(); err != nil {
		return err
	}
	k.status.Encode(notice{PID: k.target, Cgroup: k.cgroup.path()}) //nolint:errcheck // concprof may be gone: the lifeline tells

	cut := make(chan struct{})
	go func() {
		io.Copy(io.Discard, lifeline) //nolint:errcheck // ends in any case
		close(cut)
	}()
	reaps := make(chan reaped)
	go reap(reaps)
	k.watch(cut, reaps)

	k.account()
	if k.order.Scratch != "" {
		os.RemoveAll(k.order.Scratch) //nolint:errcheck // before the end is told
	}
	k.status.Encode(notice{Ending: &k.ending}) //nolint:errcheck // concprof may be gone
	return nil
}

// start runs the target with the descriptors that concprof passed.
func (k *keeper) start() error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	files := []uintptr{null.Fd()}
	for i := range 2 + k.order.Files {
		files = append(files, uintptr(stdoutFD+i))
	}
	if err := limit(k.order.Limits); err != nil {
		return err
	}
	k.begin, k.lastAt = readClocks(), time.Now()
	k.treeAt = k.lastAt.Add(treeTime)
	k.disks = disks(k.order.Dir, k.order.Scratch)
	k.target, err = k.fork(files)
	for _, fd := range files[1:] {
		syscall.Close(int(fd)) // else they would not end with the target
	}
	if err != nil {
		return &exec.Error{Name: k.order.Path, Err: err}
	}
	preferForOOM(k.target)
	return nil
}

// fork starts the target, within the cgroup if there is one that it can be
// started in.
func (k *keeper) fork(files []uintptr) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: k.order.Dir, Env: k.order.Env, Files: files, Sys: sysProcAttr()}
	dir, err := k.cgroup.into(attr.Sys)
	if err == nil && dir != nil {
		pid, err = syscall.ForkExec(k.order.Path, k.order.Argv, attr)
		dir.Close()
		if err == nil {
			return pid, nil
		}
	}
	if k.cgroup != nil { // Linux before 5.7, or not allowed: the watchdogs do without
		k.cgroup.remove() //nolint:errcheck // an empty cgroup holds nothing
		k.cgroup, attr.Sys = nil, sysProcAttr()
	}
	return syscall.ForkExec(k.order.Path, k.order.Argv, attr)
}

// reap waits for every child, the adopted too, until there is none.
func reap(to chan<- reaped) {
	defer close(to)
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return // ECHILD: none is left
		default:
			to <- reaped{pid, ws}
		}
	}
}

// watch follows the target to its end and then kills what it left.
func (k *keeper) watch(cut <-chan struct{}, reaps <-chan reaped) {
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	var deadline, grace <-chan time.Time
	if k.order.Timeout > 0 {
		deadline = time.After(k.order.Timeout)
	}
	for {
		select {
		case r, ok := <-reaps:
			switch {
			case !ok:
				return
			case r.pid != k.target || r.ws.Continued():
			case r.ws.Stopped():
				k.end(Stopped)
			default:
				k.exited(r.ws)
				if !k.killing {
					grace = time.After(settleTime)
				}
			}
		case <-cut:
			cut = nil
			k.end(Killed)
		case <-deadline:
			if k.ended {
				break // of the target itself: its leftovers are on their way out
			}
			k.ending.Cause = Deadline
			if k.order.Quit {
				syscall.Kill(k.target, syscall.SIGQUIT)
				grace = time.After(quitGrace)
			} else {
				syscall.Kill(-k.target, syscall.SIGTERM)
				grace = time.After(termGrace)
			}
		case <-grace:
			if k.ended && k.ending.Cause == Exited {
				k.ending.Strays = len(descendants(os.Getpid(), true))
			}
			k.killAll()
		case <-tick.C:
			k.tick()
		}
		if k.killing {
			tick.Reset(killTime)
		}
	}
}

func (k *keeper) exited(ws syscall.WaitStatus) {
	k.ended = true
	k.ending.Code = ws.ExitStatus() // -1 if a signal ended it
	if ws.Signaled() {
		k.ending.Signal = ws.Signal().String()
	}
	if k.ending.Cause == "" {
		k.ending.Cause = Exited
	}
}

// end kills all for a cause, unless there is another already.
func (k *keeper) end(c Cause) {
	if k.ending.Cause == "" {
		k.ending.Cause = c
	}
	k.killAll()
}

func (k *keeper) killAll() {
	k.killing = true
	if !k.ended {
		syscall.Kill(-k.target, syscall.SIGKILL) // the group's id is free for reuse once the target is reaped
	}
	killTree(os.Getpid(), k.target)
}

func (k *keeper) tick() {
	now := time.Now()
	if late := now.Sub(k.lastAt); late > standstill {
		k.ending.Gap += late - tickTime
	}
	k.lastAt = now
	if k.killing {
		k.killAll()
		return
	}
	if folder, free := full(k.disks); folder != "" && !k.ended {
		k.ending.DiskFolder, k.ending.DiskFreeBytes = folder, free
		k.end(Disk)
		return
	}
	l := k.order.Limits
	if l.MemoryBytes == 0 && l.Processes == 0 {
		return
	}
	// One process alone is cheap to look at; the tree costs a scan of /proc.
	rss, n := residentBytes(k.target), 1
	if now.After(k.treeAt) {
		before := ownCPU()
		rss, n = treeSize(os.Getpid())
		k.treeAt = now.Add(min(max(treeTime, treeFactor*(ownCPU()-before)), treeMost))
	}
	k.ending.PeakRSSBytes = max(k.ending.PeakRSSBytes, rss)
	switch {
	case l.MemoryBytes > 0 && rss > l.MemoryBytes:
		k.end(Memory)
	case l.Processes > 0 && n > l.Processes:
		k.end(Processes)
	}
}

// account adds up what the tree used.
func (k *keeper) account() {
	var tree syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_CHILDREN, &tree) //nolint:errcheck // cannot fail
	k.ending.User = time.Duration(tree.Utime.Nano())
	k.ending.System = time.Duration(tree.Stime.Nano())
	k.ending.Keeper = ownCPU()
	k.ending.PeakRSSBytes = max(k.ending.PeakRSSBytes, int64(tree.Maxrss)*maxrssUnit)
	switch peak, killed := k.cgroup.killed(); {
	case killed && (k.ending.Cause == Exited || k.ending.Cause == ""):
		k.ending.Cause, k.ending.PeakRSSBytes = Memory, max(k.ending.PeakRSSBytes, peak)
	case k.cgroup.refused() && k.ending.Cause == Exited && (k.ending.Code != 0 || k.ending.Signal != ""):
		k.ending.Cause = Processes
	}
	k.ending.Gap += readClocks().gapSince(k.begin)
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	var self syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &self) //nolint:errcheck // cannot fail
	return time.Duration(self.Utime.Nano() + self.Stime.Nano())
}

// limit sets the limits that the kernel holds. They bind this process too,
// which needs little, and are inherited.
func limit(l Limits) error {
	set := func(name string, resource int, n uint64) error {
		var lim syscall.Rlimit
		if err := syscall.Getrlimit(resource, &lim); err != nil {
			return fmt.Errorf("limit %s: %w", name, err)
		}
		n = min(n, uint64(lim.Max))
		lim.Cur, lim.Max = n, n
		// Not unix.Setrlimit: package syscall must know that the limit was set,
		// or it gives children the one that it found at its start.
		if err := syscall.Setrlimit(resource, &lim); err != nil {
			return fmt.Errorf("limit %s to %d: %w", name, n, err)
		}
		return nil
	}
	err := set("core dumps", syscall.RLIMIT_CORE, 0)
	if err == nil && l.FileSizeBytes > 0 {
		err = set("file size", syscall.RLIMIT_FSIZE, uint64(l.FileSizeBytes))
	}
	if err == nil && l.OpenFiles > 0 {
		err = set("open files", syscall.RLIMIT_NOFILE, uint64(l.OpenFiles))
	}
	return err
}
