package analyzer

import (
	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// demandOf returns the share of its time that an op would compute on an idle
// machine, from one sequential trial:
//
//	max(thread CPU, labelled CPU) / (wall - the thread's run-queue wait)
//	+ children's CPU / wall
//
// where wall is the time of the ops: what max_rate held them apart by is left out.
//
// CPU over wall alone is wrong on a busy host, where a pure loop reads 0.53
// and its run-queue delay 0.47. The labelled CPU counts goroutines that an op
// starts. Measured right in 28 of 28 quiet runs and in 24 of 28 beside two
// busy neighbours, never CPU for I/O or the reverse.
func demandOf(r *record.Record) float64 {
	if r.WallNs <= 0 {
		return 0
	}
	cpu, runnable := opCPU(r)
	wall := opsNs(r)
	// What a thread computed and what it waited cannot exceed how long it
	// lived; clocks of different grain sometimes say so.
	least := 1.0
	if r.Thread != nil {
		least = max(least, float64(r.Thread.CPUNs))
	}
	return cpu/max(wall-runnable, least) + float64(r.CPU.ChildrenNs)/wall
}

// opsNs returns the time for which an op was in flight in a trial that runs one
// at a time: its wall time without what max_rate held the next op back.
func opsNs(r *record.Record) float64 {
	if t := r.Thread; t != nil {
		return float64(max(r.WallNs-t.PausedNs, 1))
	}
	return float64(r.WallNs)
}

// sampleNs is the CPU time behind a sample of Go's CPU profile, which is taken a
// hundred times a second.
const sampleNs = 1e7

// opCPU returns the CPU time of the ops of a sequential trial, children
// apart, and the run-queue delay of their thread. Without a thread's own
// clocks those of the process stand in.
//
// Of CPython the labelled CPU time is an estimate from samples, which tend to
// be taken when the interpreter stands still: it checks clocks, it is none. The
// threads that an op starts, in a library for linear algebra, say, show in the
// clock of the process, which has no others that compute.
func opCPU(r *record.Record) (cpu, runnable float64) {
	// Children's time and the process's are read one after the other.
	process := max(r.CPU.UserNs+r.CPU.SystemNs-r.CPU.ChildrenNs, 0)
	if t := r.Thread; t != nil && r.Python != nil {
		return float64(max(t.CPUNs, process-t.PausedCPUNs)), float64(t.RunnableNs)
	} else if t != nil {
		labelled := t.LabelledNs
		if t.PausedNs > 0 && labelled < t.CPUNs+2*sampleNs {
			labelled = 0 // a sample more or less is much of the few ops that max_rate lets run
		}
		return float64(max(t.CPUNs, labelled)), float64(t.RunnableNs)
	}
	return float64(process), float64(r.CPU.RunnableNs)
}

// queued returns how much of the time for which the op's thread was blocked, in
// ns, may have been queueing for a processor. It is next to nothing on a quiet
// host.
//
// A blocked thread is woken by another one of the process: the one that sees a
// timer expire or a socket become ready, that ends a garbage collection or a
// stop of the world, or the goroutine that the op waits for. Where that thread
// is itself waiting for a processor, the op waits for a processor too, but its
// own clock calls it blocked. So much of the blocked time may be of that kind:
// no more than all other threads waited, and no more than HandOvers times what
// the op's own thread waited, for each time that it is woken it queues like
// those before it. The second does not bound an op that computes on goroutines
// of its own and waits for them: those do the queueing. How long a child
// queued is not known at all once it has ended: beside other programs all of
// the time for which an op waits for a child that computes may be of that kind.
func (o Options) queued(r *record.Record) float64 {
	t := r.Thread
	if t == nil || r.WallNs <= 0 {
		return 0
	}
	cpu, runnable := opCPU(r)
	wall := opsNs(r)
	blocked := max(wall-runnable-cpu-float64(r.CPU.ChildrenNs), 0)
	others := max(float64(r.CPU.RunnableNs)-runnable, 0)
	queued := min(blocked, others)
	if elsewhere := float64(t.LabelledNs - t.CPUNs); elsewhere < o.ClockDiff*wall {
		queued = min(queued, o.HandOvers*runnable)
	}
	if r.CPU.ChildrenNs > 0 && float64(r.CPU.ChildrenNs) >= o.ClockDiff*wall && r.Host != nil && r.Host.ForeignShare > o.MaxForeign {
		queued = blocked
	}
	return queued
}

// demandAtMost returns the demand if the op's thread was blocked no longer than
// it can be shown to have been.
func (o Options) demandAtMost(r *record.Record) float64 {
	queued := o.queued(r)
	if queued <= 0 {
		return demandOf(r)
	}
	cpu, runnable := opCPU(r)
	wall := opsNs(r)
	return cpu/max(wall-runnable-queued, float64(r.Thread.CPUNs), 1) + float64(r.CPU.ChildrenNs)/max(wall-queued, 1)
}

// A demand is what the classifying trials say of a workload. Its interval goes
// from the lower bound of what the clocks read to the upper one of what they
// leave possible.
type demand struct {
	stats.Interval // unscaled
	scaled         stats.Interval
}

// A scale maps a demand to where it lies between the runtime's two controls:
// 0 for pure waiting, 1 for pure computing.
type scale struct{ wait, cpu float64 }

func (s scale) at(d float64) float64 {
	if s.cpu-s.wait < 0.5 {
		return max(d, 0) // controls that do not differ calibrate nothing
	}
	return max((d-s.wait)/(s.cpu-s.wait), 0)
}

func (o Options) demand(fs []plan.Finished, s scale) demand {
	in := stats.MedianInterval(values(fs, demandOf), o.Level)
	in.High = max(in.High, stats.MedianInterval(values(fs, o.demandAtMost), o.Level).High)
	sc := in
	sc.Value, sc.Low, sc.High = s.at(in.Value), s.at(in.Low), s.at(in.High)
	return demand{Interval: in, scaled: sc}
}
