package profile

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// The sample types of derived profiles, all in nanoseconds.
const (
	TypeWall   = "wall"
	TypeCPU    = "cpu"
	TypeOffCPU = "offcpu"
	// TypeGILWait is a part of offcpu, and of merged profiles of CPython only.
	TypeGILWait = "gilwait"
)

// tags are the labels of a sample, which may be empty.
type tags struct {
	state, wait, step, gil string
}

// A builder adds up samples by stack and labels. What it builds depends on
// what was added only, not on the order.
type builder struct {
	types   []string
	entries map[string]*entry
	key     []byte
}

type entry struct {
	key    string
	frames []Frame
	tags   tags
	values []int64
}

func newBuilder(types ...string) *builder {
	return &builder{types: types, entries: map[string]*entry{}}
}

// add adds v to column col of the sample with these frames, leaf first, and
// tags. It keeps no reference to frames.
func (b *builder) add(frames []Frame, t tags, col int, v int64) {
	if v == 0 {
		return
	}
	k := b.key[:0]
	// Root first, so that stacks with a common root stand side by side.
	for i := len(frames) - 1; i >= 0; i-- {
		k = append(append(k, frames[i].Function...), 0)
		k = append(append(k, frames[i].File...), 0)
		k = binary.BigEndian.AppendUint64(k, uint64(frames[i].Line))
	}
	k = append(append(append(k, 1), t.state...), 1)
	k = append(append(append(k, t.wait...), 1), t.step...)
	if t.gil != "" {
		k = append(append(k, 1), t.gil...)
	}
	b.key = k
	e := b.entries[string(k)]
	if e == nil {
		e = &entry{key: string(k), frames: slices.Clone(frames), tags: t, values: make([]int64, len(b.types))}
		b.entries[e.key] = e
	}
	e.values[col] += v
}

// total returns the sum of column col.
func (b *builder) total(col int) int64 {
	var sum int64
	for _, e := range b.entries {
		sum += e.values[col]
	}
	return sum
}

// A header is what profiles of one cell have in common.
type header struct {
	title    string
	labels   map[string]string // of every sample
	time     int64             // since the Unix epoch, in nanoseconds
	duration int64             // nanoseconds
}

// period is the one period type of derived profiles: pprof refuses to compare
// or merge profiles of different ones. Its rate is that at which both
// profilers aim.
func period() (*profile.ValueType, int64) {
	return &profile.ValueType{Type: TypeWall, Unit: "nanoseconds"}, 10_000_000
}

// profile returns the profile of what was added: a location per frame, with
// neither addresses nor start lines nor the mappings of a binary, so that
// profiles of different builds line up. The one mapping carries the title,
// which is where pprof's pages take theirs from.
func (b *builder) profile(h header) *profile.Profile {
	p := &profile.Profile{TimeNanos: h.time, DurationNanos: h.duration, DefaultSampleType: b.types[0]}
	p.PeriodType, p.Period = period()
	for _, t := range b.types {
		p.SampleType = append(p.SampleType, &profile.ValueType{Type: t, Unit: "nanoseconds"})
	}
	m := &profile.Mapping{ID: 1, File: CleanLabel(h.title), HasFunctions: true, HasFilenames: true, HasLineNumbers: true, HasInlineFrames: true}
	p.Mapping = []*profile.Mapping{m}

	entries := make([]*entry, 0, len(b.entries))
	for _, e := range b.entries {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(x, y *entry) int { return strings.Compare(x.key, y.key) })

	type place struct{ function, file string }
	functions := map[place]*profile.Function{}
	locations := map[Frame]*profile.Location{}
	for _, e := range entries {
		s := &profile.Sample{Value: e.values, Label: map[string][]string{}}
		for k, v := range h.labels {
			s.Label[k] = []string{CleanLabel(v)}
		}
		for k, v := range map[string]string{"state": e.tags.state, "wait": e.tags.wait, "step": e.tags.step, labelGIL: e.tags.gil} {
			if v != "" {
				s.Label[k] = []string{CleanLabel(v)}
			}
		}
		for _, f := range e.frames {
			loc := locations[f]
			if loc == nil {
				fn := functions[place{f.Function, f.File}]
				if fn == nil {
					// Without a system name pprof takes the name as it is; else
					// it would take one with brackets for C++'s and cut them out.
					fn = &profile.Function{ID: uint64(len(p.Function) + 1), Name: f.Function, Filename: f.File}
					functions[place{f.Function, f.File}] = fn
					p.Function = append(p.Function, fn)
				}
				loc = &profile.Location{ID: uint64(len(p.Location) + 1), Mapping: m, Line: []profile.Line{{Function: fn, Line: f.Line}}}
				locations[f] = loc
				p.Location = append(p.Location, loc)
			}
			s.Location = append(s.Location, loc)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}
