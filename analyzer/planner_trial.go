package analyzer

import (
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
)

// parallelism is how many ops a model can compute at one instant.
func parallelism(m model.Model, cores int) float64 {
	if m == model.Sequential || m == model.EventLoop {
		return 1
	}
	return float64(cores)
}

// rate is the throughput that a guess lets a cell expect, in ops a second: as
// many in flight as it has, bounded by the processors and by what is serial.
func (g guess) rate(c plan.Cell, l *load) float64 {
	r := float64(c.Concurrency) / g.wallNs
	if g.cpuNs > 0 {
		r = min(r, parallelism(c.Model, l.cores)/g.cpuNs)
	}
	if g.serial > 0 && !apart(c.Model) {
		r = min(r, 1/(g.serial*g.wallNs))
	}
	if g.gil > 0 && l.sharesGIL(c.Model) {
		r = min(r, 1/(g.gil*g.wallNs))
	}
	if l.w.MaxRate > 0 {
		r = min(r, l.w.MaxRate/1e9)
	}
	return r * 1e9
}

// bounded is the throughput to expect of cells: no more than arrives, where ops
// arrive at a rate.
func (g guess) bounded(l *load) func(plan.Cell) float64 {
	return func(c plan.Cell) float64 {
		r := g.rate(c, l)
		if l.open() {
			r = min(r, l.w.Rate)
		}
		return r
	}
}

// rounds returns how long a cell needs, in ns, for so many ops per op in
// flight at a rate.
func rounds(n int64, c plan.Cell, rate float64) int64 {
	if rate <= 0 {
		return 0
	}
	return int64(float64(n*int64(c.Concurrency)) * 1e9 / rate)
}

// timed makes a trial of a cell that lasts about forNs. Where the workload
// bounds the ops of the whole run, it is a number of ops instead, because a
// number can be promised and a time cannot; share is the part of that bound
// which the trial may use. It reports false when the bound cannot hold it.
func (l *load) timed(t plan.Trial, rate float64, forNs, minOps int64, share float64) (*plan.Trial, bool) {
	if l.open() && t.Pass == plan.Pilot {
		t.Ops = l.arrivals(forNs)
		if l.w.MaxOps > 0 {
			t.Ops = max(min(t.Ops, int64(share*float64(l.w.MaxOps))), 1)
		}
		return &t, t.Ops <= l.opsLeft()
	}
	if l.w.MaxOps <= 0 {
		t.ForNs, t.MinOps = forNs, minOps
		return &t, true
	}
	most := min(int64(share*float64(l.w.MaxOps)), l.opsLeft())
	t.Ops = max(min(int64(rate*float64(forNs)/1e9), most), int64(t.Cell.Concurrency), 1)
	return &t, t.Ops <= l.opsLeft()
}

// opsLeft is what the workload's bound on ops leaves.
func (l *load) opsLeft() int64 {
	if l.w.MaxOps <= 0 {
		return 1 << 62
	}
	return l.w.MaxOps - l.most
}

// offload tells which steps hybrid sends through the permits: those that are
// CPU-bound by themselves. It is nil where that is none or all of them.
func (v *view) offload(l *load) []bool {
	steps := v.o.steps(l.counted(l.baseline(), plan.Classify, v.o), v.scale())
	var off []bool
	n := 0
	for _, s := range steps {
		off = append(off, s.Offload)
		if s.Offload {
			n++
		}
	}
	if n == 0 || n == len(steps) {
		return nil
	}
	return off
}
