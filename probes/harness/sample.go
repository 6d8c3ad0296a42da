package harness

import (
	"math"
	"sort"
	"sync/atomic"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// A sampler chooses the ops that are timed: about one in k of them.
//
// Op n is chosen when n times the golden ratio, modulo 1, is below 1/k. Such
// a sequence spreads as evenly as counting to k does, but it has no period,
// so it cannot fall into step with inputs that are cycled.
//
// Its fields are atomics of fixed layout because the processes model keeps
// one in memory that its workers share.
type sampler struct {
	threshold atomic.Uint64 // op n is chosen if n*golden <= threshold
	decided   atomic.Bool   // k is final
	every     atomic.Int64  // k, once decided
	seen      atomic.Int64  // timings noted
	first     [pilotOps]atomic.Int64
}

const (
	// golden is 2^64 divided by the golden ratio (Knuth, The Art of Computer
	// Programming, volume 3, section 6.4).
	golden = 0x9E3779B97F4A7C15
	// pilotOps is how many ops are timed before k is chosen.
	pilotOps = 32
	// clockShare is the most that timing may add to the time of ops.
	clockShare = 0.01
	// maxEvery bounds k, so that a trial of empty ops still times some.
	maxEvery = 1 << 14
)

// fix sets k from the start; with 0 every op is timed until note has seen
// enough to choose.
func (s *sampler) fix(k int64) {
	if k <= 0 {
		s.threshold.Store(math.MaxUint64)
		return
	}
	s.every.Store(k)
	s.threshold.Store(math.MaxUint64 / uint64(k))
	s.decided.Store(true)
}

func (s *sampler) chosen(op int64) bool {
	return uint64(op)*golden <= s.threshold.Load()
}

// note takes the time of one op while k is undecided. The last of the pilot
// chooses k such that cost, spent on every k-th op, is at most share of the
// median op.
func (s *sampler) note(d, cost time.Duration, share float64) {
	i := s.seen.Add(1) - 1
	if i >= pilotOps {
		return
	}
	s.first[i].Store(int64(d) + 1) // so that 0 means: not stored yet
	if i != pilotOps-1 {
		return
	}
	times := make([]int64, 0, pilotOps)
	for j := range s.first {
		if v := s.first[j].Load(); v > 0 {
			times = append(times, v)
		}
	}
	sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
	median := float64(times[len(times)/2])
	k := int64(math.Ceil(float64(cost) / (share * median)))
	s.fix(min(max(k, 1), maxEvery))
}

// clockCost measures what timing one op adds to it: two readings of the clock
// and an entry in a histogram.
func clockCost() time.Duration {
	const rounds = 200
	var h record.Histogram
	best := time.Duration(math.MaxInt64)
	for range 5 {
		begin := time.Now()
		for range rounds {
			t := time.Now()
			h.Record(int64(time.Since(t)))
		}
		best = min(best, time.Since(begin)/rounds)
	}
	return max(best, 1)
}
