//go:build amd64 || arm64

package pyread

import (
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"
)

// A memory reads that of another process without stopping it.
type memory struct {
	pid   int
	file  int // of /proc/<pid>/mem, -1 while process_vm_readv does
	gone  bool
	local []unix.Iovec
	far   []unix.RemoteIovec
}

func newMemory(pid int) *memory { return &memory{pid: pid, file: -1} }

func (m *memory) close() {
	if m.file >= 0 {
		unix.Close(m.file)
		m.file = -1
	}
}

// A part is one piece of memory to be read.
type part struct {
	addr uint64
	buf  []byte
}

// read fills buf from addr on, and reports whether it could.
func (m *memory) read(addr uint64, buf []byte) bool {
	return m.readParts([]part{{addr, buf}}) == 1
}

// word reads a word.
func (m *memory) word(addr uint64) (uint64, bool) {
	var buf [8]byte
	if !m.read(addr, buf[:]) {
		return 0, false
	}
	return binary.LittleEndian.Uint64(buf[:]), true
}

// maxParts is the most that one system call reads (IOV_MAX).
const maxParts = 1024

// readParts reads all parts, with one system call for each maxParts of them.
// It returns how many it read in full: those behind the first that cannot be
// read are left out.
func (m *memory) readParts(parts []part) int {
	done := 0
	for done < len(parts) {
		batch := parts[done:min(done+maxParts, len(parts))]
		n := m.readBatch(batch)
		done += n
		if n < len(batch) {
			break
		}
	}
	return done
}

func (m *memory) readBatch(parts []part) int {
	if m.file >= 0 {
		return m.readFile(parts)
	}
	m.local, m.far = m.local[:0], m.far[:0]
	for i := range parts {
		v := unix.Iovec{Base: &parts[i].buf[0]}
		v.SetLen(len(parts[i].buf))
		m.local = append(m.local, v)
		m.far = append(m.far, unix.RemoteIovec{Base: uintptr(parts[i].addr), Len: len(parts[i].buf)})
	}
	n, err := unix.ProcessVMReadv(m.pid, m.local, m.far, 0)
	switch err {
	case nil:
	case unix.ENOSYS, unix.EPERM:
		// Containers' filters often know the one system call and not the
		// other way to do the same.
		fd, err := unix.Open("/proc/"+strconv.Itoa(m.pid)+"/mem", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0
		}
		m.file = fd
		return m.readFile(parts)
	case unix.ESRCH:
		m.gone = true
		return 0
	default:
		return 0
	}
	for i := range parts {
		if n -= len(parts[i].buf); n < 0 {
			return i
		}
	}
	return len(parts)
}

func (m *memory) readFile(parts []part) int {
	for i, p := range parts {
		n, err := unix.Pread(m.file, p.buf, int64(p.addr))
		if n == 0 && err == nil {
			m.gone = true // what /proc/<pid>/mem gives of a process without memory
		}
		if n < len(p.buf) {
			return i
		}
	}
	return len(parts)
}
