//go:build !linux

package runner

import "time"

// takeSample reads nothing: the counters are not available here, and the
// record says so.
func takeSample() sample {
	return sample{at: time.Now(), busy: -1, all: -1, pressure: -1, throttled: -1}
}
