package harness

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sort"
)

// A unit is a piece of CPU work of a few to some tens of microseconds. Its
// result depends on the seed only, and every piece feeds the next, so no
// compiler can leave one out.
type unit func(seed uint64) uint64

// newUnit makes the unit of one slot; it may keep buffers.
func newUnit(work string) (unit, error) {
	switch work {
	case "sha256", "":
		return sha256Unit(), nil
	case "json":
		return jsonUnit(), nil
	case "matmul":
		return matmulUnit(), nil
	case "sort":
		return sortUnit(), nil
	case "gzip":
		return gzipUnit()
	}
	return nil, fmt.Errorf("unknown CPU work %q: want sha256, json, matmul, sort or gzip", work)
}

// errUncalibrated is returned for CPU work of no fixed amount: if each trial
// calibrated its own, models would be compared on different work.
var errUncalibrated = errors.New("CPU work without iterations: take them from a dry trial")

// cpuStep computes and returns the outcome as a number.
func cpuStep(s Step) (builtStep, error) {
	if _, err := newUnit(s.Work); err != nil {
		return builtStep{}, err
	}
	if s.Iterations <= 0 {
		return builtStep{}, errUncalibrated
	}
	return builtStep{build: func(int) (stepFunc, error) {
		u, err := newUnit(s.Work)
		if err != nil {
			return nil, err
		}
		return func(_ context.Context, op int64, _ any) (any, error) {
			return compute(u, s.Iterations, op), nil
		}, nil
	}, inputless: true}, nil
}

// compute does the iterations of one op.
func compute(u unit, iterations, op int64) uint64 {
	x := mix(uint64(op), 0)
	for i := int64(0); i < iterations; i++ {
		x = u(x)
	}
	return x
}

func sha256Unit() unit {
	block := make([]byte, 4096)
	return func(seed uint64) uint64 {
		binary.LittleEndian.PutUint64(block, seed)
		sum := sha256.Sum256(block)
		return binary.LittleEndian.Uint64(sum[:])
	}
}

// An order is what the json unit encodes and decodes.
type order struct {
	ID    uint64         `json:"id"`
	Name  string         `json:"name"`
	Lines []string       `json:"lines"`
	Tags  map[string]int `json:"tags"`
}

func jsonUnit() unit {
	return func(seed uint64) uint64 {
		in := order{
			ID: seed, Name: "order",
			Lines: []string{"first line", "second line", "third line"},
			Tags:  map[string]int{"a": int(seed & 0xff), "b": 2},
		}
		data, err := json.Marshal(in)
		if err != nil {
			return 0
		}
		var out order
		if err := json.Unmarshal(data, &out); err != nil {
			return 0
		}
		return mix(out.ID, hashBytes(data))
	}
}

func matmulUnit() unit {
	const n = 24
	var a, b, c [n * n]float64
	return func(seed uint64) uint64 {
		for i := range a {
			a[i] = float64((seed+uint64(i))%1000) / 1000
			b[i] = float64((seed+uint64(3*i))%1000) / 1000
		}
		for i := 0; i < n; i++ {
			for j := 0; j < n; j++ {
				sum := 0.0
				for k := 0; k < n; k++ {
					sum += a[i*n+k] * b[k*n+j]
				}
				c[i*n+j] = sum
			}
		}
		return mix(seed, math.Float64bits(c[n*n-1]))
	}
}

func sortUnit() unit {
	const n = 256
	values := make([]int, n)
	return func(seed uint64) uint64 {
		x := seed
		for i := range values {
			x = x*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
			values[i] = int(x >> 33)
		}
		sort.Ints(values)
		return mix(seed, uint64(values[n/2]))
	}
}

func gzipUnit() (unit, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	text := bytes.Repeat([]byte("concurrency is not parallelism; "), 64)
	return func(seed uint64) uint64 {
		binary.LittleEndian.PutUint64(text, seed)
		out.Reset()
		w.Reset(&out)
		if _, err := w.Write(text); err != nil {
			return 0
		}
		if err := w.Close(); err != nil {
			return 0
		}
		return mix(seed, hashBytes(out.Bytes()))
	}, nil
}
