package lock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// open opens the file of a lock, which it creates if need be. The file may lie
// in a folder that others can write to: what is found there is neither
// followed, if it is a link, nor waited for, if it is a pipe, and only a
// regular file will do. A file that may only be read can be locked as well.
func open(path string, perm os.FileMode) (f *os.File, err error) {
	const flags = unix.O_NOFOLLOW | unix.O_NONBLOCK // os adds O_CLOEXEC
	// A file of another user in a sticky folder may be opened but not with
	// O_CREATE (fs.protected_regular), so creating comes second.
	f, err = os.OpenFile(path, os.O_RDWR|flags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|flags, perm)
	}
	if errors.Is(err, fs.ErrPermission) {
		f, err = os.OpenFile(path, os.O_RDONLY|flags, 0)
	}
	if errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("lock %s: it is a symbolic link: remove it", path)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("lock %s: it is not a regular file: remove it", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ours reports whether f holds nothing but what a holder wrote into it, so that
// it may be written to: a hard link can lead to any file of this user's.
func ours(f *os.File) bool {
	var s unix.Stat_t
	if unix.Fstat(int(f.Fd()), &s) != nil || int(s.Uid) != os.Geteuid() || s.Nlink != 1 {
		return false
	}
	return s.Size == 0 || s.Size <= maxHolderBytes && recorded(f) > 0
}
