package harness

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

type node struct {
	name string
	next *node
	kids map[string]*node
}

//lint:ignore U1000 only the hash, through reflection, looks at these
type index struct {
	mu    sync.Mutex
	terms map[string]int
}

//lint:ignore U1000 as above
type counter struct{ n atomic.Int64 }

// ring returns a list of n nodes that ends in its beginning.
func ring(n int) *node {
	first := &node{name: "0"}
	last := first
	for i := 1; i < n; i++ {
		last.next = &node{name: fmt.Sprint(i)}
		last = last.next
	}
	last.next = first
	return first
}

func numbers(n int) map[string][]int {
	m := map[string][]int{}
	for i := 0; i < n; i++ {
		m[fmt.Sprint(i)] = []int{i, i * i}
	}
	return m
}

// TestHashResultEqual lists pairs that must hash equally, each made twice so
// that they share no memory.
func TestHashResultEqual(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name   string
		make   func() (any, error)
		opaque bool
	}{
		{name: "nil", make: func() (any, error) { return nil, nil }},
		{name: "string", make: func() (any, error) { return strings.Repeat("x", 1000), nil }},
		{name: "bytes", make: func() (any, error) { return []byte("abc"), nil }},
		{name: "map", make: func() (any, error) { return numbers(500), nil }},
		{name: "struct with unexported fields", make: func() (any, error) {
			return node{name: "a", kids: map[string]*node{"b": {name: "b"}, "c": nil}}, nil
		}},
		{name: "cycle", make: func() (any, error) { return ring(5), nil }},
		{name: "big number", make: func() (any, error) { return big.NewInt(1 << 40), nil }},
		{name: "buffer", make: func() (any, error) { return bytes.NewBufferString("abc"), nil }},
		{name: "NaN", make: func() (any, error) {
			return math.Float64frombits(0x7ff8000000000001 + uint64(time.Now().Nanosecond()%7)), nil
		}},
		{name: "time zone and monotonic reading", make: func() (any, error) {
			now = now.In(time.FixedZone("x", now.Nanosecond()%7*3600)).Round(0)
			return now, nil
		}},
		{name: "error's message", make: func() (any, error) { return nil, fmt.Errorf("after %v", time.Now().UnixNano()) }},
		{name: "result beside an error", make: func() (any, error) { return time.Now().UnixNano(), errOp }},
		{name: "nil pointer", make: func() (any, error) { return (*node)(nil), nil }},
		{name: "named types", make: func() (any, error) { return []host{"a", "b"}, nil }},
		{name: "complex", make: func() (any, error) { return complex(1, math.NaN()), nil }},

		{name: "long list", opaque: true, make: func() (any, error) { return ring(1000), nil }},
		{name: "large map", opaque: true, make: func() (any, error) { return numbers(maxNodes), nil }},
		{name: "map with large entries", opaque: true, make: func() (any, error) {
			m := map[int][]int{}
			for i := range 100 {
				m[i] = make([]int, 1000+i)
			}
			return m, nil
		}},
		{name: "large list", opaque: true, make: func() (any, error) { return make([]point, maxNodes), nil }},
		{name: "function", opaque: true, make: func() (any, error) { return struct{ f func() }{func() {}}, nil }},
		{name: "channel", opaque: true, make: func() (any, error) { return []chan int{make(chan int)}, nil }},
		{name: "address", opaque: true, make: func() (any, error) { return uintptr(unsafe.Pointer(new(int))), nil }},
		{name: "shared by a lock", opaque: true, make: func() (any, error) { return &index{terms: numbers1()}, nil }},
		{name: "shared by an atomic value", opaque: true, make: func() (any, error) { return []any{&counter{}}, nil }},
		{name: "unexported time", opaque: true, make: func() (any, error) { return struct{ t time.Time }{time.Now()}, nil }},
		{name: "client", opaque: true, make: func() (any, error) { return &http.Response{Body: http.NoBody, Request: &http.Request{}}, nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := tt.make()
			h1, opaque1 := hashResult(7, out, err)
			out, err = tt.make()
			h2, opaque2 := hashResult(7, out, err)
			if h1 != h2 {
				t.Errorf("equal results hash as %x and %x", h1, h2)
			}
			if opaque1 != tt.opaque && tt.name != "client" || opaque1 != opaque2 {
				t.Errorf("opaque is %v and %v, want %v", opaque1, opaque2, tt.opaque)
			}
			if other, _ := hashResult(8, out, err); other == h1 {
				t.Error("another op's result hashes the same")
			}
		})
	}
}

func numbers1() map[string]int { return map[string]int{fmt.Sprint(time.Now().UnixNano()): 1} }

// TestHashResultDiffers lists results of which no two may hash equally.
func TestHashResultDiffers(t *testing.T) {
	results := []struct {
		out any
		err error
	}{
		{}, {err: errOp}, {err: &codeError{}}, {err: errors.Join(errOp)},
		{out: ""}, {out: "a"}, {out: "b"}, {out: "ab"}, {out: "ba"},
		{out: 0}, {out: 1}, {out: -1}, {out: 0.5}, {out: math.NaN()}, {out: true}, {out: false},
		{out: []string{"a", "b"}}, {out: []string{"ab"}}, {out: []string{"b", "a"}}, {out: []string{}},
		{out: []int{0}}, {out: []int{0, 0}}, {out: [2]int{0, 1}},
		{out: point{1, 2}}, {out: point{2, 1}}, {out: node{name: "x"}},
		{out: map[string]int{"a": 1, "b": 2}}, {out: map[string]int{"a": 2, "b": 1}}, {out: map[string]int{"a": 1}},
		{out: ring(2)}, {out: ring(3)}, {out: &node{name: "0"}},
		{out: []any{1}}, {out: []any{int64(1)}}, {out: []any{nil}}, {out: []any{"1"}},
		{out: time.Unix(1, 0)}, {out: time.Unix(1, 1)},
	}
	seen := map[uint64]int{}
	for i, r := range results {
		h, _ := hashResult(3, r.out, r.err)
		if j, ok := seen[h]; ok {
			t.Errorf("%#v and %#v hash the same", results[j], r)
		}
		seen[h] = i
	}
}

// FuzzHashText holds the hash of a string to that of its bytes.
func FuzzHashText(f *testing.F) {
	f.Add("")
	f.Add(strings.Repeat("abc", 200))
	f.Fuzz(func(t *testing.T, s string) {
		if a, b := hashText(s), hashBytes([]byte(s)); a != b {
			t.Errorf("hash of the string is %x, of its bytes %x", a, b)
		}
	})
}

func BenchmarkHashResult(b *testing.B) {
	for _, bb := range []struct {
		name string
		out  any
	}{
		{"nil", nil},
		{"int", 42},
		{"string", "a line of some forty bytes, or about that"},
		{"64KiB", make([]byte, 64<<10)},
		{"struct", &node{name: "a", next: &node{name: "b"}}},
		{"map of 100", numbers(100)},
		{"at the limit", make([]point, maxNodes)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				hashResult(int64(i), bb.out, nil)
			}
		})
	}
}
