//go:build unix

package worktree

import (
	"os"
	"os/exec"
	"syscall"
)

// apart keeps a terminal's Ctrl-C from git, which would leave half a worktree:
// concprof gets it, and ends git itself.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
}

// take locks a file for as long as it is open, without waiting.
func take(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// own reports whether a file is this user's.
func own(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}
