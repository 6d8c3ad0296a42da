package foreign

import (
	"encoding/binary"
	"fmt"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// maxTotal bounds the sum of a column to what can be read again, with room for
// the rounding of the reader's sum: a year of nanoseconds.
const maxTotal = profile.MaxSum / 2

// A builder adds up stacks and makes a pprof profile of them: samples and
// functions stand in the order in which they were first added.
type builder struct {
	limits  Limits
	types   []*pprof.ValueType
	samples map[string]*pprof.Sample
	order   []*pprof.Sample
	totals  []int64
	frames  int

	// starts says that the line of a frame is where its function begins, so
	// that functions of one name in one file are told apart.
	starts    bool
	functions map[profile.Frame]*pprof.Function
	locations map[profile.Frame]*pprof.Location
	p         *pprof.Profile
	key       []byte
}

func newBuilder(l Limits, types ...*pprof.ValueType) *builder {
	return &builder{
		limits: l, types: types, totals: make([]int64, len(types)),
		samples: map[string]*pprof.Sample{}, functions: map[profile.Frame]*pprof.Function{}, locations: map[profile.Frame]*pprof.Location{},
		p: &pprof.Profile{},
	}
}

// add adds values, one for each type and none negative, to the sample with
// these frames, leaf first. Its error says which limit is exceeded.
func (b *builder) add(frames []profile.Frame, values ...int64) error {
	if len(frames) > b.limits.Depth {
		return fmt.Errorf("a stack of %d frames, more than %d", len(frames), b.limits.Depth)
	}
	for i, v := range values {
		if v < 0 || v > maxTotal-b.totals[i] {
			return fmt.Errorf("%d %s: the sum does not fit", v, b.types[i].Type)
		}
	}
	locs := make([]*pprof.Location, len(frames))
	key := b.key[:0]
	for i, f := range frames {
		locs[i] = b.location(f)
		key = binary.AppendUvarint(key, locs[i].ID)
	}
	b.key = key
	if n := len(b.p.Location); n > b.limits.Locations {
		return fmt.Errorf("more than %d different frames", b.limits.Locations)
	}
	s := b.samples[string(key)]
	if s == nil {
		if b.frames += len(frames); b.frames > b.limits.Frames {
			return fmt.Errorf("stacks of more than %d frames in all", b.limits.Frames)
		}
		if len(b.order) == b.limits.Samples {
			return fmt.Errorf("more than %d different stacks", b.limits.Samples)
		}
		s = &pprof.Sample{Location: locs, Value: make([]int64, len(b.types))}
		b.samples[string(key)] = s
		b.order = append(b.order, s)
	}
	for i, v := range values {
		s.Value[i] += v
		b.totals[i] += v
	}
	return nil
}

// location returns the location of a frame, whose names are made printable.
func (b *builder) location(f profile.Frame) *pprof.Location {
	f.Function, f.File = profile.CleanName(f.Function), profile.CleanFile(f.File)
	if loc := b.locations[f]; loc != nil {
		return loc
	}
	k := f
	if !b.starts {
		k.Line = 0
	}
	fn := b.functions[k]
	if fn == nil {
		fn = &pprof.Function{ID: uint64(len(b.p.Function) + 1), Name: f.Function, SystemName: f.Function, Filename: f.File, StartLine: k.Line}
		b.functions[k] = fn
		b.p.Function = append(b.p.Function, fn)
	}
	loc := &pprof.Location{ID: uint64(len(b.p.Location) + 1), Line: []pprof.Line{{Function: fn, Line: f.Line}}}
	b.locations[f] = loc
	b.p.Location = append(b.p.Location, loc)
	return loc
}

// profile returns the profile of what was added. main is the type that it is
// shown by unless another is asked for.
func (b *builder) profile(main *pprof.ValueType, period int64) *pprof.Profile {
	b.p.SampleType = b.types
	b.p.Sample = b.order
	b.p.DefaultSampleType = main.Type
	b.p.PeriodType, b.p.Period = main, period
	return b.p
}
