//go:build amd64 || arm64

package pyread

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
)

// A Target is a CPython process that can be read.
type Target struct {
	pid     int
	options Options
	memory  *memory
	layout  *layout
	calls   *[256]bool // nil if not known
	runtime uint64
	codes   codes

	ids      *threadIDs
	threads  map[uint64]*thread // by the address of their state
	states   []uint64           // those addresses, in the order of the last look
	failures int                // looks in a row that could not read the lists
	buf      []byte
	parts    []part
}

// Open attaches to the CPython process pid: it finds its runtime and layout.
// An *UnsupportedError says why it cannot.
func Open(pid int) (*Target, error) {
	unsupported := func(err error) (*Target, error) {
		return nil, &UnsupportedError{PID: pid, Reason: err.Error()}
	}
	img, err := findImage(pid)
	if err != nil {
		return unsupported(err)
	}
	m := newMemory(pid)
	l, err := findLayout(m, img)
	if err != nil {
		m.close()
		return unsupported(err)
	}
	return &Target{
		pid: pid, options: Options{}.WithDefaults(), memory: m, layout: l, calls: calls(l.minor), runtime: img.runtime,
		codes: codes{byAddr: map[uint64]*code{}}, threads: map[uint64]*thread{}, ids: newThreadIDs(pid),
	}, nil
}

// Close lets go of the process, which does not notice.
func (t *Target) Close() {
	for _, th := range t.threads {
		th.files.close()
	}
	t.threads = nil
	t.memory.close()
}

// findLayout finds out which layout a runtime has: by its own description, or
// by its version.
func findLayout(m *memory, img image) (*layout, error) {
	var head [offsetsHead]byte
	if !m.read(img.runtime, head[:]) {
		return nil, errors.New("its memory cannot be read: only a process of the same user can, and where " +
			"kernel.yama.ptrace_scope is 1 only one that started it")
	}
	if described(head[:]) {
		data := make([]byte, offsetsSize)
		if !m.read(img.runtime, data) {
			return nil, errors.New("the description of its layout is cut off")
		}
		return parseOffsets(data)
	}
	if img.version == 0 {
		return nil, errors.New("a CPython before 3.11; known are 3.11 to 3.15")
	}
	v, ok := m.word(img.version)
	if !ok {
		return nil, errors.New("its version cannot be read")
	}
	l := fixedLayout(version(v).minor())
	switch {
	case l == nil || version(v).major() != 3:
		return nil, fmt.Errorf("CPython %s, which does not describe its layout", version(v))
	case runtime.GOARCH != "amd64":
		return nil, fmt.Errorf("CPython %s on %s: known is amd64", version(v), runtime.GOARCH)
	}
	return l, nil
}

// The bounds of lists that are followed.
const (
	maxInterpreters = 64
	maxThreads      = 8192
)

// A seat is a thread state as one look finds it.
type seat struct {
	addr  uint64
	tid   int    // by which it knows itself
	frame uint64 // the current frame, or the C frame that points to it
	gil   uint64 // of its interpreter
}

// seats returns the thread states of all interpreters. ok is false when the
// lists changed while they were read, or there are none yet.
func (t *Target) seats(into []seat) (seats []seat, ok bool) {
	l := t.layout
	interp, ok := t.memory.word(t.runtime + l.interpreters)
	seats = into[:0]
	for n := 0; ok && interp != 0 && n < maxInterpreters; n++ {
		var head, next, gil [8]byte
		gilAddr := interp + l.gil
		if l.gilInline {
			gilAddr = t.runtime + l.gil
		}
		if t.memory.readParts(append(t.parts[:0],
			part{interp + l.interpNext, next[:]}, part{interp + l.interpThreads, head[:]}, part{gilAddr, gil[:]})) < 3 {
			return seats, false
		}
		if !l.gilInline {
			gilAddr = binary.LittleEndian.Uint64(gil[:])
		}
		if seats, ok = t.walk(seats, binary.LittleEndian.Uint64(head[:]), gilAddr); !ok {
			return seats, false
		}
		interp = binary.LittleEndian.Uint64(next[:])
	}
	return seats, ok && len(seats) > 0
}

// walk follows the list of thread states from head on. Those that the last
// look found are read ahead, with one system call: the list seldom changes.
func (t *Target) walk(seats []seat, head, gil uint64) ([]seat, bool) {
	l := t.layout
	size := l.untilThread
	if need := size * len(t.states); cap(t.buf) < need {
		t.buf = make([]byte, 2*need)
	}
	parts := t.parts[:0]
	ahead := 0 // where the list's head is among the known states
	for i, addr := range t.states {
		if addr == head {
			ahead = i
		}
	}
	known := t.states[ahead:]
	for i, addr := range known {
		parts = append(parts, part{addr, t.buf[:cap(t.buf)][i*size : (i+1)*size]})
	}
	t.parts = parts
	read := t.memory.readParts(parts)
	one := make([]byte, size)
	for n := 0; head != 0; n++ {
		if n == maxThreads {
			return seats, false
		}
		data := one
		if n < read && known[n] == head {
			data = parts[n].buf
		} else if !t.memory.read(head, one) {
			return seats, false
		}
		seats = append(seats, seat{
			addr:  head,
			tid:   int(binary.LittleEndian.Uint64(data[l.threadID:])),
			frame: binary.LittleEndian.Uint64(data[l.threadFrame:]),
			gil:   gil,
		})
		head = binary.LittleEndian.Uint64(data[l.threadNext:])
	}
	return seats, true
}
