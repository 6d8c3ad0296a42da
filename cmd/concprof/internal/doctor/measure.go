package doctor

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// clock measures what reading the clock costs: the median of a few rounds.
func (h Host) clock() Check {
	const name, rounds, reads = "clock", 9, 10_000
	costs := make([]time.Duration, rounds)
	for i := range costs {
		start := time.Now()
		last := start
		for range reads {
			last = time.Now()
		}
		costs[i] = last.Sub(start) / reads
	}
	slices.Sort(costs)
	cost := costs[rounds/2]
	source, err := h.read("sys/devices/system/clocksource/clocksource0/current_clocksource")
	if err != nil {
		source = "an unknown source"
	}
	if cost > h.ClockRead {
		return warn(name, "use the tsc or kvm-clock source; ops are timed less often meanwhile, and p99 needs longer trials",
			"reading it takes %v (%s)", cost, source)
	}
	return ok(name, "reading it takes %v (%s)", cost, source)
}

// wallSampling samples all goroutines 99 times a second, as fgprof does,
// while every core computes, and counts how often it came to it. As in a
// probe, the sampler has a P to spare.
func (h Host) wallSampling(ctx context.Context) Check {
	const name, hz, window = "wall-sampling", 99, 500 * time.Millisecond
	procs := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(procs + 1)
	defer runtime.GOMAXPROCS(procs)
	var done atomic.Bool
	defer done.Store(true)
	for range procs {
		go func() {
			for x := uint64(1); !done.Load(); {
				for range 1000 {
					x = x*6364136223846793005 + 1442695040888963407
				}
				runtime.KeepAlive(x)
			}
		}()
	}
	ticker := time.NewTicker(time.Second / hz)
	defer ticker.Stop()
	records := make([]runtime.StackRecord, 1000)
	start, samples := time.Now(), 0
	for time.Since(start) < window && ctx.Err() == nil {
		<-ticker.C
		runtime.GoroutineProfile(records)
		samples++
	}
	rate := float64(samples) / time.Since(start).Seconds()
	if rate < h.WallHz {
		return warn(name, "stop other programs; profiles get coarser, times stay right",
			"%.0f of %d samples a second with every core busy", rate, hz)
	}
	return ok(name, "%.0f of %d samples a second with every core busy", rate, hz)
}
