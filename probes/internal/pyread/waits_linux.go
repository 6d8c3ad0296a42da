//go:build amd64 || arm64

package pyread

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/concprof/concprof/probes/record"
)

// A sysKind says what a blocking system call waits for.
type sysKind uint8

const (
	sysOther   sysKind = iota
	sysFD              // what its first argument is
	sysNetwork         // sockets only
	sysFile            // the file system
	sysTimer
	sysChild
	sysLock
	sysChannel
	sysFutex
	sysPoll   // an array of descriptors: pointer, number, timeout
	sysSelect // sets of descriptors: highest + 1, three pointers, timeout
	sysEpoll
)

// sysKinds are the system calls that block, common to all architectures.
var sysKinds = map[int]sysKind{
	unix.SYS_READ: sysFD, unix.SYS_WRITE: sysFD, unix.SYS_READV: sysFD, unix.SYS_WRITEV: sysFD,
	unix.SYS_IOCTL: sysFD, unix.SYS_SPLICE: sysFD, unix.SYS_SENDFILE: sysFD, unix.SYS_CLOSE: sysFD,
	unix.SYS_CONNECT: sysNetwork, unix.SYS_ACCEPT: sysNetwork, unix.SYS_ACCEPT4: sysNetwork,
	unix.SYS_SENDTO: sysNetwork, unix.SYS_RECVFROM: sysNetwork, unix.SYS_SENDMSG: sysNetwork,
	unix.SYS_RECVMSG: sysNetwork, unix.SYS_SENDMMSG: sysNetwork, unix.SYS_RECVMMSG: sysNetwork,
	unix.SYS_SHUTDOWN: sysNetwork,
	unix.SYS_PREAD64:  sysFile, unix.SYS_PWRITE64: sysFile, unix.SYS_PREADV: sysFile, unix.SYS_PWRITEV: sysFile,
	unix.SYS_PREADV2: sysFile, unix.SYS_PWRITEV2: sysFile,
	unix.SYS_FSYNC: sysFile, unix.SYS_FDATASYNC: sysFile, unix.SYS_SYNC: sysFile, unix.SYS_SYNCFS: sysFile,
	unix.SYS_SYNC_FILE_RANGE: sysFile, unix.SYS_OPENAT: sysFile, unix.SYS_OPENAT2: sysFile,
	unix.SYS_STATX: sysFile, unix.SYS_FSTAT: sysFile, unix.SYS_STATFS: sysFile, unix.SYS_GETDENTS64: sysFile,
	unix.SYS_UNLINKAT: sysFile, unix.SYS_RENAMEAT: sysFile, unix.SYS_RENAMEAT2: sysFile, unix.SYS_MKDIRAT: sysFile,
	unix.SYS_FTRUNCATE: sysFile, unix.SYS_TRUNCATE: sysFile, unix.SYS_FALLOCATE: sysFile,
	unix.SYS_COPY_FILE_RANGE: sysFile, unix.SYS_MSYNC: sysFile, unix.SYS_LSEEK: sysFile, unix.SYS_FACCESSAT: sysFile,
	unix.SYS_NANOSLEEP: sysTimer, unix.SYS_CLOCK_NANOSLEEP: sysTimer,
	unix.SYS_WAIT4: sysChild, unix.SYS_WAITID: sysChild, unix.SYS_CLONE: sysChild, unix.SYS_CLONE3: sysChild,
	unix.SYS_FLOCK: sysLock, unix.SYS_FCNTL: sysLock, unix.SYS_SEMOP: sysLock, unix.SYS_SEMTIMEDOP: sysLock,
	unix.SYS_MSGRCV: sysChannel, unix.SYS_MSGSND: sysChannel,
	unix.SYS_MQ_TIMEDRECEIVE: sysChannel, unix.SYS_MQ_TIMEDSEND: sysChannel,
	unix.SYS_FUTEX: sysFutex, sysFutexWaitv: sysFutex,
	unix.SYS_PPOLL: sysPoll, unix.SYS_PSELECT6: sysSelect, unix.SYS_EPOLL_PWAIT: sysEpoll, unix.SYS_EPOLL_PWAIT2: sysEpoll,
}

// sysFutexWaitv has the same number on all architectures.
const sysFutexWaitv = 449

// kindOf returns what a system call waits for.
func kindOf(nr int) sysKind {
	if k, ok := sysKinds[nr]; ok {
		return k
	}
	return sysKindsArch[nr]
}

