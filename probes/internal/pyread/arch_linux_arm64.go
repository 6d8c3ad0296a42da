package pyread

import "golang.org/x/sys/unix"

// gilSpan is how far a GIL's condition variables and mutexes reach: two of
// glibc's pthread_cond_t (48 bytes) and pthread_mutex_t (48).
const gilSpan = 2 * (48 + 48)

// sysKindsArch are the system calls of this architecture only.
var sysKindsArch = map[int]sysKind{unix.SYS_FSTATAT: sysFile}
