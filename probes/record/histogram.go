package record

import (
	"math"
	"math/bits"
	"sort"
)

// subBits gives each power of two 2^subBits buckets, so that a value is known
// to within 1/2^(subBits+1) = 1.6 % of itself.
const subBits = 5

// Histogram is a log-linear histogram of non-negative integers. Its relative
// error is at most 1.6 %; recording takes no lock, so each goroutine keeps its
// own and they are merged.
//
// It exists beside HdrHistogram because it is compiled into other people's
// programs, which must not gain a dependency.
type Histogram struct {
	// Counts maps a bucket's index to how many values fell into it.
	Counts map[int]int64 `json:"counts"`
	N      int64         `json:"n"`
	Min    int64         `json:"min"`
	Max    int64         `json:"max"`
	Sum    float64       `json:"sum"`
}

// bucket returns the index of the bucket that holds v.
func bucket(v int64) int {
	if v < 1<<subBits {
		return int(v)
	}
	exp := bits.Len64(uint64(v)) - 1 - subBits
	return exp<<subBits + int(v>>uint(exp))
}

// bounds returns the least value of bucket i and the number of values in it.
func bounds(i int) (low, width int64) {
	if i < 2<<subBits {
		return int64(i), 1
	}
	exp := i>>subBits - 1
	return int64(i-exp<<subBits) << uint(exp), 1 << uint(exp)
}

// Record adds one value; a negative one counts as 0.
func (h *Histogram) Record(v int64) {
	if v < 0 {
		v = 0
	}
	if h.Counts == nil {
		h.Counts = make(map[int]int64)
	}
	if h.N == 0 || v < h.Min {
		h.Min = v
	}
	if v > h.Max {
		h.Max = v
	}
	h.N++
	h.Sum += float64(v)
	h.Counts[bucket(v)]++
}

// Merge adds all values of o.
func (h *Histogram) Merge(o *Histogram) {
	if o == nil || o.N == 0 {
		return
	}
	if h.Counts == nil {
		h.Counts = make(map[int]int64, len(o.Counts))
	}
	if h.N == 0 || o.Min < h.Min {
		h.Min = o.Min
	}
	if o.Max > h.Max {
		h.Max = o.Max
	}
	h.N += o.N
	h.Sum += o.Sum
	for i, n := range o.Counts {
		h.Counts[i] += n
	}
}

// Quantile returns the value below which the share q of the values lies, the
// middle of its bucket, within [Min, Max]. It returns 0 for an empty
// histogram.
func (h *Histogram) Quantile(q float64) int64 {
	if h == nil || h.N == 0 {
		return 0
	}
	rank := int64(math.Ceil(q * float64(h.N)))
	if rank < 1 {
		rank = 1
	}
	top := 0
	for i := range h.Counts {
		if i > top {
			top = i
		}
	}
	var seen int64
	for i := 0; i <= top; i++ {
		seen += h.Counts[i]
		if seen >= rank {
			low, width := bounds(i)
			v := low + width/2
			return min(max(v, h.Min), h.Max)
		}
	}
	return h.Max
}

// Slowest returns the sum of the n largest values, all of them if there are
// fewer.
func (h *Histogram) Slowest(n int64) float64 {
	if h == nil || n <= 0 {
		return 0
	}
	if n >= h.N {
		return h.Sum
	}
	top := 0
	for i := range h.Counts {
		top = max(top, i)
	}
	var sum float64
	for i := top; n > 0 && i >= 0; i-- {
		low, width := bounds(i)
		some := min(h.Counts[i], n)
		sum += float64(some) * float64(min(max(low+width/2, h.Min), h.Max))
		n -= some
	}
	return sum
}

// Mean returns the arithmetic mean, 0 for an empty histogram.
func (h *Histogram) Mean() float64 {
	if h == nil || h.N == 0 {
		return 0
	}
	return h.Sum / float64(h.N)
}

// Resolution is by how much the values of neighbouring buckets differ at most,
// relative: what is read off histograms is not told apart by less.
const Resolution = 1.0 / (1 << subBits)

// A Bucket is how many values of a histogram lie near one.
type Bucket struct{ Value, N int64 }

// Buckets returns the values in ascending order, each the middle of its bucket
// within [Min, Max], with how many there are of it.
func (h *Histogram) Buckets() []Bucket {
	if h == nil {
		return nil
	}
	indices := make([]int, 0, len(h.Counts))
	for i, n := range h.Counts {
		if n > 0 && i >= 0 {
			indices = append(indices, i)
		}
	}
	sort.Ints(indices)
	bs := make([]Bucket, 0, len(indices))
	for _, i := range indices {
		low, width := bounds(i)
		bs = append(bs, Bucket{Value: min(max(low+width/2, h.Min), h.Max), N: h.Counts[i]})
	}
	return bs
}
