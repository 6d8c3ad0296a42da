package export

import (
	"cmp"
	"io"
	"math"
	"slices"
)

// A sum is what samples say of a function, or of a function as called by
// another: in how many it is, and the nanoseconds in itself and in all.
type sum struct {
	samples   int64
	own, all  int64
	callers   map[key]*sum
	lastStack int // that counted it: a recursion counts once
}

// A key names a function as pstats does.
type key struct {
	file string
	line int64
	name string
}

// Pstats writes the table of functions that Python's pstats.Stats reads, in
// the marshal format of cProfile (Lib/cProfile.py, snapshot_stats): for each
// function calls, primitive calls, own time, cumulative time in seconds and
// the same for each of its callers. A sampling profile knows no calls: they
// are the samples in which the function was seen, at least one.
func Pstats(w io.Writer, v View) error {
	lines := firstLines(v)
	table := map[key]*sum{}
	of := func(m map[key]*sum, k key) *sum {
		s := m[k]
		if s == nil {
			s = &sum{callers: map[key]*sum{}, lastStack: -1}
			m[k] = s
		}
		return s
	}
	stack := 0
	v.each(func(frames []frame, n int64) {
		hits := samplesOf(v, n)
		for i, f := range frames {
			k := keyOf(f, lines)
			s := of(table, k)
			s.count(stack, hits, n, i == len(frames)-1)
			if i > 0 {
				of(s.callers, keyOf(frames[i-1], lines)).count(stack, hits, n, i == len(frames)-1)
			}
		}
		stack++
	})
	m := &marshalWriter{}
	m.code(typeDict)
	for _, k := range sortedKeys(table) {
		s := table[k]
		m.key(k)
		m.tuple(5)
		m.numbers(s)
		m.code(typeDict)
		for _, c := range sortedKeys(s.callers) {
			m.key(c)
			m.tuple(4)
			m.numbers(s.callers[c])
		}
		m.code(typeNull)
	}
	m.code(typeNull)
	_, err := w.Write(m.out)
	return err
}

// count adds a sample. The leaf's time is its own.
func (s *sum) count(stack int, hits, n int64, leaf bool) {
	if leaf {
		s.own += n
	}
	if s.lastStack != stack {
		s.lastStack = stack
		s.samples += hits
		s.all += n
	}
}

// samplesOf returns how many samples a value stands for.
func samplesOf(v View, n int64) int64 {
	if v.unit() == "count" {
		return n
	}
	if v.Profile.Period <= 0 {
		return 1
	}
	return max(int64(math.Round(float64(n)/float64(v.Profile.Period))), 1)
}

// keyOf returns a function's key. What has no file stands where cProfile has
// built-in functions.
func keyOf(f frame, lines map[place]int64) key {
	if f.file == "" {
		return key{"~", 0, f.name}
	}
	return key{f.file, lines[placeOf(f)], f.name}
}

func sortedKeys(m map[key]*sum) []key {
	keys := make([]key, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.name, b.name))
	})
	return keys
}
