package pyread

import "time"

// A pace keeps the reader below its share of a core: it predicts what a look
// costs from what the last ones did, and lowers first the number of threads
// that are looked at, then the rate.
type pace struct {
	aim    time.Duration // between looks
	budget float64       // share of a core
	period time.Duration // between looks, as it is now

	last   time.Duration // CPU time at the end of the last look
	fixed  float64       // ns a look, apart from the threads; a moving average
	thread float64       // ns a thread looked at
	known  bool
}

func newPace(o Options) pace {
	aim := time.Duration(float64(time.Second) / o.Hz)
	return pace{aim: aim, period: aim, budget: o.MaxShare}
}

// begin tells the CPU time at the start.
func (p *pace) begin(cpu time.Duration) { p.last = cpu }

// fewest is the least number of threads that a look is worth.
const fewest = 8

// share returns the share of n threads to look at, and sets the period.
func (p *pace) share(n int) float64 {
	if !p.known || n == 0 {
		return 1
	}
	affordable := func(period time.Duration) float64 {
		return (p.budget*float64(period) - p.fixed) / max(p.thread, 1)
	}
	k := float64(n)
	if can := affordable(p.aim); can < k {
		k = max(can, min(k, fewest))
	}
	p.period = max(p.aim, time.Duration((p.fixed+k*p.thread)/p.budget))
	return k / float64(n)
}

// smooth is the weight of the newest look in the averages: ten looks count.
const smooth = 0.1

// spent tells what a look at some of the threads cost: the CPU time when the
// threads had been listed, and at its end.
func (p *pace) spent(listed, end time.Duration, looked, threads int) {
	fixed := float64(listed - p.last)
	p.last = end
	if looked == 0 {
		return
	}
	each := float64(end-listed) / float64(looked)
	if !p.known {
		// The first look at threads opens their files and reads their code.
		p.known, p.fixed, p.thread = true, fixed, each
		return
	}
	p.fixed += smooth * (fixed - p.fixed)
	p.thread += smooth * (each - p.thread)
}
