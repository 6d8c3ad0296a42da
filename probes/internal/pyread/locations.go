package pyread

import "slices"

// A span is the place in the source that a run of instructions came from.
// Columns count bytes from 0; -1 is not known.
type span struct {
	end           int // the first code unit behind the run
	line, endLine int // 0 for none
	col, endCol   int
}

// maxSpans bounds what one function's location table may decode to: real
// ones have a span for each instruction.
const maxSpans = 1 << 16

// decodeLocations decodes a location table (co_linetable since 3.11,
// Objects/locations.md in CPython's sources): entries of a first byte with
// its high bit set, that holds a code and the number of code units, and what
// the code says. A table that is cut off or wrong gives the spans before the
// fault.
func decodeLocations(table []byte, firstLine int) []span {
	var spans []span
	d := decoder{data: table}
	line, end := firstLine, 0
	for len(d.data) > 0 && len(spans) < maxSpans {
		first := d.byte()
		if first&0x80 == 0 {
			break
		}
		end += int(first&7) + 1
		s := span{end: end, col: -1, endCol: -1}
		switch code := first >> 3 & 15; code {
		case 15: // no location
		case 14: // all in full
			line += d.signed()
			s.endLine = line + d.varint()
			s.col, s.endCol = d.varint()-1, d.varint()-1
		case 13: // no columns
			line += d.signed()
		case 12, 11, 10: // one line, that many further down
			line += int(code) - 10
			s.col, s.endCol = int(d.byte()), int(d.byte())
		default: // the same line, in two bytes
			second := d.byte()
			s.col = int(code)<<3 | int(second>>4)
			s.endCol = s.col + int(second&15)
		}
		if d.failed {
			break
		}
		if first>>3&15 != 15 {
			s.line = line
			s.endLine = max(s.endLine, line)
		}
		spans = append(spans, s)
	}
	return spans
}

// at returns the span of a code unit.
func at(spans []span, unit int) (span, bool) {
	i, _ := slices.BinarySearchFunc(spans, unit, func(s span, unit int) int {
		if s.end <= unit {
			return -1
		}
		return 1
	})
	if unit < 0 || i == len(spans) {
		return span{}, false
	}
	return spans[i], true
}

type decoder struct {
	data   []byte
	failed bool
}

func (d *decoder) byte() byte {
	if len(d.data) == 0 {
		d.failed = true
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return b
}

// varint reads six bits a byte, the least first; bit 6 says that more follow.
func (d *decoder) varint() int {
	v := 0
	for shift := 0; ; shift += 6 {
		b := d.byte()
		if d.failed || shift > 24 {
			d.failed = true
			return 0
		}
		v |= int(b&63) << shift
		if b&64 == 0 {
			return v
		}
	}
}

// signed reads a varint that keeps its sign in the lowest bit.
func (d *decoder) signed() int {
	v := d.varint()
	if v&1 != 0 {
		return -(v >> 1)
	}
	return v >> 1
}
