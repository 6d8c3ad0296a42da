package op

import (
	"encoding/json"
	"runtime"
	"slices"
	"sync"
)

// Hash hashes 2 MiB.
func Hash(n int) int { return hash(n, 2<<20) }

// HashTiny hashes 1 KiB, which takes a few microseconds at most.
func HashTiny(n int) int { return hash(n, 1<<10) }

// A record is what JSON encodes and decodes.
type record struct {
	ID    int               `json:"id"`
	Name  string            `json:"name"`
	Tags  []string          `json:"tags"`
	Attrs map[string]string `json:"attrs"`
}

// JSON encodes and decodes a hundred records.
func JSON(n int) (int, error) {
	in := make([]record, 100)
	for i := range in {
		in[i] = record{ID: n + i, Name: "a record", Tags: []string{"one", "two"}, Attrs: map[string]string{"size": "large", "colour": "blue"}}
	}
	text, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	var out []record
	if err := json.Unmarshal(text, &out); err != nil {
		return 0, err
	}
	return out[99].ID, nil
}

// Sort sorts 20,000 numbers.
func Sort(n int) int {
	s := make([]uint32, 20_000)
	x := uint32(n) | 1
	for i := range s {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		s[i] = x
	}
	slices.Sort(s)
	return int(s[len(s)/2])
}

// stream is more than the processor's caches hold.
var stream = sync.OnceValue(func() []uint64 {
	s := make([]uint64, 8<<20) // 64 MiB
	for i := range s {
		s[i] = uint64(i)
	}
	return s
})

// Stream adds up a word of every cache line of 64 MiB: it computes next to
// nothing, so the memory's bandwidth is what ops have to share.
func Stream() uint64 {
	var a, b, c, d uint64
	s := stream()
	for i := 0; i < len(s); i += 32 {
		a += s[i]
		b += s[i+8]
		c += s[i+16]
		d += s[i+24]
	}
	return a + b + c + d
}

// A node is a piece of the live heap.
type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

// live is what the collector has to look at every time.
var live = sync.OnceValue(func() *node { return tree(18) })

// Allocate makes and drops trees beside a live heap of half a million nodes,
// so that most of the work is the collector's.
func Allocate() bool {
	keep := live()
	for range 8 {
		if tree(11).left == nil {
			return false
		}
	}
	return keep.left != nil
}

// HashAll hashes on as many goroutines as there are processors, so that one
// op keeps all of them busy.
func HashAll(n int) int {
	parts := make([]int, runtime.NumCPU())
	var all sync.WaitGroup
	for i := range parts {
		all.Go(func() { parts[i] = hash(n+i, 4<<20) })
	}
	all.Wait()
	sum := 0
	for _, p := range parts {
		sum += p
	}
	return sum
}

// table takes a while to build and is built once a process.
var table = sync.OnceValue(func() int { return hash(1, 128<<20) })

// WarmUp needs a table that the first op builds, which takes that op some
// hundred times as long.
func WarmUp(n int) int { return hash(n, 2<<20) ^ table() }
