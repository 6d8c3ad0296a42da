package pyread

import "time"

// A pace keeps the reader below its share of a core: it predicts what a look
// costs from what the last ones did, and lowers first the number of threads
// that are looked at, then the rate.
type pace struct {
	aim    time.Duration // between looks
	budget float64       // share of a core
	period time.Duration // between looks, as it is now

	first  time.Duration // CPU time at the start
	last   time.Duration // and at the end of the last look
	fixed  float64       // ns a look, apart from the threads; a moving average
	thread float64       // ns a thread looked at
	looks  int           // that cost something
}

func newPace(o Options) pace {
	aim := time.Duration(float64(time.Second) / o.Hz)
	return pace{aim: aim, period: aim, budget: o.MaxShare}
}

// begin tells the CPU time at the start.
func (p *pace) begin(cpu time.Duration) { p.first, p.last = cpu, cpu }

// fewest is the least number of threads that a look is worth; tryout that of
// the first looks, which find out what a thread costs.
const (
	fewest = 8
	tryout = 32
)

// The reader aims at reserve of its share, as costs vary, and makes good
// within payback looks for what it has used too much, such as for the first
// look at threads, which opens their files and reads their code.
const (
	reserve = 0.9
	payback = 20
)

// share returns the share of n threads to look at, and sets the period; now is
// the time since the start.
func (p *pace) share(n int, now time.Duration) float64 {
	if p.looks < 2 || n == 0 {
		return min(1, tryout/float64(max(n, 1)))
	}
	overdrawn := max(0, float64(p.last-p.first)-reserve*p.budget*float64(now))
	cost := p.fixed + overdrawn/payback
	k := float64(n)
	if can := (reserve*p.budget*float64(p.aim) - cost) / max(p.thread, 1); can < k {
		k = max(can, min(k, fewest))
	}
	p.period = max(p.aim, time.Duration((cost+k*p.thread)/(reserve*p.budget)))
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
	// The first look is not typical. Later ones that are not are bounded: what
	// they cost too much is paid back all the same.
	if p.looks++; p.looks <= 2 {
		p.fixed, p.thread = fixed, each
		return
	}
	p.fixed += smooth * (min(fixed, 4*p.fixed) - p.fixed)
	p.thread += smooth * (min(each, 4*p.thread) - p.thread)
}
