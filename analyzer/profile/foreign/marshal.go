package foreign

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// The type codes of Python's marshal format that cProfile's files hold, and
// the bit that makes an object one that later ones refer to. The format is
// that of Python 3.4 and later (Python/marshal.c); what versions 3 to 5 of it
// added is nothing that a table of functions has.
const (
	codeNull          = '0' // ends a dict
	codeNone          = 'N'
	codeTrue          = 'T'
	codeFalse         = 'F'
	codeInt           = 'i' // 32 bits
	codeLong          = 'l' // digits of 15 bits
	codeFloat         = 'g' // 64 bits
	codeFloatText     = 'f'
	codeUnicode       = 'u'
	codeInterned      = 't'
	codeASCII         = 'a'
	codeASCIIInterned = 'A'
	codeShort         = 'z' // ASCII of at most 255 bytes
	codeShortInterned = 'Z'
	codeTuple         = '('
	codeSmallTuple    = ')'
	codeDict          = '{'
	codeRef           = 'r'
	flagRef           = 0x80
)

// maxNesting is the most containers in one another: a table is a dict of
// tuples, that of callers in them is too, and so are its keys.
const maxNesting = 5

// isMarshal reports whether data begins as a dict of marshal does, with a
// tuple for its first key or with nothing in it.
func isMarshal(data []byte) bool {
	if len(data) < 2 || data[0]&^flagRef != codeDict {
		return false
	}
	switch data[1] &^ flagRef {
	case codeTuple, codeSmallTuple, codeNull:
		return true
	}
	return false
}

// The objects that a marshal file is read into, beside nil, bool, int64,
// float64 and string.
type (
	tuple []any
	dict  []entry // in the order of the file
	entry struct{ key, value any }
)

// A marshal reads objects one after the other.
type marshal struct {
	data    []byte
	at      int
	refs    []any
	objects int
	limits  Limits
}

