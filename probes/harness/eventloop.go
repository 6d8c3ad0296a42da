package harness

import (
	"time"

	"github.com/concprof/concprof/probes/record"
)

// lagEvery is how often the loop's timer is meant to fire.
const lagEvery = 10 * time.Millisecond

// A lagMeter is a timer of the event loop's own: how late it fires is how
// late everything else in the loop is.
type lagMeter struct {
	quit, done chan struct{}
	lags       record.Histogram
}

func startLagMeter() *lagMeter {
	l := &lagMeter{quit: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

func (l *lagMeter) run() {
	defer close(l.done)
	timer := time.NewTimer(lagEvery)
	defer timer.Stop()
	due := time.Now().Add(lagEvery)
	for {
		select {
		case <-l.quit:
			return
		case <-timer.C:
			l.lags.Record(int64(time.Since(due)))
			due = time.Now().Add(lagEvery)
			timer.Reset(lagEvery)
		}
	}
}

func (l *lagMeter) stop() *record.Loop {
	close(l.quit)
	<-l.done
	return &record.Loop{
		LagP50Ns: l.lags.Quantile(0.50),
		LagP99Ns: l.lags.Quantile(0.99),
		LagMaxNs: l.lags.Max,
		Samples:  l.lags.N,
	}
}
