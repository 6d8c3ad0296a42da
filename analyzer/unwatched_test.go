package analyzer

import (
	"testing"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A watched is a classifying trial, a plain one an unprofiled trial of the same
// op: ms and ops.
type (
	watched struct{ wall, cpu, labelled, ready, ops int64 }
	plain   struct{ wall, process, gc, ops int64 }
)

// demangling is a pure function that allocates 8 KB, 300 collections a second, as
// two cores measured it: on a thread of its own it is blocked for a quarter of its
// time, at hand-overs, and takes 1.7 times as long.
var demangling = struct {
	watched []watched
	plain   []plain
}{
	[]watched{{343, 221, 220, 43, 28281}, {380, 244, 240, 33, 29310}, {379, 247, 240, 33, 30935}, {379, 241, 230, 40, 28966}, {378, 247, 210, 40, 31608}, {379, 247, 220, 39, 29214}},
	[]plain{{95, 104, 7, 14161}, {101, 112, 7, 14161}, {109, 126, 8, 14161}, {105, 117, 7, 14161}, {103, 110, 7, 14161}, {96, 108, 7, 14161}},
}

// pingPong waits 200 times for a goroutine that it has not started and that
// computes as much as it does.
var pingPong = struct {
	watched []watched
	plain   []plain
}{
	[]watched{{313, 86, 90, 51, 41}, {325, 78, 130, 39, 47}, {327, 81, 120, 37, 49}, {328, 94, 120, 22, 38}, {327, 80, 90, 33, 43}, {332, 78, 90, 34, 45}},
	[]plain{{96, 108, 0, 42}, {105, 107, 0, 42}, {98, 103, 0, 42}, {99, 104, 0, 42}, {97, 103, 0, 42}, {99, 105, 0, 42}},
}

// TestMendDemand holds what the unprofiled trials say of an op that is blocked
// while it is looked at, to what stacks and clocks bear out together.
func TestMendDemand(t *testing.T) {
	// Of an op that is not stretched: 300 ms of which it computes for a third.
	even := func(process int64) ([]watched, []plain) {
		var ws []watched
		var ps []plain
		for range 6 {
			ws, ps = append(ws, watched{300, 100, 100, 2, 30}), append(ps, plain{100, process, 0, 10})
		}
		return ws, ps
	}
	third, filled := even(103)
	_, idle := even(36)
	sleeping := make([]watched, len(demangling.watched)) // and blocked where Go knows nothing of it
	for i, w := range demangling.watched {
		sleeping[i] = watched{w.wall, w.cpu / 4, w.labelled / 4, w.ready, w.ops}
	}
	blocked := func(kind record.Wait, n, gc int64) looks {
		return looks{profile.WaitShares{Samples: 400, Running: 400 - n, GC: gc, Blocked: map[record.Wait]int64{kind: n}}}
	}
	tests := []struct {
		name    string
		watched []watched
		plain   []plain
		looks   looks
		trace   *Trace
		want    Class
	}{
		{"stacks see it wait for the collector only", demangling.watched, demangling.plain, blocked(record.Other, 40, 38), nil, CPUBound},
		{"a trace does", demangling.watched, demangling.plain, blocked(record.Other, 40, 0), &Trace{Running: 0.93, Runnable: 0.03, GCWait: 0.02}, CPUBound},
		{"stacks see it wait for something that they do not tell", demangling.watched, demangling.plain, blocked(record.Other, 100, 0), nil, Inconclusive},
		{"stacks see it wait for the network", demangling.watched, demangling.plain, blocked(record.Network, 100, 0), nil, Inconclusive},
		{"no wall profile", demangling.watched, demangling.plain, looks{}, nil, Inconclusive},
		{"its thread computes less, whoever does", sleeping, demangling.plain, blocked(record.Other, 40, 38), nil, Mixed},
		{"too few trials to say that looking stretches it", demangling.watched, demangling.plain[:5], blocked(record.Other, 40, 38), nil, Inconclusive},
		{"the same, and stacks see it wait", demangling.watched, demangling.plain[:5], blocked(record.Network, 110, 0), nil, Mixed},
		{"a goroutine computes for it", pingPong.watched, pingPong.plain, blocked(record.Channel, 250, 0), &Trace{Running: 0.5, Runnable: 0.02, Computed: 0.45}, CPUBound},
		{"a goroutine sleeps for it", pingPong.watched, pingPong.plain, blocked(record.Channel, 250, 0), &Trace{Running: 0.5, Runnable: 0.02, Computed: 0.02}, Inconclusive},
		{"what the trace says is not what stacks say", pingPong.watched, pingPong.plain, blocked(record.Channel, 250, 0), &Trace{Running: 0.5, Computed: 0.48, Difference: 0.5}, Inconclusive},
		{"a worker of the process computes for it", third, filled, blocked(record.Channel, 260, 0), &Trace{Running: 0.33, Runnable: 0.01, Computed: 0.64}, CPUBound},
		{"the same, and the process did not compute", third, idle, blocked(record.Channel, 260, 0), &Trace{Running: 0.33, Runnable: 0.01, Computed: 0.64}, Mixed},
		{"a worker of the process sleeps for it", third, filled, blocked(record.Channel, 260, 0), &Trace{Running: 0.33, Runnable: 0.01, Computed: 0.01}, Mixed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &load{w: &plan.Workload{Name: "op"}, cores: 2, slots: map[slot][]plan.Finished{}}
			for rep, p := range tt.plain {
				l.slots[slot{cell: l.baseline(), pass: plan.Timing, rep: rep}] = []plan.Finished{{Record: record.Record{
					Status: record.OK, Ops: p.ops, WallNs: p.wall * 1e6, CPU: record.CPU{UserNs: p.process * 1e6}, Runtime: &record.Runtime{GCCPUNs: p.gc * 1e6},
				}}}
			}
			j := &judgement{view: &view{o: DefaultOptions(), controls: &load{w: &plan.Workload{}}}, load: l, looks: tt.looks}
			for _, w := range tt.watched {
				j.classify = append(j.classify, plan.Finished{Record: record.Record{
					Status: record.OK, Ops: w.ops, WallNs: w.wall * 1e6,
					Runtime: &record.Runtime{GCCycles: 100},
					Thread:  &record.Thread{CPUNs: w.cpu * 1e6, LabelledNs: w.labelled * 1e6, RunnableNs: w.ready * 1e6},
				}})
			}
			j.demand = j.o.demand(j.classify, j.scale())
			j.out.Split, j.out.Trace = splitOf(j.classify), tt.trace
			j.out.Waits = j.looks.waits(j.out.Split.Blocked)
			j.mendDemand()
			d := j.demand.scaled
			if got := j.o.class(d).class; got != tt.want {
				t.Errorf("%s (%.2f, %.2f to %.2f), want %s", got, d.Value, d.Low, d.High, tt.want)
			}
			if d.Low > d.Value || d.Value > d.High {
				t.Errorf("the demand is %+v", d)
			}
			s, waits := j.out.Split, 0.0
			for _, share := range j.out.Waits {
				waits += share
			}
			if sum := s.OnCPU + s.Runnable + s.Blocked; sum < 1-1e-9 || sum > 1+1e-9 || waits > s.Blocked+1e-9 {
				t.Errorf("split %+v, waits %v", s, j.out.Waits)
			}
		})
	}
}