// wait tells why a thread with state s is blocked, as the kernel sees it.
// sure is false where the Python frames may know better.
func (t *Target) wait(s kernelState) (w record.Wait, sure bool) {
	switch kindOf(s.nr) {
	case sysNetwork:
		return record.Network, true
	case sysFile:
		return record.File, true
	case sysTimer:
		return record.Timer, false
	case sysChild:
		return record.Subprocess, true
	case sysLock:
		return record.Lock, true
	case sysChannel:
		return record.Channel, true
	case sysFutex:
		return record.Lock, false
	case sysFD:
		w := t.waitFD(s.args[0])
		return w, w == record.Network || w == record.File
	case sysPoll:
		w := t.waitPoll(s.args[0], s.args[1])
		return w, w == record.Network
	case sysSelect:
		w := t.waitSelect(s.args[0], [3]uint64{s.args[1], s.args[2], s.args[3]})
		return w, w == record.Network
	case sysEpoll:
		w := t.waitEpoll(s.args[0])
		return w, w == record.Network
	}
	return record.Other, false
}

// waitFD tells what a wait for a descriptor of the target is for.
func (t *Target) waitFD(fd uint64) record.Wait {
	name, err := os.Readlink("/proc/" + strconv.Itoa(t.pid) + "/fd/" + strconv.Itoa(int(int32(fd))))
	if err != nil {
		return record.Other
	}
	return waitOn(name)
}

// waitOn tells what a wait for a descriptor is for, by its link in /proc.
func waitOn(name string) record.Wait {
	switch {
	case strings.HasPrefix(name, "socket:"):
		return record.Network
	case strings.HasPrefix(name, "pipe:"), name == "anon_inode:[eventfd]":
		return record.Channel
	case name == "anon_inode:[pidfd]":
		return record.Subprocess
	case name == "anon_inode:[timerfd]":
		return record.Timer
	case strings.HasPrefix(name, "/dev/"):
		return record.Other // terminals
	case strings.HasPrefix(name, "/"):
		return record.File
	}
	return record.Other
}

// maxFDs bounds the descriptors that are looked at for one wait.
const maxFDs = 16

// any tells what a wait for any of several descriptors is for: what the first
// of the network, a child, a channel is; a timer when there are none.
func (t *Target) any(fds []uint64) record.Wait {
	found := map[record.Wait]bool{}
	for _, fd := range fds[:min(len(fds), maxFDs)] {
		found[t.waitFD(fd)] = true
	}
	for _, w := range []record.Wait{record.Network, record.Subprocess, record.Channel, record.File, record.Timer} {
		if found[w] {
			return w
		}
	}
	if len(fds) == 0 {
		return record.Timer
	}
	return record.Other
}

// waitPoll reads the pollfds of poll or ppoll.
func (t *Target) waitPoll(addr, n uint64) record.Wait {
	const pollfd = 8
	buf := make([]byte, pollfd*min(n, maxFDs))
	if len(buf) > 0 && !t.memory.read(addr, buf) {
		return record.Other
	}
	var fds []uint64
	for i := 0; i < len(buf); i += pollfd {
		if fd := int32(binary.LittleEndian.Uint32(buf[i:])); fd >= 0 {
			fds = append(fds, uint64(fd))
		}
	}
	return t.any(fds)
}

// waitSelect reads the sets of select or pselect6.
func (t *Target) waitSelect(n uint64, sets [3]uint64) record.Wait {
	var fds []uint64
	n = min(uint64(uint32(n)), 1024)
	for _, addr := range sets {
		if addr == 0 || n == 0 {
			continue
		}
		buf := make([]byte, (n+63)/64*8)
		if !t.memory.read(addr, buf) {
			continue
		}
		for fd := uint64(0); fd < n && len(fds) < maxFDs; fd++ {
			if buf[fd/8]>>(fd%8)&1 != 0 {
				fds = append(fds, fd)
			}
		}
	}
	return t.any(fds)
}

// waitEpoll reads what an epoll descriptor watches.
func (t *Target) waitEpoll(epfd uint64) record.Wait {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(t.pid) + "/fdinfo/" + strconv.Itoa(int(int32(epfd))))
	if err != nil {
		return record.Other
	}
	var fds []uint64
	for line := range strings.Lines(string(data)) {
		// "tfd:       12 events: ..."
		if f := strings.Fields(line); len(f) > 1 && f[0] == "tfd:" && len(fds) < maxFDs {
			if fd, err := strconv.ParseUint(f[1], 10, 31); err == nil {
				fds = append(fds, fd)
			}
		}
	}
	return t.any(fds)
}
