package harness

import (
	"math"
	"time"
)

// A source hands out the numbers of the ops to run: 0, 1, 2 and so on,
// without gaps, and then none.
type source interface {
	take() (op int64)
}

// none is what a source hands out when no more ops are to start.
const none = -1

// checksPerTrial is how often in a trial of a given time the clock is read to
// see whether the time is up: a trial overshoots by about 1/checksPerTrial,
// or by one op.
const checksPerTrial = 256

// A feed is a source for one goroutine. Its common path is one comparison:
// the clock is read only when checkAt is reached.
type feed struct {
	next    int64
	checkAt int64
	pace    pace
}

// A pace decides until when ops start, and how fast.
type pace struct {
	limit int64         // ops from this number on never start
	min   int64         // so many start even if the time is up
	time  time.Duration // 0: only limit counts
	gap   float64       // nanoseconds between starts; 0: as fast as they can
	open  bool          // ops arrive at the gap, whether or not they can start
	start time.Time
	// rest waits until the next op is due, where ops run one at a time and somebody
	// looks at the clocks meanwhile; nil sleeps.
	rest func(time.Duration)
}

func newPace(s *Spec) pace {
	p := pace{limit: math.MaxInt64, min: s.MinOps, time: time.Duration(s.ForNs)}
	switch {
	case s.Mode == ModeDry:
		p.limit, p.time = 1, 0
	case s.Ops > 0:
		p.limit, p.time = s.Ops, 0
	case s.MaxOps > 0:
		p.limit = s.MaxOps
	}
	if s.MaxRate > 0 {
		p.gap = 1e9 / s.MaxRate
	}
	if s.Rate > 0 {
		p.open, p.gap = true, 1e9/s.Rate
		if s.Ops > 0 {
			p.time = time.Duration(math.Round(float64(s.Ops) * p.gap))
		}
	}
	return p
}

func newFeed(p pace) *feed { return &feed{pace: p} }

func (f *feed) take() int64 {
	if f.next >= f.checkAt {
		return f.ask()
	}
	f.next++
	return f.next - 1
}

// ask finds out whether the next op may start, and up to which op it need
// not be asked again.
func (f *feed) ask() int64 {
	ok, checkAt := f.pace.admit(f.next)
	if !ok {
		return none
	}
	f.checkAt = checkAt
	f.next++
	return f.next - 1
}

// admit reports whether op may start, waiting until it is due, and the number
// of the op before which it wants to be asked again.
func (p *pace) admit(op int64) (ok bool, checkAt int64) {
	if op >= p.limit {
		return false, op
	}
	if p.gap > 0 {
		due := p.due(op)
		if p.time > 0 && due >= p.time && op >= p.min {
			return false, op
		}
		if wait := due - time.Since(p.start); wait > 0 {
			p.wait(wait)
		}
	}
	if p.time <= 0 {
		if p.gap > 0 {
			return true, op + 1
		}
		return true, p.limit
	}
	passed := time.Since(p.start)
	if passed >= p.time && op >= p.min {
		return false, op
	}
	if p.gap > 0 || passed <= 0 {
		return true, op + 1
	}
	return true, min(op+p.stride(op, passed), p.limit)
}

func (p *pace) wait(d time.Duration) {
	if p.rest != nil {
		p.rest(d)
		return
	}
	time.Sleep(d)
}

// due returns when op is to start at the earliest.
func (p *pace) due(op int64) time.Duration { return time.Duration(float64(op) * p.gap) }

// stride returns how many more ops may start before the clock is read again,
// when so many have started in the time that has passed: as many as start in
// 1/checksPerTrial of the trial's time at that rate, but at most as many
// again, because the first ops are the slowest.
func (p *pace) stride(ops int64, passed time.Duration) int64 {
	n := int64(float64(ops) / float64(passed) * float64(p.time) / checksPerTrial)
	return max(1, min(n, ops))
}
