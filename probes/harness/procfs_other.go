//go:build !linux

package harness

import "runtime/pprof"

func readDelays(m *missing) delays {
	m.add("run-queue delay")
	return nil
}

// readStatus counts the threads that were ever made.
func readStatus(m *missing) status {
	s := status{peakRSS: maxRSS()}
	if s.peakRSS == 0 {
		m.add("peak memory")
	}
	if p := pprof.Lookup("threadcreate"); p != nil {
		s.threads = p.Count()
	}
	return s
}

// openFiles cannot tell here.
func openFiles() int { return 0 }
