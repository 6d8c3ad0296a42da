// Package lock takes advisory locks on files. A lock is flock(2)'s, so the
// kernel frees it however its holder ends, kill -9 included.
package lock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A BusyError is returned when another process holds a lock.
type BusyError struct {
	Path string
	PID  int // of the holder, 0 if it is not known
}

func (e *BusyError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s is in use by another process", e.Path)
	}
	return fmt.Sprintf("%s is in use by process %d", e.Path, e.PID)
}

// A Lock is held until Release.
type Lock struct{ f *os.File }

// Try takes the lock on the file at path, which it creates if need be, and
// writes this process's id into it if the file is its own. It returns a *BusyError at once if the
// lock is held elsewhere.
func Try(path string, perm os.FileMode) (*Lock, error) {
	f, err := open(path, perm)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &BusyError{Path: path, PID: holder(f)}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	// The holder's id only makes a better message; a full disk must not keep
	// anyone from locking, nor a file that may only be read.
	if ours(f) && f.Truncate(0) == nil {
		f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) //nolint:errcheck // see above
	}
	return &Lock{f: f}, nil
}

// Wait takes the lock as Try does, but waits for it until ctx is done. It
// calls waiting once, before the first wait.
func Wait(ctx context.Context, path string, perm os.FileMode, waiting func(*BusyError)) (*Lock, error) {
	const poll = 100 * time.Millisecond // flock cannot be waited for with a context
	told := false
	for {
		l, err := Try(path, perm)
		var busy *BusyError
		if !errors.As(err, &busy) {
			return l, err
		}
		if !told && waiting != nil {
			waiting(busy)
		}
		told = true
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(poll):
		}
	}
}

// Release frees the lock. The file stays: removing it would let two
// processes lock two files of the same name.
func (l *Lock) Release() error {
	if l == nil || l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}

// maxHolderBytes is more than a process id has digits.
const maxHolderBytes = 16

// holder returns the process that holds the lock, 0 if that is not known: who
// may not write to the file leaves the id of an earlier holder in it.
func holder(f *os.File) int {
	pid := recorded(f)
	if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return 0
	}
	return pid
}

// recorded returns the process id that f holds, 0 if it holds none.
func recorded(f *os.File) int {
	b := make([]byte, maxHolderBytes)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil || pid <= 0 {
		return 0
	}
	return pid
}
