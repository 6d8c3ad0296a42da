package profile

import (
	"cmp"
	"io"
	"slices"

	"github.com/google/pprof/profile"
)

// PerOp returns p with every value divided by the number of ops, in
// nanoseconds per op, so that the profiles of models that ran different
// numbers of ops can be laid over each other. p is left as it is; nil and
// ops < 1 give nil.
//
// Values are whole numbers, and pprof knows no unit below the nanosecond. So
// what rounding takes from one stack is given to another: each column's total
// stays right to half a nanosecond, and no stack is off by a whole one.
func PerOp(p *profile.Profile, ops int64) *profile.Profile {
	if p == nil || ops < 1 {
		return nil
	}
	q := p.Copy()
	for col := range q.SampleType {
		divide(q.Sample, col, ops)
	}
	q.Sample = slices.DeleteFunc(q.Sample, func(s *profile.Sample) bool {
		return !slices.ContainsFunc(s.Value, func(v int64) bool { return v != 0 })
	})
	q.DurationNanos = (q.DurationNanos + ops/2) / ops
	return q.Compact()
}

// divide divides column col by ops, by largest remainders.
func divide(samples []*profile.Sample, col int, ops int64) {
	var total, given int64
	rest := make([]int64, len(samples))
	order := make([]int, len(samples))
	for i, s := range samples {
		total += s.Value[col]
		s.Value[col], rest[i] = s.Value[col]/ops, s.Value[col]%ops
		given += s.Value[col]
		order[i] = i
	}
	short := (total+ops/2)/ops - given
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for _, i := range order[:min(max(short, 0), int64(len(order)))] {
		samples[i].Value[col]++
	}
}

// Write writes p gzipped, the same bytes for the same profile.
func Write(w io.Writer, p *profile.Profile) error {
	if err := p.CheckValid(); err != nil {
		return err
	}
	return p.Write(w)
}
