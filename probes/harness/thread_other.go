//go:build !linux

package harness

import "time"

// A threadReader reads what can be read of a thread here: no run-queue delay.
type threadReader struct{}

func openThread(m *missing) *threadReader {
	m.add("run-queue delay")
	m.add("CPU time of a thread")
	return &threadReader{}
}

func (*threadReader) delay() time.Duration { return 0 }
func (*threadReader) close()               {}
