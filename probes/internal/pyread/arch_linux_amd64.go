package pyread

import "golang.org/x/sys/unix"

// gilSpan is how far a GIL's condition variables and mutexes reach: two of
// glibc's pthread_cond_t (48 bytes) and pthread_mutex_t (40).
const gilSpan = 2 * (48 + 40)

// sysKindsArch are the system calls that newer architectures do not have.
var sysKindsArch = map[int]sysKind{
	unix.SYS_POLL: sysPoll, unix.SYS_SELECT: sysSelect, unix.SYS_EPOLL_WAIT: sysEpoll,
	unix.SYS_PAUSE: sysOther, unix.SYS_VFORK: sysChild,
	unix.SYS_OPEN: sysFile, unix.SYS_CREAT: sysFile, unix.SYS_STAT: sysFile, unix.SYS_LSTAT: sysFile,
	unix.SYS_NEWFSTATAT: sysFile, unix.SYS_ACCESS: sysFile, unix.SYS_GETDENTS: sysFile,
	unix.SYS_UNLINK: sysFile, unix.SYS_RENAME: sysFile, unix.SYS_MKDIR: sysFile, unix.SYS_RMDIR: sysFile,
}
