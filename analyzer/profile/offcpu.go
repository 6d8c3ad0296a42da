package profile

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/concprof/concprof/probes/record"
)

// offCPU subtracts CPU time from wall time, stack by stack.
//
// Blocked stacks are off-CPU as they are. Stacks that may have been on the
// CPU are compared with the CPU profile's after both are cut at the innermost
// frame of the user's code and their lines are ignored: goroutines are seen
// at safe points only, so the two profiles disagree about what is below. Line
// by line 36 to 94 % of the CPU time would find no wall time to be taken
// from, function by function 13 to 89 %.
type offCPU struct {
	o       Options
	blocked *builder
	groups  map[string]*group // by the functions of the cut stack
}

// A group is the wall and CPU time of one cut stack, in nanoseconds.
type group struct {
	key     string
	leaf    string // the function at which it was cut
	running int64
	syscall map[record.Wait]int64 // ambiguous, by kind
	excess  int64                 // CPU time not yet taken from any wall time
	// lines are the stacks that fell into this group: they differ in lines.
	lines *builder
}

func newOffCPU(o Options) *offCPU {
	return &offCPU{o: o, blocked: newBuilder(TypeOffCPU), groups: map[string]*group{}}
}

// group returns the group of a stack, and the stack cut for it.
func (c *offCPU) group(frames []Frame) (*group, []Frame) {
	cut := frames[c.o.place(frames):]
	var b strings.Builder
	for i := len(cut) - 1; i >= 0; i-- {
		b.WriteString(cut[i].Function)
		b.WriteByte(0)
	}
	g := c.groups[b.String()]
	if g == nil {
		g = &group{key: b.String(), leaf: cut[0].Function, syscall: map[record.Wait]int64{}, lines: newBuilder(TypeWall)}
		c.groups[g.key] = g
	}
	return g, cut
}

// cpu adds CPU time of an op's own goroutine.
func (c *offCPU) cpu(frames []Frame, ns int64) {
	g, _ := c.group(frames)
	g.excess += ns
}

// wall adds wall time of an op.
func (c *offCPU) wall(frames []Frame, w wait, ns int64) {
	switch w.state {
	case Blocked:
		c.blocked.add(frames, tags{state: string(Blocked), wait: string(w.kind)}, 0, ns)
		return
	case Ambiguous:
		g, cut := c.group(frames)
		g.syscall[w.kind] += ns
		g.lines.add(cut, tags{}, 0, ns)
		return
	}
	g, cut := c.group(frames)
	g.running += ns
	g.lines.add(cut, tags{}, 0, ns)
}

// subtract takes the CPU time off, emits what remains, and returns the share
// and the amount of the CPU time for which there was no wall time.
//
// CPU time is taken from the stack where it was spent; what that stack cannot
// cover, from others that end in the same function (the roots of deep wall
// stacks are cut off); and the rest from any running stack: with some hundred
// samples two functions differ between the profiles by chance. It is never
// taken from blocked stacks, and from system calls only of its own function.
func (c *offCPU) subtract(emit func(frames []Frame, t tags, ns int64)) (residual float64, missed int64) {
	groups := make([]*group, 0, len(c.groups))
	for _, k := range slices.Sorted(maps.Keys(c.groups)) {
		groups = append(groups, c.groups[k])
	}
	var cpu int64
	leaves := map[string][]*group{}
	for _, g := range groups {
		cpu += g.excess
		g.excess -= g.take(g.excess)
		leaves[g.leaf] = append(leaves[g.leaf], g)
	}
	var excess int64
	for _, leaf := range slices.Sorted(maps.Keys(leaves)) {
		var e int64
		for _, g := range leaves[leaf] {
			e += g.excess
		}
		for _, g := range leaves[leaf] {
			e -= g.take(e)
		}
		excess += e
	}
	excess -= takeEvenly(groups, excess)
	if cpu > 0 {
		residual = float64(excess) / float64(cpu)
	}

	for _, e := range c.blocked.entries {
		emit(e.frames, e.tags, e.values[0])
	}
	for _, g := range groups {
		// What was running without using the CPU waited for one.
		g.emit(emit, tags{state: string(Runnable)}, g.running)
		for _, kind := range record.Waits() {
			g.emit(emit, tags{state: string(Blocked), wait: string(kind)}, g.syscall[kind])
		}
	}
	return residual, excess
}

// take takes up to ns from the group's wall time and returns how much it
// took: running time first.
func (g *group) take(ns int64) int64 {
	took := min(ns, g.running)
	g.running -= took
	for _, kind := range record.Waits() {
		n := min(ns-took, g.syscall[kind])
		g.syscall[kind] -= n
		took += n
	}
	return took
}

// takeEvenly takes up to ns from the running time of all groups, from each in
// proportion, and returns how much it took.
func takeEvenly(groups []*group, ns int64) int64 {
	var running int64
	for _, g := range groups {
		running += g.running
	}
	if running == 0 || ns <= 0 {
		return 0
	}
	ns = min(ns, running)
	share := float64(ns) / float64(running)
	left := ns
	for _, g := range groups {
		n := min(left, int64(math.Floor(share*float64(g.running))))
		g.running -= n
		left -= n
	}
	for _, g := range groups { // what rounding left
		n := min(left, g.running)
		g.running -= n
		left -= n
	}
	return ns - left
}

// emit gives out ns of the group under its heaviest line.
func (g *group) emit(emit func([]Frame, tags, int64), t tags, ns int64) {
	if ns == 0 {
		return
	}
	var best *entry
	for _, e := range g.lines.entries {
		if best == nil || e.values[0] > best.values[0] || e.values[0] == best.values[0] && e.key < best.key {
			best = e
		}
	}
	emit(best.frames, t, ns)
}
