package proc

import (
	"syscall"
	"time"
)

// KeeperName is argv[0] of a keeper, which tells it from concprof.
const KeeperName = "concprof-keeper"

// The keeper's own descriptors. The target's standard output and error, and
// its further files, follow.
const (
	lifelineFD = 3
	statusFD   = 4
	stdoutFD   = 5
)

// maxOrderBytes bounds the order, which holds argv and the environment.
const maxOrderBytes = 16 << 20

// An order tells a keeper what to run.
type order struct {
	Path    string        `json:"path"`
	Argv    []string      `json:"argv"`
	Dir     string        `json:"dir"`
	Env     []string      `json:"env"`
	Files   int           `json:"files"` // how many, beyond standard output and error
	Timeout time.Duration `json:"timeout"`
	Quit    bool          `json:"quit"`
	Limits  Limits        `json:"limits"`
	Scratch string        `json:"scratch"`
	// Namespace is the keeper's id outside of the namespace whose first process it
	// is, 0 without one. With Try it only finds out whether that works.
	Namespace int  `json:"namespace,omitempty"`
	Try       bool `json:"try,omitempty"`
}

// A notice is what a keeper reports: first PID, then Ending. Failure instead
// of PID says why the target could not be started. PID is the target's id
// in the keeper's namespace.
type notice struct {
	PID     int    `json:"pid,omitempty"`
	Cgroup  string `json:"cgroup,omitempty"` // that it runs in, to be removed if the keeper dies
	Failure string `json:"failure,omitempty"`
	// Errno is set, too, if it was the folder that could not be made.
	Errno  syscall.Errno `json:"errno,omitempty"`
	Ending *Ending       `json:"ending,omitempty"`
}

// Limits bound a process and what it starts. A zero field sets no limit.
type Limits struct {
	// MemoryBytes bounds the resident memory: of the target, looked at every
	// 100 ms, and of the whole tree, summed about every second. What grows faster
	// passes the bound before it is seen, unless a cgroup could be made, in which
	// the kernel holds it (memory.max).
	MemoryBytes int64 `json:"memory_bytes,omitempty"`
	// FileSizeBytes bounds each file (RLIMIT_FSIZE), OpenFiles the descriptors
	// of each process (RLIMIT_NOFILE).
	FileSizeBytes int64 `json:"file_size_bytes,omitempty"`
	OpenFiles     int   `json:"open_files,omitempty"`
	// Processes bounds the number of processes in the tree, counted about
	// every second and, in a cgroup, with threads by the kernel (pids.max, which
	// allows 4,096 more for them). RLIMIT_NPROC is not used: it counts all processes of the
	// user, and does not bind root.
	Processes int `json:"processes,omitempty"`
}

// Cause says what ended a process.
type Cause string

// The causes.
const (
	Exited    Cause = "exited"    // by itself
	Deadline  Cause = "deadline"  // killed at its deadline
	Memory    Cause = "memory"    // killed over Limits.MemoryBytes
	Processes Cause = "processes" // killed over Limits.Processes
	Disk      Cause = "disk"      // killed when a file system was nearly full
	Stopped   Cause = "stopped"   // killed because a signal had stopped it
	Killed    Cause = "killed"    // by Kill
	Lost      Cause = "lost"      // its keeper died
)

// An Ending says how a process ended and what it used.
type Ending struct {
	Cause  Cause  `json:"cause"`
	Code   int    `json:"code"`             // -1 if a signal ended it
	Signal string `json:"signal,omitempty"` // in words, "killed"
	// Strays counts processes that were still alive when the target had ended
	// by itself, and were killed.
	Strays int `json:"strays,omitempty"`
	// User and System are of the whole tree; Keeper is what the keeper used.
	User   time.Duration `json:"user"`
	System time.Duration `json:"system"`
	Keeper time.Duration `json:"keeper"`
	// PeakRSSBytes is of the largest process of the tree, or of the tree as
	// the watchdog saw it, whichever is more.
	PeakRSSBytes int64 `json:"peak_rss_bytes"`
	// DiskFolder is a folder on the file system that was nearly full, and
	// DiskFreeBytes what it had left.
	DiskFolder    string `json:"disk_folder,omitempty"`
	DiskFreeBytes int64  `json:"disk_free_bytes,omitempty"`
	// Gap is how long the machine or the keeper stood still.
	Gap time.Duration `json:"gap,omitempty"`
}
