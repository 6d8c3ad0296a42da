//go:build amd64 || arm64

package pyread

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
)

// A code is a code object of the target.
type code struct {
	id       uint32 // counts the distinct ones of a target
	qualname string
	file     string
	first    int // line
	spans    []span
	anchor   bool // an op begins here
	identity identity
}

// line returns the line of a code unit.
func (c *code) line(unit int) int {
	if s, ok := at(c.spans, unit); ok && s.line > 0 {
		return s.line
	}
	return c.first
}

// anchors reports whether ops begin in a function.
func (o *Options) anchors(qualname, file string) bool {
	return strings.HasSuffix(file, o.ProbeFile) &&
		slices.Contains(o.Anchors, qualname[strings.LastIndexByte(qualname, '.')+1:])
}

// An identity is what of a code object tells whether what is known of its
// address still holds.
type identity struct {
	filename, qualname, locations uint64
	first                         uint32
}

// codes are the code objects that were read, by address.
type codes struct {
	byAddr map[uint64]*code
	n      uint32
	typ    uint64 // the address of PyCode_Type, once it is known
}

// The bounds of what is read of code objects.
const (
	maxCodes     = 1 << 14
	maxName      = 4 << 10 // characters
	maxLocations = 1 << 18 // bytes
)

// code returns the code object at addr, of which data is a fresh copy. nil if
// there is none.
func (t *Target) code(addr uint64, data []byte) *code {
	l, word := t.layout, binary.LittleEndian.Uint64
	typ := word(data[l.objType:])
	if typ != t.codes.typ && !t.isCodeType(typ) {
		return nil
	}
	id := identity{
		filename: word(data[l.codeFilename:]), qualname: word(data[l.codeQualname:]),
		locations: word(data[l.codeLocations:]), first: binary.LittleEndian.Uint32(data[l.codeFirstLine:]),
	}
	c := t.codes.byAddr[addr]
	if c != nil && c.identity == id {
		return c
	}
	qualname, ok := t.str(id.qualname)
	if !ok {
		return nil
	}
	file, ok := t.str(id.filename)
	if !ok {
		return nil
	}
	table, ok := t.bytes(id.locations, maxLocations)
	if !ok {
		return nil
	}
	if len(t.codes.byAddr) >= maxCodes {
		clear(t.codes.byAddr)
	}
	t.codes.n++
	c = &code{id: t.codes.n, qualname: qualname, file: file, first: int(int32(id.first)), identity: id}
	c.spans = decodeLocations(table, c.first)
	c.anchor = t.options.anchors(qualname, file)
	t.codes.byAddr[addr] = c
	return c
}

// isCodeType reports whether the type at addr is PyCode_Type, and remembers
// it: the type is found by its name, which stripped builds have too.
func (t *Target) isCodeType(addr uint64) bool {
	if t.codes.typ != 0 || addr == 0 {
		return false
	}
	name, ok := t.memory.word(addr + t.layout.typeName)
	var buf [5]byte
	if !ok || !t.memory.read(name, buf[:]) || string(buf[:]) != "code\x00" {
		return false
	}
	t.codes.typ = addr
	return true
}

// bytes reads a bytes object of at most limit bytes.
func (t *Target) bytes(addr uint64, limit int) ([]byte, bool) {
	size, ok := t.memory.word(addr + t.layout.bytesSize)
	if !ok || size > uint64(limit) {
		return nil, false
	}
	buf := make([]byte, size)
	return buf, size == 0 || t.memory.read(addr+t.layout.bytesData, buf)
}

// str reads a str object of at most maxName characters.
func (t *Target) str(addr uint64) (string, bool) {
	l := t.layout
	var length [8]byte
	var state [4]byte
	if addr == 0 || t.memory.readParts(append(t.parts[:0], part{addr + l.strLength, length[:]}, part{addr + l.strState, state[:]})) < 2 {
		return "", false
	}
	n := binary.LittleEndian.Uint64(length[:])
	kind, ascii, ok := strForm(binary.LittleEndian.Uint32(state[:]))
	if !ok || n > maxName {
		return "", false
	}
	if n == 0 {
		return "", true
	}
	data := addr + l.strCompact
	if ascii {
		data = addr + l.strASCII
	}
	buf := make([]byte, int(n)*kind)
	if !t.memory.read(data, buf) {
		return "", false
	}
	return decodeStr(buf, kind), true
}

// strForm takes apart the state of a str: its bytes a character, and whether
// all are ASCII. The fields are interned, kind (3 bits), compact and ascii;
// interned has two bits, or 16 where it is a field of its own.
func strForm(state uint32) (kind int, ascii, ok bool) {
	for _, interned := range []int{2, 16} {
		s := state >> interned
		kind, compact, ascii := int(s&7), s>>3&1, s>>4&1
		if compact == 1 && (kind == 1 || kind == 2 || kind == 4) {
			return kind, ascii == 1, true
		}
	}
	return 0, false, false
}

// decodeStr makes a string of the characters of a str, of 1, 2 or 4 bytes
// each. Half surrogates become U+FFFD.
func decodeStr(buf []byte, kind int) string {
	var b strings.Builder
	for i := 0; i+kind <= len(buf); i += kind {
		var r rune
		switch kind {
		case 1:
			r = rune(buf[i])
		case 2:
			r = rune(binary.LittleEndian.Uint16(buf[i:]))
		case 4:
			r = rune(binary.LittleEndian.Uint32(buf[i:]))
		}
		if utf16.IsSurrogate(r) || r < 0 || r > 0x10ffff {
			r = 0xfffd
		}
		b.WriteRune(r)
	}
	return b.String()
}
