package harness

import (
	"runtime/metrics"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// pollEvery is the time between two looks at the states of goroutines. The
// runtime keeps them as counters, so a look costs the same for any number.
const pollEvery = 10 * time.Millisecond

// The states of goroutines (since Go 1.26), in the order in which a poller
// keeps them, and the number of threads.
var polledMetrics = []string{
	"/sched/goroutines/running:goroutines",
	"/sched/goroutines/runnable:goroutines",
	"/sched/goroutines/waiting:goroutines",
	"/sched/goroutines/not-in-go:goroutines",
	"/sched/threads/total:threads",
}

// A poller sums up the states of goroutines while the ops run.
type poller struct {
	quit, done chan struct{}
	samples    []metrics.Sample
	sums       []float64
	polls      int64
	threads    int // most seen
}

// startPoller returns a poller that polls nothing if this release of Go does
// not count the states.
func startPoller(m *missing) *poller {
	p := &poller{quit: make(chan struct{}), done: make(chan struct{})}
	p.samples = make([]metrics.Sample, len(polledMetrics))
	p.sums = make([]float64, len(polledMetrics))
	for i, name := range polledMetrics {
		p.samples[i].Name = name
	}
	metrics.Read(p.samples)
	for _, s := range p.samples {
		if s.Value.Kind() != metrics.KindUint64 {
			m.add("metric " + s.Name)
			close(p.done)
			return p
		}
	}
	go p.run()
	return p
}

func (p *poller) run() {
	defer close(p.done)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-tick.C:
			p.look()
		}
	}
}

func (p *poller) look() {
	metrics.Read(p.samples)
	for i, s := range p.samples {
		p.sums[i] += float64(s.Value.Uint64())
	}
	p.polls++
	p.threads = max(p.threads, int(p.samples[4].Value.Uint64()))
}

// stop ends the polling and enters the means into r.
func (p *poller) stop(r *record.Runtime) {
	close(p.quit)
	<-p.done
	r.Polls = p.polls
	if p.polls == 0 {
		return
	}
	n := float64(p.polls)
	r.Running, r.Runnable = p.sums[0]/n, p.sums[1]/n
	r.Waiting, r.NotInGo = p.sums[2]/n, p.sums[3]/n
}
