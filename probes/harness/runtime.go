package harness

import (
	"math"
	"runtime"
	"runtime/metrics"

	"github.com/concprof/concprof/probes/record"
)

// The counters of runtime/metrics that are read at both ends of the window.
const (
	metricGCCPU     = "/cpu/classes/gc/total:cpu-seconds"
	metricGCIdle    = "/cpu/classes/gc/mark/idle:cpu-seconds"
	metricGCCycles  = "/gc/cycles/total:gc-cycles"
	metricAllocs    = "/gc/heap/allocs:bytes"
	metricMutexWait = "/sync/mutex/wait/total:seconds"
	metricLatencies = "/sched/latencies:seconds"
)

// runtimeReading is one reading of them. A metric that this release of Go
// does not have is missing from it.
type runtimeReading struct {
	values map[string]metrics.Value
}

func readRuntime(m *missing) *runtimeReading {
	names := []string{metricGCCPU, metricGCIdle, metricGCCycles, metricAllocs, metricMutexWait, metricLatencies}
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	r := &runtimeReading{values: make(map[string]metrics.Value)}
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindBad {
			m.add("metric " + s.Name)
			continue
		}
		r.values[s.Name] = s.Value
	}
	return r
}

// since returns what was gained after before was read.
func (r *runtimeReading) since(before *runtimeReading) *record.Runtime {
	out := &record.Runtime{
		GoMaxProcs:  runtime.GOMAXPROCS(0),
		GCCPUNs:     r.collecting(before),
		GCIdleNs:    r.seconds(before, metricGCIdle),
		GCCycles:    r.count(before, metricGCCycles),
		AllocBytes:  r.count(before, metricAllocs),
		MutexWaitNs: r.seconds(before, metricMutexWait),
	}
	if now, ok := r.values[metricLatencies]; ok {
		then, ok := before.values[metricLatencies]
		if ok {
			h, o := now.Float64Histogram(), then.Float64Histogram()
			out.SchedP50Ns = quantile(h, o, 0.50)
			out.SchedP99Ns = quantile(h, o, 0.99)
		}
	}
	return out
}

// collecting returns the CPU time, in nanoseconds, that garbage collection took
// from the ops. Marking on a P that had nothing else to do is in the total but
// took nothing from them; a release of Go that does not count it apart cannot
// tell, and says 0.
func (r *runtimeReading) collecting(before *runtimeReading) int64 {
	if _, ok := r.values[metricGCIdle]; !ok {
		return 0
	}
	return max(0, r.seconds(before, metricGCCPU)-r.seconds(before, metricGCIdle))
}

func (r *runtimeReading) seconds(before *runtimeReading, name string) int64 {
	now, ok := r.values[name]
	then, ok2 := before.values[name]
	if !ok || !ok2 {
		return 0
	}
	return int64((now.Float64() - then.Float64()) * 1e9)
}

func (r *runtimeReading) count(before *runtimeReading, name string) int64 {
	now, ok := r.values[name]
	then, ok2 := before.values[name]
	if !ok || !ok2 {
		return 0
	}
	return int64(now.Uint64() - then.Uint64())
}

// quantile returns a quantile of the values that now has and before has not,
// in nanoseconds: the upper bound of its bucket, or the lower one of the last
// bucket, which is open.
func quantile(now, before *metrics.Float64Histogram, q float64) int64 {
	if len(now.Counts) != len(before.Counts) {
		return 0
	}
	var total uint64
	for i := range now.Counts {
		total += now.Counts[i] - before.Counts[i]
	}
	if total == 0 {
		return 0
	}
	rank := uint64(math.Ceil(q * float64(total)))
	var seen uint64
	for i := range now.Counts {
		seen += now.Counts[i] - before.Counts[i]
		if seen < rank {
			continue
		}
		bound := now.Buckets[i+1]
		if math.IsInf(bound, 1) {
			bound = now.Buckets[i]
		}
		return int64(max(bound, 0) * 1e9)
	}
	return 0
}
