package harness

import (
	"os"
	"time"
)

// A threadReader reads the clocks of the thread that opened it.
type threadReader struct {
	schedstat *os.File
	buf       [96]byte
}

func openThread(m *missing) *threadReader {
	f, err := os.Open("/proc/thread-self/schedstat")
	if err != nil {
		m.add(missingDelay)
		return &threadReader{}
	}
	return &threadReader{schedstat: f}
}

func (r *threadReader) delay() time.Duration {
	if r.schedstat == nil {
		return 0
	}
	n, _ := r.schedstat.ReadAt(r.buf[:], 0) // ends with io.EOF
	wait, _ := parseDelay(r.buf[:n])
	return time.Duration(wait)
}

func (r *threadReader) close() {
	if r.schedstat != nil {
		r.schedstat.Close()
	}
}
