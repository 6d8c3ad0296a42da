package analyzer

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A downstream is placed at the wait that grows when others are in flight,
// and at none if none does.
func TestDownstreamIsPlacedWhereOpsWaitForEachOther(t *testing.T) {
	waiting := func(kind record.Wait, blocked int64) looks {
		place := profile.Place{Function: "m.(*Decoder).DecodeAll", File: "/m/decoder.go", Line: 315, Samples: blocked}
		return looks{profile.WaitShares{Samples: 100, Blocked: map[record.Wait]int64{kind: blocked}, Places: map[record.Wait][]profile.Place{kind: {place}}}}
	}
	for _, tt := range []struct {
		name         string
		alone, among looks
		line         int
		said         string
	}{
		{"a pool of decoders", waiting(record.Channel, 2), waiting(record.Channel, 90), 315, "90 % of their time for other goroutines, in m.(*Decoder).DecodeAll"},
		{"a server", waiting(record.Network, 90), waiting(record.Network, 95), 315, "serves no more at once"},
		{"little more", waiting(record.Channel, 10), waiting(record.Channel, 30), 0, "serves no more at once"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &judgement{view: &view{o: DefaultOptions()}, load: &load{w: &plan.Workload{Name: "w"}}, looks: tt.alone, probe: tt.among}
			j.limitDownstream(0.9)
			if l := j.out.Limits[0]; len(j.out.Limits) != 1 || l.Kind != LimitDownstream || l.Line != tt.line {
				t.Errorf("limits %+v, want line %d", j.out.Limits, tt.line)
			}
			if said := strings.Join(j.chain(), "; "); !strings.Contains(said, tt.said) {
				t.Errorf("said %q, want %q", said, tt.said)
			}
		})
	}
}

// The collector works on idle processors while ops run alone, and takes it from
// them where several are in flight: that is where it limits. The numbers of the
// first are those of an op that makes and drops trees beside half a million live
// nodes, in ms of its trials on two cores.
func TestGarbageCollectionTakesFromOpsInCompany(t *testing.T) {
	type trial struct{ gc, cpu, wall, cycles int64 }
	six := func(x trial) (fs []plan.Finished) {
		for range 6 {
			fs = append(fs, plan.Finished{Record: record.Record{
				Status: record.OK, Ops: 100, WallNs: x.wall * 1e6, CPU: record.CPU{UserNs: x.cpu * 1e6},
				Runtime: &record.Runtime{GCCPUNs: x.gc * 1e6, GCCycles: x.cycles},
			}})
		}
		return fs
	}
	in := func(m model.Model, n int) plan.Cell { return plan.Cell{Workload: "w", Model: m, Concurrency: n} }
	pool2, loop4, processes2 := in(model.Pool, 2), in(model.EventLoop, 4), in(model.Processes, 2)
	for _, tt := range []struct {
		name    string
		alone   trial
		cell    plan.Cell
		company trial
		pilots  bool // they are all that there is of the cell
		foreign float64
		limit   bool
	}{
		{"a quarter in company", trial{14, 135, 99, 7}, pool2, trial{49, 178, 97, 8}, false, 0, true},
		{"the same by its pilots", trial{14, 135, 99, 7}, pool2, trial{49, 178, 97, 8}, true, 0, true},
		{"alone already", trial{30, 135, 99, 7}, pool2, trial{12, 178, 97, 8}, false, 0, true},
		{"less than an eighth", trial{7, 100, 93, 18}, pool2, trial{18, 195, 103, 32}, false, 0, false},
		{"an eighth of the CPU time, and processors idle", trial{1, 9, 100, 1}, pool2, trial{11, 75, 106, 5}, false, 0, false},
		{"hardly any collection", trial{14, 135, 99, 1}, pool2, trial{49, 178, 97, 1}, false, 0, false},
		{"on a busy host", trial{14, 135, 99, 7}, pool2, trial{49, 178, 97, 8}, false, 0.5, false},
		{"on the one processor of a loop", trial{14, 135, 99, 7}, loop4, trial{36, 125, 100, 7}, false, 0, false},
		{"in processes, each with a collector", trial{14, 135, 99, 7}, processes2, trial{49, 178, 97, 8}, false, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &load{w: &plan.Workload{Name: "w"}, cores: 2, slots: map[slot][]plan.Finished{}}
			for rep, f := range six(tt.alone) {
				l.slots[slot{cell: l.baseline(), pass: plan.Timing, rep: rep}] = []plan.Finished{f}
			}
			x := outcome{cell: tt.cell, timing: six(tt.company)}
			if tt.pilots {
				x.timing, x.pilots = nil, x.timing
			}
			// A pilot of another cell did more, and saw fewer collections than tell.
			quick := outcome{cell: in(model.Goroutines, 16), pilots: six(trial{70, 250, 60, 9})[:1]}
			j := &judgement{view: &view{o: DefaultOptions()}, load: l, results: []outcome{x, quick}}
			if tt.pilots {
				j.results = j.results[:1]
			}
			j.out.Cells = []Cell{{Model: tt.cell.Model, Concurrency: tt.cell.Concurrency}, {Model: model.Goroutines, Concurrency: 16}}
			j.noise = Noise{ControlTrials: 6, ControlsOK: true, ForeignShare: tt.foreign}
			j.limitGC()
			if got := len(j.out.Limits) > 0; got != tt.limit {
				t.Errorf("limits %+v, want one: %t", j.out.Limits, tt.limit)
			}
		})
	}
}