// readMarshal reads the first object in data.
func (l Limits) readMarshal(data []byte) (any, error) {
	m := &marshal{data: data, limits: l}
	v, err := m.object(0)
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (m *marshal) fault(at int, format string, args ...any) error {
	return &SyntaxError{Kind: CProfile, Offset: at, What: fmt.Sprintf(format, args...)}
}

// take returns the next n bytes.
func (m *marshal) take(n int, what string) ([]byte, error) {
	if n < 0 || n > len(m.data)-m.at {
		return nil, m.fault(m.at, "the file ends within %s", what)
	}
	b := m.data[m.at : m.at+n]
	m.at += n
	return b, nil
}

func (m *marshal) int32(what string) (int, error) {
	b, err := m.take(4, what)
	if err != nil {
		return 0, err
	}
	return int(int32(binary.LittleEndian.Uint32(b))), nil
}

// A null is what ends a dict.
type null struct{}

// object reads an object within depth containers. Its recursion is bounded by
// maxNesting, not by the file.
func (m *marshal) object(depth int) (any, error) {
	start := m.at
	b, err := m.take(1, "an object")
	if err != nil {
		return nil, err
	}
	if m.objects++; m.objects > m.limits.Objects {
		return nil, m.fault(start, "more than %d values", m.limits.Objects)
	}
	code, slot := b[0]&^flagRef, -1
	if b[0]&flagRef != 0 && code != codeNull && code != codeRef {
		// An object's number is taken before those in it take theirs.
		slot = len(m.refs)
		m.refs = append(m.refs, nil)
	}
	v, err := m.body(code, start, depth)
	if err == nil && slot >= 0 {
		m.refs[slot] = v
	}
	return v, err
}

func (m *marshal) body(code byte, start, depth int) (any, error) {
	switch code {
	case codeNull:
		return null{}, nil
	case codeNone:
		return nil, nil
	case codeTrue, codeFalse:
		return code == codeTrue, nil
	case codeInt:
		n, err := m.int32("a number")
		return int64(n), err
	case codeLong:
		return m.long(start)
	case codeFloat:
		b, err := m.take(8, "a float")
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case codeFloatText, codeShort, codeShortInterned, codeUnicode, codeInterned, codeASCII, codeASCIIInterned:
		return m.text(code, start)
	case codeSmallTuple, codeTuple:
		return m.tuple(code, start, depth)
	case codeDict:
		return m.dict(start, depth)
	case codeRef:
		n, err := m.int32("a reference")
		if err != nil {
			return nil, err
		}
		if n < 0 || n >= len(m.refs) || m.refs[n] == nil {
			return nil, m.fault(start, "a reference to object %d, which is not before it", n)
		}
		return m.refs[n], nil
	}
	return nil, m.fault(start, "a value of type %q, which cProfile does not write", code)
}

// long reads an integer of more than 32 bits.
func (m *marshal) long(start int) (any, error) {
	n, err := m.int32("a number")
	if err != nil {
		return nil, err
	}
	negative := n < 0
	if negative {
		n = -n
	}
	if n > 5 {
		return nil, m.fault(start, "a number of more than 64 bits")
	}
	b, err := m.take(2*n, "a number")
	if err != nil {
		return nil, err
	}
	var v uint64
	for i := n - 1; i >= 0; i-- {
		digit := uint64(binary.LittleEndian.Uint16(b[2*i:]))
		if digit >= 1<<15 || v >= 1<<48 {
			return nil, m.fault(start, "a number of more than 63 bits")
		}
		v = v<<15 | digit
	}
	if negative {
		return -int64(v), nil
	}
	return int64(v), nil
}

// text reads a string, or a float that is written as one.
func (m *marshal) text(code byte, start int) (any, error) {
	n := 0
	switch code {
	case codeFloatText, codeShort, codeShortInterned:
		b, err := m.take(1, "a string")
		if err != nil {
			return nil, err
		}
		n = int(b[0])
	default:
		var err error
		if n, err = m.int32("a string"); err != nil {
			return nil, err
		}
	}
	b, err := m.take(n, "a string")
	if err != nil {
		return nil, err
	}
	if code == codeFloatText {
		f, err := strconv.ParseFloat(string(b), 64)
		if err != nil {
			return nil, m.fault(start, "%q is no float", b)
		}
		return f, nil
	}
	// Lone surrogates of names that are no UTF-8 stay as the bytes that they
	// are: whoever prints them makes them visible.
	if !utf8.Valid(b) && code != codeUnicode && code != codeInterned {
		return nil, m.fault(start, "a string of ASCII with other bytes")
	}
	return string(b), nil
}

func (m *marshal) tuple(code byte, start, depth int) (any, error) {
	n := 0
	if code == codeSmallTuple {
		b, err := m.take(1, "a tuple")
		if err != nil {
			return nil, err
		}
		n = int(b[0])
	} else {
		var err error
		if n, err = m.int32("a tuple"); err != nil {
			return nil, err
		}
	}
	switch {
	case depth >= maxNesting:
		return nil, m.fault(start, "containers more than %d deep", maxNesting)
	case n < 0 || n > len(m.data)-m.at: // an item takes a byte at least
		return nil, m.fault(start, "a tuple of %d items, which the file has no room for", n)
	}
	t := make(tuple, 0, min(n, 8))
	for range n {
		v, err := m.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, end := v.(null); end {
			return nil, m.fault(m.at-1, "a tuple that ends early")
		}
		t = append(t, v)
	}
	return t, nil
}

func (m *marshal) dict(start, depth int) (any, error) {
	if depth >= maxNesting {
		return nil, m.fault(start, "containers more than %d deep", maxNesting)
	}
	d := dict{}
	for {
		k, err := m.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, end := k.(null); end {
			return d, nil
		}
		v, err := m.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, end := v.(null); end {
			return nil, m.fault(m.at-1, "a dict that ends after a key")
		}
		d = append(d, entry{k, v})
	}
}
