// Package foreign reads profiles that other programs made: cProfile's .prof
// files, folded stacks as py-spy's raw format has them, Austin's samples, and
// pprof files. All become a pprof profile that says where it comes from and
// what its numbers are.
//
//	marshal.go   the part of Python's marshal format that cProfile writes
//	cprofile.go  the table in it, and paths.go the stacks that explain it
//	folded.go    a stack per line and how often it was seen
//	austin.go    the same with processes, threads and times
//
// A file may come from anyone. Reading it is bounded in memory, depth and
// time, never panics, and an error says what is wrong at which byte or line.
// Names are made printable where they enter.
package foreign

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// Kind names the program or format that a profile comes from.
type Kind string

// The kinds.
const (
	CProfile Kind = "cprofile" // Python's cProfile, profile or profiling.tracing
	Folded   Kind = "folded"   // stacks as text: py-spy's raw format, flamegraph.pl
	Austin   Kind = "austin"
	Pprof    Kind = "pprof"
)

// Kinds returns every kind, in the order in which Read tries them.
func Kinds() []Kind { return []Kind{Pprof, CProfile, Austin, Folded} }

// A Profile is one that was read.
type Profile struct {
	Kind Kind
	// Note says what the numbers are and what they are not, in words: "from a
	// cProfile file: call counts and times, no samples". It is the first
	// comment in Data too.
	Note string
	Data *pprof.Profile
}

// Limits bound what Read accepts and makes.
type Limits struct {
	// Bytes is the most that a file may hold; that of a trial's profile.
	Bytes int
	// Objects is the most values in a marshal file; each costs up to 64 bytes.
	// A function costs 10, and 6 more for each of its callers.
	Objects int
	// Line is the most bytes of a line of text.
	Line int
	// Depth is the most frames of one stack, Frames the most of all stacks
	// together, Samples the most different stacks and Locations the most
	// different frames: those of a pprof file, so that what is made of a file
	// can be read again. Of Frames it is half, for there the bytes of their
	// numbers count.
	Depth, Frames, Samples, Locations int
	// Seconds is the most time that a function may have taken: 30 years. It
	// keeps sums of nanoseconds within 64 bits.
	Seconds float64
	// Paths is the most stacks that a cProfile table is told in, beside one for
	// each function, PathDepth the most frames of one, and PathShare the share
	// of all time under which a stack's callers are not followed further: a
	// flame graph does not show a thousandth, so a hundredth of that is lost on
	// nobody.
	Paths, PathDepth int
	PathShare        float64
}

// DefaultLimits returns the limits that Read applies.
func DefaultLimits() Limits {
	p := profile.DefaultLimits()
	return Limits{
		Bytes: p.Bytes, Objects: 4_000_000, Line: 1 << 20,
		Depth: p.Depth, Frames: p.Frames / 2, Samples: p.Samples, Locations: p.Locations, Seconds: 1e9,
		Paths: 50_000, PathDepth: 128, PathShare: 1e-5,
	}
}

// ErrUnknown is wrapped by the error for a file of none of the kinds.
var ErrUnknown = errors.New("neither a pprof nor a cProfile file, nor folded stacks, nor Austin's samples")

// A SyntaxError says what is wrong with a file, and where.
type SyntaxError struct {
	Kind Kind
	// Line is the line of a text file, from 1; Offset, where Line is 0, the
	// byte of a binary one, from 0.
	Line   int
	Offset int
	What   string
}

func (e *SyntaxError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s file: line %d: %s", e.Kind, e.Line, e.What)
	}
	return fmt.Sprintf("%s file: byte %d: %s", e.Kind, e.Offset, e.What)
}

// Read reads a profile of any kind within DefaultLimits. It tells the kind by
// the content.
func Read(data []byte) (*Profile, error) { return DefaultLimits().Read(data) }

// Read is like the function Read, within the limits l.
func (l Limits) Read(data []byte) (*Profile, error) {
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("%w: the file is empty", ErrUnknown)
	case len(data) > l.Bytes:
		return nil, fmt.Errorf("the file is larger than %d MiB", l.Bytes>>20)
	case bytes.HasPrefix(data, []byte("MOJ")):
		return nil, fmt.Errorf("%w: it is Austin's binary format, of which mojo2austin makes text", ErrUnknown)
	case gzipped(data):
		return readPprof(data)
	case isMarshal(data):
		return l.cprofile(data)
	case isText(data):
		if isAustin(data) {
			return l.austin(data)
		}
		return l.folded(data)
	}
	p, err := readPprof(data)
	if errors.Is(err, profile.ErrNotProfile) {
		return nil, ErrUnknown
	}
	return p, err
}

func gzipped(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) }

func readPprof(data []byte) (*Profile, error) {
	p, err := profile.Read(data)
	if err != nil {
		return nil, err
	}
	return marked(Pprof, "from a pprof file", p), nil
}

// Again reads a profile that a Read in another process made, which wrote it in
// pprof's format and tells its kind and note. It trusts none of them.
func Again(kind Kind, note string, data []byte) (*Profile, error) {
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("%w: kind %q", ErrUnknown, profile.CleanLabel(string(kind)))
	}
	p, err := profile.Read(data)
	if err != nil {
		return nil, err
	}
	return marked(kind, profile.CleanFile(note), p), nil
}

// marked notes in the profile itself what it is.
func marked(kind Kind, note string, p *pprof.Profile) *Profile {
	p.Comments = append([]string{note}, p.Comments...)
	return &Profile{Kind: kind, Note: note, Data: p}
}

// isText reports whether the beginning of data can be text: no control
// characters but tabs and line ends.
func isText(data []byte) bool {
	for _, c := range data[:min(len(data), 512)] {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}
