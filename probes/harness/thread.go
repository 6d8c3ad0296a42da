package harness

import "time"

// A threadReading is where the clocks of one thread stand, and those of the
// children that have been waited for.
type threadReading struct {
	at       time.Time
	cpu      time.Duration // of the thread
	runnable time.Duration // that it waited for a processor
	children time.Duration // CPU time of children
}

// read reads the clocks of the calling thread, to which its goroutine must be
// locked, and which must have opened r.
func (r *threadReader) read() threadReading {
	var t threadReading
	t.runnable = r.delay()
	children := readCounters(rusageChildren)
	t.children = time.Duration(children.userNs + children.systemNs)
	t.cpu = threadCPU()
	t.at = time.Now()
	return t
}

// A threadSpan is what the clocks of a thread moved by, summed over some times.
type threadSpan struct{ wall, cpu, runnable time.Duration }

func (s *threadSpan) add(from, to threadReading) {
	s.wall += to.at.Sub(from.at)
	s.cpu += to.cpu - from.cpu
	s.runnable += to.runnable - from.runnable
}
