package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/concprof/concprof/probes/internal/lock"
)

// A BusyError is returned by Resume when another process holds the run
// directory. It names the holder.
type BusyError = lock.BusyError

// A ChangedError is returned by Verify when a file of the run directory is not
// what this process wrote there. The workload may have done it, which the same
// user may.
type ChangedError struct{ Path string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s was changed by another program while the run wrote to it", e.Path)
}

// A VersionError is returned by Open for a run or an archive whose layout this
// version does not know.
type VersionError struct {
	Path          string
	Schema, Reads string // what it has, and what this version reads
	Tool          string // the concprof that made it, "" if it does not say
}

func (e *VersionError) Error() string {
	tool := "another concprof"
	if e.Tool != "" {
		tool = "concprof " + cut(e.Tool)
	}
	return fmt.Sprintf("%s was written by %s: its schema is %q, and this version reads %q", e.Path, tool, cut(e.Schema), e.Reads)
}

// A WriteError is returned by every function of this package that could not
// write. It names the file, and the space that is left when that is the
// reason.
type WriteError struct {
	Path string
	// FreeBytes is what the file system has left, -1 if it is not known.
	FreeBytes int64
	Err       error
}

func (e *WriteError) Error() string {
	err := e.Err
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if e.Full() && e.FreeBytes >= 0 {
		return fmt.Sprintf("cannot write %s: %v, %d bytes free", e.Path, err, e.FreeBytes)
	}
	return fmt.Sprintf("cannot write %s: %v", e.Path, err)
}

func (e *WriteError) Unwrap() error { return e.Err }

// Full reports whether there was no room: a full disk or a spent quota.
func (e *WriteError) Full() bool {
	return errors.Is(e.Err, syscall.ENOSPC) || errors.Is(e.Err, syscall.EDQUOT)
}

// writeError wraps err, which came from writing path, unless it is nil or
// wrapped already.
func writeError(path string, err error) error {
	var we *WriteError
	if err == nil || errors.As(err, &we) {
		return err
	}
	return &WriteError{Path: path, FreeBytes: freeBytes(filepath.Dir(path)), Err: err}
}

// NewWriteError returns the *WriteError of an attempt to write path, also for
// files that are not in a run directory.
func NewWriteError(path string, err error) error { return writeError(path, err) }

func freeBytes(dir string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}
