package pyread

import (
	"testing"
	"time"
)

// TestPace simulates looks of known cost.
func TestPace(t *testing.T) {
	tests := []struct {
		name          string
		threads       int
		fixed, thread time.Duration
		hz            float64 // the least rate that is expected
	}{
		{"few threads", 4, 50 * time.Microsecond, 20 * time.Microsecond, 99},
		{"many threads", 140, 100 * time.Microsecond, 20 * time.Microsecond, 95},
		{"lists alone are too much", 4000, 2 * time.Millisecond, 20 * time.Microsecond, 15},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPace(Options{}.WithDefaults())
			p.begin(0)
			var now, cpu time.Duration
			looks := 0
			for ; now < 20*time.Second; looks++ {
				share := p.share(tt.threads, now)
				looked := int(share * float64(tt.threads))
				listed := cpu + tt.fixed
				cpu = listed + time.Duration(looked)*tt.thread
				if looks == 0 {
					cpu += 20 * time.Millisecond
				}
				p.spent(listed, cpu, looked, tt.threads)
				now += p.period
			}
			used, hz := cpu.Seconds()/now.Seconds(), float64(looks)/now.Seconds()
			if used > 0.05 || hz < tt.hz {
				t.Errorf("used %.3f of a core at %.0f looks a second", used, hz)
			}
		})
	}
}
