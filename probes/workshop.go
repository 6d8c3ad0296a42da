package probes

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/concprof/concprof/probes/internal/lock"
	"github.com/concprof/concprof/probes/rundir"
)

// workshopPattern names the folders into which Go targets are built, below
// the folder for temporary files.
const workshopPattern = "concprof-build-*"

// abandonedAge is the least age of a workshop that is swept: one that is
// younger may not be locked yet.
const abandonedAge = time.Minute

// A workshop is a folder for building, removed by close. Whoever was killed
// could not remove its own, so opening one sweeps those whose lock is free.
type workshop struct {
	dir  string
	lock *lock.Lock
}

func openWorkshop(temp string) (*workshop, error) {
	sweep(temp, time.Now().Add(-abandonedAge))
	dir, err := os.MkdirTemp(temp, workshopPattern)
	if err != nil {
		return nil, rundir.NewWriteError(filepath.Join(temp, workshopPattern), err)
	}
	l, err := lock.Try(filepath.Join(dir, "lock"), 0o600)
	if err != nil {
		os.RemoveAll(dir)
		return nil, rundir.NewWriteError(dir, err)
	}
	return &workshop{dir: dir, lock: l}, nil
}

// close removes the folder while it is still locked.
func (w *workshop) close() error {
	if w == nil {
		return nil
	}
	err := os.RemoveAll(w.dir)
	w.lock.Release() //nolint:errcheck // the file is gone
	return err
}

// sweep removes the workshops of this user that were abandoned before a time.
func sweep(temp string, before time.Time) {
	dirs, err := filepath.Glob(filepath.Join(temp, workshopPattern))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		info, err := os.Lstat(dir) // not a link to somewhere else
		if err != nil || !info.IsDir() || info.ModTime().After(before) {
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Getuid() {
			continue
		}
		l, err := lock.Try(filepath.Join(dir, "lock"), 0o600)
		if err != nil {
			continue // in use
		}
		os.RemoveAll(dir) //nolint:errcheck // the next sweep tries again
		l.Release()       //nolint:errcheck // the file is gone
	}
}
