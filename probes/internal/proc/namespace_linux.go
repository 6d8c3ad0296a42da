package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// keeperAttr says how a keeper is started: in a session of its own and, with a
// namespace, as its first process, which nothing inside can kill or stop.
func keeperAttr(namespace bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if namespace {
		attr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	}
	return attr
}

// furnish completes the namespaces that this keeper was started in: by a /proc
// of their own, in which each process finds itself and no other of the host.
// outside is the keeper's id there.
func furnish(outside int) error {
	// What is mounted outside still comes in, but nothing goes out.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("keep mounts from the host: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if self, err := os.Readlink("/proc/self"); err != nil || self != "1" {
		return fmt.Errorf("the new /proc has process %q, %v, not the first one", self, err)
	}
	// Ids go on from those outside, which nothing there has had lately. If they began
	// with 2, the pid file of what was killed would name a process of the next trial,
	// as happens in containers, or one of the host.
	os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(outside)), 0) //nolint:errcheck // not in every kernel
	return nil
}

// findInside returns the descendant of root, the first process of a namespace,
// that has an id inside.
func findInside(root, inside int) (pid int, ok bool) {
	for _, s := range tree(root) {
		if ids := idsOf(s.pid); len(ids) > 1 && ids[1] == inside {
			return s.pid, true
		}
	}
	return 0, false
}

// idsOf returns the ids of a process in the PID namespaces that it is in; nil if
// it has ended.
func idsOf(pid int) []int { return NamespaceIDs("/proc/" + strconv.Itoa(pid)) }

// NamespaceIDs returns the ids of the process or thread of a folder of /proc in the
// PID namespaces that it is in, from that of /proc inwards; nil if it has ended or
// the kernel does not say (before 4.1).
func NamespaceIDs(dir string) []int {
	data, err := os.ReadFile(dir + "/status")
	if err != nil {
		return nil
	}
	_, line, _ := bytes.Cut(data, []byte("\nNSpid:"))
	line, _, _ = bytes.Cut(line, []byte("\n"))
	var ids []int
	for _, f := range bytes.Fields(line) {
		id, err := strconv.Atoi(string(f))
		if err != nil {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}
