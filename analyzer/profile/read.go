package profile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/google/pprof/profile"
)

// ErrNotProfile is wrapped by every error that Read returns for content that
// is no profile in pprof's protobuf format.
var ErrNotProfile = errors.New("not a profile")

var errNoMessage = fmt.Errorf("%w: its first bytes are no protobuf message", ErrNotProfile)

// Limits bound what Read accepts, so that a foreign file can cost neither
// more memory nor more time than a large profile would. They are checked
// before anything is decoded: pprof's own parser turns 16 KB of gzip into
// more than a gigabyte.
type Limits struct {
	// Bytes is the most that a profile may hold once uncompressed.
	Bytes int
	// Samples, Locations, Functions, Mappings and Strings are the most
	// entries of each table; sample types and comments count as mappings. A
	// trial's profile has a few thousand.
	Samples, Locations, Functions, Mappings, Strings int
	// Labels is the most labels of all samples together; each may cost a
	// map, some 400 bytes.
	Labels int
	// Items is the most location ids, values and lines of all samples and
	// locations together; each costs up to 48 bytes.
	Items int
	// Depth is the most frames of one stack, inlined calls counted; Frames
	// the most of all stacks together.
	Depth, Frames int
}

// DefaultLimits returns the limits that Read applies. A profile that reaches
// all of those of samples, labels, locations and functions takes 180 MB once
// decoded; one that exceeds any of them is refused in less.
func DefaultLimits() Limits {
	return Limits{
		Bytes:     64 << 20,
		Samples:   200_000,
		Locations: 200_000,
		Functions: 200_000,
		Mappings:  10_000,
		Strings:   400_000,
		Labels:    200_000,
		Items:     2_000_000,
		Depth:     10_000,
		Frames:    1_000_000,
	}
}

// Read decodes a profile in pprof's protobuf format, gzipped or not, within
// DefaultLimits. It never panics. The names and labels in the profile that it
// returns are clean: safe to print.
func Read(data []byte) (*profile.Profile, error) { return DefaultLimits().Read(data) }

// Read is like the function Read, within the limits l.
func (l Limits) Read(data []byte) (p *profile.Profile, err error) {
	raw, err := l.uncompress(data)
	if err != nil {
		return nil, err
	}
	if err := l.scan(raw); err != nil {
		return nil, err
	}
	// The decoder is not ours: what it may still do with hostile input must
	// not end the program.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("%w: decoding: %v", ErrNotProfile, r)
		}
	}()
	// ParseUncompressed, unlike Parse, tries no legacy text format.
	p, err = profile.ParseUncompressed(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotProfile, err)
	}
	if len(p.SampleType) == 0 {
		return nil, fmt.Errorf("%w: it has no sample types", ErrNotProfile)
	}
	if err := p.CheckValid(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotProfile, err)
	}
	if err := l.stacks(p); err != nil {
		return nil, err
	}
	if err := sums(p); err != nil {
		return nil, err
	}
	clean(p)
	return p, nil
}

// stacks refuses stacks that are deeper, or together longer, than the limits:
// a few locations of many inlined calls can stand in many samples.
func (l Limits) stacks(p *profile.Profile) error {
	frames := 0
	for _, s := range p.Sample {
		depth := 0
		for _, loc := range s.Location {
			depth += len(loc.Line)
		}
		if frames += depth; depth > l.Depth {
			return fmt.Errorf("profile has a stack of %d frames, more than %d", depth, l.Depth)
		}
	}
	if frames > l.Frames {
		return fmt.Errorf("profile has stacks of %d frames in all, more than %d", frames, l.Frames)
	}
	return nil
}

// MaxSum is the most that the values of a profile may add up to, in samples or
// nanoseconds: two years. A hundred such profiles together still fit 64 bits.
const MaxSum = 1 << 56

// sums refuses values that no trial can have left, before anything adds them
// up or multiplies them by the period.
func sums(p *profile.Profile) error {
	for col, t := range p.SampleType {
		weight := 1.0
		if t.Unit != "nanoseconds" {
			weight = math.Max(1, math.Abs(float64(p.Period)))
		}
		sum := 0.0
		for _, s := range p.Sample {
			sum += math.Abs(float64(s.Value[col])) * weight
		}
		if sum > MaxSum {
			return fmt.Errorf("profile has values that add up to %.3g, more than can be true", sum)
		}
	}
	return nil
}

// uncompress returns the protobuf bytes in data, at most l.Bytes of them.
func (l Limits) uncompress(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrNotProfile)
	}
	if len(data) < 2 || data[0] != 0x1f || data[1] != 0x8b {
		if len(data) > l.Bytes {
			return nil, fmt.Errorf("profile is larger than %d MiB", l.Bytes>>20)
		}
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: gzip: %v", ErrNotProfile, err)
	}
	// The first part is looked at before the rest takes more memory.
	out := make([]byte, 0, min(l.expect(data), firstPart)+1)
	for {
		n, err := z.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("%w: gzip: %v", ErrNotProfile, err)
		case len(out) < cap(out):
			continue
		case !plausible(out):
			return nil, errNoMessage
		case len(out) > l.Bytes:
			return nil, fmt.Errorf("profile is larger than %d MiB once uncompressed", l.Bytes>>20)
		}
		// One byte more than may come, so that too many are noticed.
		grown := make([]byte, len(out), max(l.expect(data), min(2*cap(out), l.Bytes))+1)
		copy(grown, out)
		out = grown
	}
}

// firstPart is the size in bytes of what is looked at first.
const firstPart = 64 << 10

// expect returns how many bytes data, which is gzipped, says it holds: its
// last four bytes, a promise that is kept within bounds only.
func (l Limits) expect(data []byte) int {
	const best = 1032 // bytes that deflate can make of one, at most
	if len(data) < 4 {
		return 0
	}
	n := int64(binary.LittleEndian.Uint32(data[len(data)-4:]))
	return int(min(n, best*int64(len(data)), int64(l.Bytes)))
}
