package harness

import (
	"math"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// openLoop readies the slots for ops that arrive at a fixed rate: the times of
// their ops run from when these were due. A pace without a rate changes nothing.
func openLoop(p *pace, slots []*slot) {
	if !p.open {
		return
	}
	for _, s := range slots {
		s.arrivals = p
	}
}

// age returns how long ago an op was due.
func (p *pace) age(op int64) time.Duration { return time.Since(p.start) - p.due(op) }

// arrived notes that an op which took so long since it was due has ended.
func (s *slot) arrived(op int64, age time.Duration) {
	if s.arrivals.due(op)+age <= s.arrivals.time {
		s.inTime++
	}
}

// arrivals returns how many ops are due in the time of an open-loop trial.
func (p *pace) arrivals() int64 {
	return min(int64(math.Ceil(float64(p.time)/p.gap)), p.limit)
}

// offered tells what became of the arrivals of an open-loop trial; nil if it is
// none.
func (p *pace) offered(slots []*slot) *record.Load {
	if !p.open {
		return nil
	}
	l := &record.Load{RatePerSec: 1e9 / p.gap, WindowNs: int64(p.time), Due: p.arrivals()}
	for _, s := range slots {
		l.Done += s.inTime
	}
	return l
}

// mergeLoad adds what a worker did of the arrivals that all workers share.
func mergeLoad(r, o *record.Load) *record.Load {
	if r == nil && o != nil {
		r = &record.Load{RatePerSec: o.RatePerSec, WindowNs: o.WindowNs, Due: o.Due}
	}
	if o != nil {
		r.Done += o.Done
	}
	return r
}
