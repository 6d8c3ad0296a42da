package foreign

import (
	"math"

	"github.com/concprof/concprof/analyzer/profile"
)

// unfollowed stands at the root of a stack whose further callers are too many,
// too deep or too small to tell.
const unfollowed = "[callers not followed]"

// A path is a stack that is being followed towards its root: the function
// reached last, those below it, and the time and calls that it stands for.
type path struct {
	at          int
	below       *path
	depth       int
	time, calls float64
}

// on reports whether a function is on the path.
func (p *path) on(f int) bool {
	for ; p != nil; p = p.below {
		if p.at == f {
			return true
		}
	}
	return false
}

// paths tells the table in stacks. A table knows of each function who called
// it and what it took for each of them, but not who called those. So stacks
// are inferred as gprof does: a function's own time is split over its callers
// as measured, and that of each caller over the callers' callers by the time
// that these had of it in all (Graham, Kessler, McKusick: gprof, 1982, section
// 4). Sums over a function's own time stay exact; of a recursion the stack
// holds a function once.
func (t *table) paths(order []int, b *builder) error {
	var total float64
	for i := range t.functions {
		total += t.functions[i].own
	}
	w := &walk{table: t, out: b, least: total * t.limits.PathShare}
	for _, i := range order {
		f := &t.functions[i]
		w.pending = append(w.pending, &path{at: i, depth: 1, time: f.own, calls: float64(f.calls)})
		for len(w.pending) > 0 {
			p := w.pending[len(w.pending)-1]
			w.pending = w.pending[:len(w.pending)-1]
			if err := w.step(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// A walk follows paths depth first, without recursion.
type walk struct {
	*table
	out     *builder
	least   float64 // seconds under which callers are not followed
	pending []*path
	stacks  int
	// The times and calls told so far, exact and rounded: what rounding takes
	// from one stack the next one gets, so that sums stay right.
	time, calls             float64
	roundedTime, roundedAll int64
}

// step follows a path by one caller, or ends it.
func (w *walk) step(p *path) error {
	f := &w.functions[p.at]
	var times, counts []float64
	var from []int
	var rootTime, rootCalls, sumTime, sumCalls float64
	for _, c := range f.callers {
		t, n := c.all, c.all
		if p.depth == 1 {
			t, n = c.own, float64(c.calls)
		}
		rootTime, rootCalls = rootTime-t, rootCalls-n
		if p.on(c.of) {
			continue
		}
		from, times, counts = append(from, c.of), append(times, t), append(counts, n)
		sumTime, sumCalls = sumTime+t, sumCalls+n
	}
	if p.depth == 1 {
		rootTime, rootCalls = max(rootTime+f.own, 0), max(rootCalls+float64(f.calls), 0)
	} else {
		rootTime, rootCalls = max(rootTime+f.all, 0), max(rootCalls+f.all, 0)
	}
	// Clocks round: a rest under a millionth is none.
	if rootTime < 1e-6*sumTime {
		rootTime = 0
	}
	if rootCalls < 1e-6*sumCalls {
		rootCalls = 0
	}
	switch {
	case len(from) == 0:
		return w.end(p, "")
	case p.depth > 1 && p.time < w.least, p.depth >= w.limits.PathDepth, w.stacks+len(w.pending)+len(from) >= w.limits.Paths:
		return w.end(p, unfollowed)
	}
	rest := *p
	for i := len(from) - 1; i >= 0; i-- {
		next := &path{at: from[i], below: p, depth: p.depth + 1,
			time: p.time * part(times[i], sumTime+rootTime, len(from)), calls: p.calls * part(counts[i], sumCalls+rootCalls, len(from))}
		rest.time, rest.calls = rest.time-next.time, rest.calls-next.calls
		w.pending = append(w.pending, next)
	}
	if rest.time > 1e-9*p.time && rootTime > 0 || rest.calls > 1e-9*p.calls && rootCalls > 0 {
		return w.end(&rest, "")
	}
	return nil
}

// part is the share of v in sum, and an equal one of n where nothing is known.
func part(v, sum float64, n int) float64 {
	if sum <= 0 {
		return 1 / float64(n)
	}
	return v / sum
}

// end adds the stack of p.
func (w *walk) end(p *path, root string) error {
	w.stacks++
	w.time, w.calls = w.time+p.time*1e9, w.calls+p.calls
	time, calls := int64(math.Round(w.time))-w.roundedTime, int64(math.Round(w.calls))-w.roundedAll
	time, calls = max(time, 0), max(calls, 0)
	w.roundedTime, w.roundedAll = w.roundedTime+time, w.roundedAll+calls
	if time == 0 && calls == 0 {
		return nil
	}
	frames := make([]profile.Frame, p.depth, p.depth+1)
	for i, q := p.depth-1, p; q != nil; i, q = i-1, q.below {
		frames[i] = w.functions[q.at].at
	}
	if root != "" {
		frames = append(frames, profile.Frame{Function: root})
	}
	return w.out.add(frames, calls, time)
}
