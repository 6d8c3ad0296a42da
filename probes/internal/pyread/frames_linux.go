//go:build amd64 || arm64

package pyread

import (
	"encoding/binary"
)

// maxDepth bounds the frames of a stack: Python's own limit is 1,000 unless
// it is raised.
const maxDepth = 2048

// A place is one frame of a stack: a code object and a code unit in it.
type place struct {
	code *code
	unit int
}

// A stack is what was read of a thread.
type stack struct {
	places []place // leaf first
	// op is the index of the anchor in places, -1 if no op runs.
	op int
	// inC says whether the leaf's instruction is a call, that is whether the
	// thread is in C code. Known only if opKnown.
	inC, opKnown bool
	holder       bool // of the GIL, when the stack was read
}

// tagBits are the low bits of pointers in frames, which hold tags since 3.14.
// Objects are aligned to 16 bytes, or 8 without pymalloc.
const tagBits = 7

// pageSize is the least a mapping has: a read within one page either succeeds
// or fails as a whole.
const pageSize = 4096

// A raw is a frame as it is read: addresses.
type raw struct{ code, instr uint64 }

// A chain reads frames, one after the other.
type chain struct {
	t      *Target
	page   [2 * pageSize]byte
	begin  uint64 // address of what page holds
	length int
	raws   []raw
	data   []byte // copies of code objects
}

// frame returns the bytes of the frame at addr. Frames of a thread lie side
// by side, the callers below, so that what is read with one of them usually
// holds the next ones.
func (c *chain) frame(addr uint64) ([]byte, bool) {
	size := c.t.layout.untilFrame
	if off := addr - c.begin; addr >= c.begin && off+uint64(size) <= uint64(c.length) {
		return c.page[off : off+uint64(size)], true
	}
	c.begin = addr &^ (pageSize - 1)
	c.length = int(addr-c.begin) + size
	if !c.t.memory.read(c.begin, c.page[:c.length]) {
		c.length = 0
		return nil, false
	}
	return c.page[c.length-size : c.length], true
}

// read reads the stack of the thread whose state is s. ok is false when it
// changed meanwhile.
func (c *chain) read(s seat, into *stack) (ok bool) {
	l, word := c.t.layout, binary.LittleEndian.Uint64
	into.places, into.op, into.inC, into.opKnown, into.holder = into.places[:0], -1, false, false, false
	c.length, c.raws = 0, c.raws[:0]
	addr := s.frame
	if l.cframe {
		if addr, ok = c.t.memory.word(s.frame + l.cframeFrame); !ok {
			return false
		}
	}
	for n := 0; addr != 0; n++ {
		if n == maxDepth {
			return false
		}
		f, ok := c.frame(addr)
		if !ok {
			return false
		}
		if f[l.frameOwner] < l.ownerC {
			c.raws = append(c.raws, raw{word(f[l.frameCode:]) &^ tagBits, word(f[l.frameInstr:])})
		}
		addr = word(f[l.framePrevious:])
	}
	return c.resolve(s, into)
}

// resolve looks the code objects of the frames up, all with one system call,
// with the GIL and the leaf's instruction at the same time.
func (c *chain) resolve(s seat, into *stack) bool {
	l := c.t.layout
	if len(c.raws) == 0 {
		return true
	}
	if need := len(c.raws) * l.untilObj; cap(c.data) < need {
		c.data = make([]byte, 2*need)
	}
	var holder [8]byte
	var locked [4]byte
	var instr [2]byte
	parts := append(c.t.parts[:0], part{s.gil + l.gilHolder, holder[:]}, part{s.gil + l.gilLocked, locked[:]})
	for i, r := range c.raws {
		parts = append(parts, part{r.code, c.data[:cap(c.data)][i*l.untilObj : (i+1)*l.untilObj]})
	}
	parts = append(parts, part{c.raws[0].instr, instr[:]})
	c.t.parts = parts
	n := c.t.memory.readParts(parts)
	if n < len(parts)-1 {
		return false
	}
	for i, r := range c.raws {
		data := c.data[:cap(c.data)][i*l.untilObj : (i+1)*l.untilObj]
		code := c.t.code(r.code, data)
		if code == nil {
			return false
		}
		// What is not yet begun stands one unit before the first.
		unit := int(int64(r.instr-r.code-l.codeBytes)) >> 1
		if units := len(code.spans); units > 0 && (unit < -1 || unit >= code.spans[units-1].end) {
			return false
		}
		into.places = append(into.places, place{code, unit})
		if code.anchor {
			into.op = i // the outermost stays
		}
	}
	into.holder = binary.LittleEndian.Uint32(locked[:]) == 1 && binary.LittleEndian.Uint64(holder[:]) == s.addr
	if c.t.calls != nil && n == len(parts) {
		into.inC, into.opKnown = c.t.calls[instr[0]], true
	}
	return true
}
