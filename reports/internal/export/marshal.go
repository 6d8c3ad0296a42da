package export

import (
	"encoding/binary"
	"math"
)

// The type codes of Python's marshal format that a table needs
// (Python/marshal.c). All of them are in every version of the format since 2.
const (
	typeNull    = '0'
	typeDict    = '{'
	typeTuple   = ')' // of at most 255 items
	typeInt     = 'i' // 32 bits
	typeLong    = 'l' // digits of 15 bits
	typeFloat   = 'g'
	typeUnicode = 'u'
)

// A marshalWriter appends objects. A dict is its code, keys and values, and
// null; a tuple its code, its length and its items.
type marshalWriter struct{ out []byte }

func (m *marshalWriter) code(c byte) { m.out = append(m.out, c) }

func (m *marshalWriter) tuple(n byte) { m.out = append(m.out, typeTuple, n) }

func (m *marshalWriter) text(s string) {
	m.code(typeUnicode)
	m.out = binary.LittleEndian.AppendUint32(m.out, uint32(len(s)))
	m.out = append(m.out, s...)
}

// int writes a number, which is not negative.
func (m *marshalWriter) int(n int64) {
	if n <= math.MaxInt32 {
		m.code(typeInt)
		m.out = binary.LittleEndian.AppendUint32(m.out, uint32(n))
		return
	}
	m.code(typeLong)
	at := len(m.out)
	m.out = append(m.out, 0, 0, 0, 0)
	digits := uint32(0)
	for ; n > 0; n >>= 15 {
		m.out = binary.LittleEndian.AppendUint16(m.out, uint16(n&0x7fff))
		digits++
	}
	binary.LittleEndian.PutUint32(m.out[at:], digits)
}

func (m *marshalWriter) seconds(ns int64) {
	m.code(typeFloat)
	m.out = binary.LittleEndian.AppendUint64(m.out, math.Float64bits(float64(ns)/1e9))
}

func (m *marshalWriter) key(k key) {
	m.tuple(3)
	m.text(k.file)
	m.int(k.line)
	m.text(k.name)
}

// numbers writes calls, primitive calls, own and cumulative time.
func (m *marshalWriter) numbers(s *sum) {
	m.int(s.samples)
	m.int(s.samples)
	m.seconds(s.own)
	m.seconds(s.all)
}
