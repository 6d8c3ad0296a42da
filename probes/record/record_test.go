package record

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"sort"
	"testing"
)

func TestHistogramQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	values := make([]int64, 0, 20000)
	for range 20000 {
		v := int64(math.Exp(r.Float64() * 25))
		values = append(values, v)
		h.Record(v)
	}
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	for _, q := range []float64{0.001, 0.5, 0.95, 0.99, 1} {
		want := values[int(math.Ceil(q*20000))-1]
		got := h.Quantile(q)
		if diff := math.Abs(float64(got-want)) / float64(want); diff > 1.0/(2<<subBits) {
			t.Errorf("Quantile(%v) = %d, want %d within 1.6 %%, off by %.2f %%", q, got, want, 100*diff)
		}
	}
	if h.Quantile(0) != h.Min || (*Histogram)(nil).Quantile(0.5) != 0 {
		t.Error("the edges of Quantile are wrong")
	}
}

func TestHistogramBucketsAreContiguous(t *testing.T) {
	next := int64(0)
	for i := range 1500 {
		low, width := bounds(i)
		if low != next {
			t.Fatalf("bucket %d begins at %d, want %d", i, low, next)
		}
		if bucket(low) != i || bucket(low+width-1) != i {
			t.Fatalf("bucket %d does not hold its own bounds [%d, %d]", i, low, low+width-1)
		}
		next = low + width
	}
}

func TestHistogramMergeEqualsRecording(t *testing.T) {
	var all, a, b Histogram
	for i := range int64(1000) {
		v := i * i * i
		all.Record(v)
		if i%3 == 0 {
			a.Record(v)
		} else {
			b.Record(v)
		}
	}
	a.Merge(&b)
	x, _ := json.Marshal(all)
	y, _ := json.Marshal(a)
	if string(x) != string(y) {
		t.Errorf("merged:\n%s\nrecorded:\n%s", y, x)
	}
}

func TestDigest(t *testing.T) {
	digest := func(n int64, order *rand.Rand, wrong int64) *Digest {
		d := &Digest{}
		for _, op := range order.Perm(int(n)) {
			h := uint64(op)*0x9e3779b97f4a7c15 + 1
			if int64(op) == wrong {
				h++
			}
			d.Add(int64(op), h)
		}
		return d
	}
	r := rand.New(rand.NewPCG(1, 2))
	tests := []struct {
		name       string
		a, b       *Digest
		agree      bool
		comparable int64
	}{
		{"same ops in another order", digest(100, r, -1), digest(100, r, -1), true, 100},
		{"one result differs", digest(100, r, -1), digest(100, r, 99), false, 100},
		{"more ops", digest(100, r, -1), digest(700, r, -1), true, 64},
		{"more ops, one of the common ones differs", digest(100, r, 63), digest(700, r, -1), false, 64},
		{"more ops, a difference beyond the common ones", digest(100, r, -1), digest(700, r, 300), true, 64},
		{"nothing", digest(0, r, -1), digest(700, r, -1), true, 0},
		{"missing", nil, digest(7, r, -1), true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			agree, n := tt.a.Compare(tt.b)
			if agree != tt.agree || n != tt.comparable {
				t.Errorf("Compare = %v, %d; want %v, %d", agree, n, tt.agree, tt.comparable)
			}
		})
	}
}

func TestHistogramSlowest(t *testing.T) {
	var h Histogram
	for v := range int64(100) {
		h.Record(v * 1000)
	}
	tests := []struct {
		n    int64
		want float64
	}{{0, 0}, {1, 99e3}, {10, 945e3}, {100, 4950e3}, {1000, 4950e3}}
	for _, tt := range tests {
		if got := h.Slowest(tt.n); math.Abs(got-tt.want) > 0.016*tt.want {
			t.Errorf("the %d slowest took %v, want %v within 1.6 %%", tt.n, got, tt.want)
		}
	}
	if got := (*Histogram)(nil).Slowest(3); got != 0 {
		t.Errorf("no histogram: %v", got)
	}
}
