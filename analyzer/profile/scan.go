package profile

import (
	"encoding/binary"
	"fmt"
)

// The numbers of the fields of profile.proto that Read counts.
const (
	fieldSampleType = 1
	fieldSample     = 2
	fieldMapping    = 3
	fieldLocation   = 4
	fieldFunction   = 5
	fieldString     = 6
	fieldComment    = 13
	fieldLast       = 15 // doc_url

	sampleLabel  = 3 // of message Sample
	locationLine = 4 // of message Location
)

// The wire types of protobuf.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

// A count is what scan found of what is bounded.
type count struct {
	samples, locations, functions, mappings, strings, labels, items int
}

// plausible reports whether data begins as a profile in protobuf format does:
// with a field that message Profile has, of the wire type that it has there.
func plausible(data []byte) bool {
	tag, n := binary.Uvarint(data)
	if n <= 0 {
		return false
	}
	field, wire := tag>>3, tag&7
	switch {
	case field >= fieldSampleType && field <= fieldString, field == 11:
		return wire == wireBytes
	case field == fieldComment:
		return wire == wireBytes || wire == wireVarint
	case field <= fieldLast && field > 0:
		return wire == wireVarint
	}
	return false
}

// scan counts the entries of the tables in a profile without decoding them,
// and refuses one that is no protobuf message or exceeds a limit. Its cost is
// a step for each entry, a small part of what decoding costs.
func (l Limits) scan(data []byte) error {
	if !plausible(data) {
		return errNoMessage
	}
	var c count
	err := fields(data, func(field uint64, body []byte) error {
		switch field {
		case fieldSampleType, fieldComment, 14:
			c.mappings += 1 + len(body) // few, and packed numbers are as long as they are many
		case fieldSample:
			c.samples++
			if err := c.inside(body, sampleLabel, &c.labels); err != nil {
				return err
			}
		case fieldMapping:
			c.mappings++
		case fieldLocation:
			c.locations++
			if err := c.inside(body, locationLine, &c.items); err != nil {
				return err
			}
		case fieldFunction:
			c.functions++
		case fieldString:
			c.strings++
		}
		return l.check(&c)
	})
	return err
}

// inside counts the fields of a sample or location: those of the number
// nested to n, the others, and the numbers in packed ones, to items.
func (c *count) inside(body []byte, nested uint64, n *int) error {
	return fields(body, func(field uint64, b []byte) error {
		if field == nested {
			*n++
		} else {
			c.items += 1 + len(b)
		}
		return nil
	})
}

// check returns an error that names the first limit which c exceeds.
func (l Limits) check(c *count) error {
	for _, v := range [...]struct {
		name    string
		is, may int
	}{
		{"samples", c.samples, l.Samples},
		{"locations", c.locations, l.Locations},
		{"functions", c.functions, l.Functions},
		{"mappings, sample types and comments", c.mappings, l.Mappings},
		{"strings", c.strings, l.Strings},
		{"labels", c.labels, l.Labels},
		{"frames, values and lines", c.items, l.Items},
	} {
		if v.is > v.may {
			return fmt.Errorf("profile has more than %d %s", v.may, v.name)
		}
	}
	return nil
}

// fields calls f for each field of a protobuf message, with its number and,
// if it is of the type bytes, its content.
func fields(data []byte, f func(field uint64, body []byte) error) error {
	for len(data) > 0 {
		tag, n := uint64(data[0]), 1
		if tag >= 0x80 {
			tag, n = binary.Uvarint(data)
		}
		if n <= 0 || tag>>3 == 0 {
			return fmt.Errorf("%w: broken protobuf message", ErrNotProfile)
		}
		data = data[n:]
		var body []byte
		switch tag & 7 {
		case wireVarint:
			_, n = binary.Uvarint(data)
		case wireFixed8:
			n = 8
		case wireFixed4:
			n = 4
		case wireBytes:
			size, k := binary.Uvarint(data)
			if k <= 0 || size > uint64(len(data)-k) {
				return fmt.Errorf("%w: cut short", ErrNotProfile)
			}
			body, n = data[k:k+int(size)], k+int(size)
		default:
			return fmt.Errorf("%w: broken protobuf message", ErrNotProfile)
		}
		if n <= 0 || n > len(data) {
			return fmt.Errorf("%w: cut short", ErrNotProfile)
		}
		data = data[n:]
		if err := f(tag>>3, body); err != nil {
			return err
		}
	}
	return nil
}
