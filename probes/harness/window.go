package harness

import (
	"runtime"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A window is what is observed between the start of the first op and the end
// of the last. Counters are read at both ends; only states, which have no
// counter, are polled in between.
type window struct {
	usage      usage
	delays     delays
	runtime    *runtimeReading
	goroutines int
	processors int // GOMAXPROCS
	openFiles  int
	poll       *poller
	lag        *lagMeter
	missing    missing
}

// openWindow notes where all counters stand. It is the last thing done
// before the ops begin.
func openWindow(s *Spec) *window {
	w := &window{}
	w.poll = startPoller(&w.missing)
	if s.Model == model.EventLoop {
		w.lag = startLagMeter()
	}
	w.goroutines = runtime.NumGoroutine()
	w.processors, w.openFiles = runtime.GOMAXPROCS(0), openFiles()
	w.runtime = readRuntime(&w.missing)
	w.delays = readDelays(&w.missing)
	w.usage = readUsage()
	return w
}

// close enters what was gained since into r. What the ops had in flight must
// have ended; release ends what the harness keeps open for them, once the
// clocks have been read.
func (w *window) close(r *record.Record, release func()) {
	gained := readUsage().minus(w.usage)
	r.CPU = gained.cpu()
	r.CPU.RunnableNs = readDelays(&w.missing).since(w.delays)
	r.Memory.MinorFaults = gained.self.minorFaults + gained.children.minorFaults
	r.Memory.MajorFaults = gained.self.majorFaults + gained.children.majorFaults

	r.Runtime = readRuntime(&w.missing).since(w.runtime)
	release()
	r.Runtime.GoroutinesAt = left(w.goroutines)
	r.Runtime.GoMaxProcsBefore = w.processors
	r.Runtime.OpenFilesBefore, r.Runtime.OpenFilesAfter = w.openFiles, openFiles()
	w.poll.stop(r.Runtime)
	if w.lag != nil {
		r.Loop = w.lag.stop()
	}
	status := readStatus(&w.missing)
	r.Memory.PeakRSSBytes = status.peakRSS
	r.Threads = max(status.threads, w.poll.threads)
	r.Missing = append(r.Missing, w.missing.names...)
}

// leftGrace is how long goroutines that have done all their work may take to
// disappear before they count as left behind.
const leftGrace = 5 * time.Millisecond

// left returns how many goroutines there are beyond those before the ops.
func left(before int) int64 {
	deadline := time.Now().Add(leftGrace)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(leftGrace / 10)
	}
	return int64(max(0, runtime.NumGoroutine()-before))
}

// missing collects what could not be measured here, each thing once.
type missing struct{ names []string }

func (m *missing) add(name string) {
	for _, n := range m.names {
		if n == name {
			return
		}
	}
	m.names = append(m.names, name)
}
