package proc

import "golang.org/x/sys/unix"

// The reserve of a file system: how much a target leaves free of it, in bytes
// or, where less was free when it started, as a part of that. It is what
// concprof needs to keep what was measured, many times over.
const (
	diskReserve     = 64 << 20
	diskReservePart = 8
)

// A disk is a file system that a target can fill.
type disk struct {
	folder  string
	reserve int64
}

// disks returns the file systems of folders; those whose free space cannot be
// read are left out.
func disks(folders ...string) []disk {
	var all []disk
	for _, folder := range folders {
		if free, ok := freeBytes(folder); folder != "" && ok {
			all = append(all, disk{folder, min(diskReserve, free/diskReservePart)})
		}
	}
	return all
}

// full returns the first folder whose file system has less left than its
// reserve, "" if there is none, and how much that is.
func full(all []disk) (folder string, free int64) {
	for _, d := range all {
		if free, ok := freeBytes(d.folder); ok && free < d.reserve {
			return d.folder, free
		}
	}
	return "", 0
}

func freeBytes(folder string) (int64, bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}
