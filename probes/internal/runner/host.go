package runner

import (
	"time"

	"github.com/concprof/concprof/probes/record"
)

// A sample is the state of the host's counters at one moment. A field that
// could not be read is -1.
type sample struct {
	at               time.Time
	busy, all, steal time.Duration // of all processors, since the host's start
	own              time.Duration // CPU time of this process
	pressure         time.Duration // that some task waited for a processor
	throttled        time.Duration // that the cgroup's quota stopped its tasks
}

// between says what else the host did between two samples, during which the
// trial and the servers used so much CPU time.
func between(a, b sample, trial, servers time.Duration) (h record.Host, missing []string) {
	if all := b.all - a.all; a.all >= 0 && b.all >= 0 && all > 0 {
		busy := b.busy - a.busy
		h.ForeignShare = share(busy-trial-servers-(b.own-a.own), all)
		h.StealShare = share(b.steal-a.steal, all)
	} else {
		missing = append(missing, "foreign CPU time", "steal")
	}
	if a.pressure >= 0 && b.pressure >= 0 {
		h.PressureShare = share(b.pressure-a.pressure, b.at.Sub(a.at))
	} else {
		missing = append(missing, "CPU pressure")
	}
	if a.throttled >= 0 && b.throttled >= 0 {
		h.ThrottledNs = max(0, int64(b.throttled-a.throttled))
	} else {
		missing = append(missing, "CPU throttling")
	}
	return h, missing
}

// share returns part/whole, held to 0 to 1: the counters tick at 100 Hz and
// are not read at once.
func share(part, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return min(max(float64(part)/float64(whole), 0), 1)
}
