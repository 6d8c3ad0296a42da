package analyzer

import (
	"fmt"
	"maps"
	"slices"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// keepMemory is how the C library's allocator is told to keep large blocks.
const keepMemory = "compare with MALLOC_MMAP_THRESHOLD_=4194304 and MALLOC_TRIM_THRESHOLD_=67108864 under env: with them the C library keeps large blocks instead of mapping them anew (python/cpython#85451)"

// doubtPython names the artefacts of CPython's models.
func (j *judgement) doubtPython(base *Cell) {
	j.doubtLessCPU(base)
	j.doubtRecv(base)
	j.doubtHandOver(base)
	said := make(map[string]bool)
	for _, fs := range j.load.slots {
		for _, f := range fs {
			if p := f.Record.Python; p != nil && p.Approximate != "" {
				said[p.Approximate] = true
			}
		}
	}
	for _, why := range slices.Sorted(maps.Keys(said)) {
		j.warnOf(WarnReader, "class, times and recommendation rest on clocks and are not affected; who holds the GIL is not known", "the interpreter was not sampled from outside, so where time goes is approximate", "%s", why)
	}
}

// doubtLessCPU names models under which the same op takes less CPU time than
// under sequential: so much of their speedup is no parallelism, but the
// allocator's or a cache's doing, and may vanish with it.
func (j *judgement) doubtLessCPU(base *Cell) {
	best := make(map[model.Model]Cell)
	for _, c := range j.out.Cells {
		if c.Trials == 0 || c.CPUNsPerOp <= 0 || c.Model == model.Sequential || base.CPUNsPerOp <= j.o.CPUPerOp*c.CPUNsPerOp {
			continue
		}
		if b, ok := best[c.Model]; !ok || c.CPUNsPerOp < b.CPUNsPerOp {
			best[c.Model] = c
		}
	}
	for _, m := range model.All() {
		if c, ok := best[m]; ok {
			j.warnOf(WarnLessCPU, keepMemory,
				"the same op takes less CPU time than under sequential, so that part of the speedup is not parallelism",
				"%s, %s", setupOf(&c), times(base.CPUNsPerOp/c.CPUNsPerOp))
		}
	}
}

// doubtRecv names the event loop where it spends most of its CPU time in the
// kernel, clearly more than sequential does, while ops wait for the network:
// asyncio reads into a new block of 256 KiB each time, which the C library maps
// and unmaps.
func (j *judgement) doubtRecv(base *Cell) {
	if kind, _ := leading(j.out.Waits); kind != record.Network {
		return
	}
	system := func(fs []plan.Finished) (perOp, share float64) {
		perOp = stats.Median(values(fs, func(r *record.Record) float64 { return float64(r.CPU.SystemNs) / float64(max(r.Ops, 1)) }))
		return perOp, perOp / max(stats.Median(values(fs, cpuPerOp)), 1)
	}
	alone, _ := system(j.result(j.load.baseline()).timing)
	for i := range j.results {
		x := &j.results[i]
		if x.cell.Model != model.EventLoop || len(x.timing) == 0 {
			continue
		}
		if perOp, share := system(x.timing); share >= j.o.SystemShare && perOp >= j.o.CPUPerOp*alone && base.Trials > 0 {
			j.warnOf(WarnRecv, keepMemory, "system time is high in recv: asyncio's reads may map memory each time",
				"%s, %.0f %% of the CPU time", setupOf(&j.out.Cells[i]), 100*share)
		}
	}
}

// doubtHandOver names models whose own cost dominates an op so short.
func (j *judgement) doubtHandOver(base *Cell) {
	least := min(j.o.Granularity, 1-j.out.NoiseFloor) * base.OpsPerSec.Median
	op := 1e9 / base.OpsPerSec.Median // ns
	for i := range j.results {
		x := &j.results[i]
		cost := j.o.HandOverProcess
		switch x.cell.Model {
		case model.Threads:
			cost = j.o.HandOverThread
		case model.Pool, model.Processes, model.Subinterpreters:
		default:
			continue
		}
		if r := x.rate(); x.cell.Concurrency == 1 && r > 0 && r < least && op*(1-j.o.Granularity) < float64(cost) {
			j.warnOf(WarnGranularity, "give each op more to do: hand out batches, as with the chunksize of pool.map",
				fmt.Sprintf("an op is so short (%s) that handing it over one at a time costs more than it gains", quantity.Duration(op)),
				"%s does %.0f %% of what sequential does", setupOf(&j.out.Cells[i]), 100*r/base.OpsPerSec.Median)
		}
	}
}
