package analyzer

import (
	"testing"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// What the clocks of sequential trials said, measured on two cores; times in
// tenths of a millisecond. Beside other programs an op may be "blocked"
// because whoever would wake it has no processor: the class is then not
// decided, and never another one. Waits of an op's own stay what they are.
func TestDemandBesideOthers(t *testing.T) {
	type reading struct{ wall, cpu, labelled, ready, allReady, children int64 }
	tests := []struct {
		name    string
		foreign float64
		trials  []reading
		want    Class
	}{
		{"computes and allocates, nine tenths taken", 0.85, []reading{
			{8866, 875, 800, 7604, 30439, 0}, {4675, 1128, 1100, 1280, 17761, 0}, {3965, 69, 100, 1363, 11843, 0},
			{2100, 295, 300, 1637, 6687, 0}, {4894, 692, 700, 3814, 10831, 0}, {2980, 642, 500, 2109, 9860, 0},
		}, Inconclusive},
		{"computes nine tenths of its time, eight tenths taken", 0.85, []reading{
			{6562, 1896, 1800, 2437, 10160, 0}, {4503, 1053, 1000, 2596, 7428, 0}, {2266, 469, 500, 1476, 6391, 0},
			{4805, 1414, 1400, 2267, 7549, 0}, {3982, 948, 900, 2111, 6633, 0}, {3447, 1557, 1500, 1274, 4065, 0},
		}, Inconclusive},
		{"waits for a goroutine of its own that computes", 0.85, []reading{
			{6160, 1176, 3000, 2040, 13309, 0}, {6167, 894, 1900, 2080, 14810, 0}, {5076, 1037, 2100, 1523, 9920, 0},
			{5797, 1052, 1600, 2239, 10132, 0}, {5699, 1262, 2900, 1802, 10904, 0}, {5695, 1051, 2100, 1743, 9457, 0},
		}, Inconclusive},
		{"waits for goroutines of its own on all cores, nine tenths taken", 0.85, []reading{
			{6104, 11, 1500, 896, 19864, 0}, {4884, 10, 1100, 678, 19697, 0}, {4697, 11, 700, 571, 15895, 0},
			{4602, 9, 700, 1354, 19228, 0}, {4620, 9, 800, 793, 18577, 0}, {5018, 8, 1100, 357, 15705, 0},
		}, Inconclusive},
		{"waits for a child that computes, nine tenths taken", 0.85, []reading{
			{8183, 73, 0, 484, 8911, 4158}, {2864, 14, 0, 179, 2909, 778}, {4807, 13, 0, 1644, 10164, 482},
			{3333, 14, 100, 167, 2988, 759}, {3789, 19, 0, 138, 3499, 1080}, {3196, 17, 0, 258, 3478, 932},
		}, Inconclusive},
		{"waits for a timer, nine tenths taken", 0.85, []reading{
			{1541, 35, 30, 37, 900, 0}, {2097, 44, 40, 142, 3051, 0}, {1600, 36, 30, 59, 706, 0},
			{1548, 39, 30, 131, 1875, 0}, {1603, 38, 30, 76, 354, 0}, {1510, 35, 30, 40, 300, 0},
		}, IOBound},
		{"waits for a child that computes for half of its time, alone", 0.02, []reading{
			{2000, 20, 0, 6, 30, 980}, {2010, 20, 0, 5, 24, 980}, {1990, 20, 0, 9, 40, 980},
			{2000, 20, 0, 6, 31, 980}, {2020, 20, 0, 7, 30, 980}, {2000, 20, 0, 6, 33, 980},
		}, Mixed},
		{"waits for half of its time, alone", 0.02, []reading{
			{2000, 1000, 990, 6, 30, 0}, {2010, 1000, 990, 5, 24, 0}, {1990, 1000, 990, 9, 40, 0},
			{2000, 1000, 990, 6, 31, 0}, {2020, 1000, 990, 7, 30, 0}, {2000, 1000, 990, 6, 33, 0},
		}, Mixed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fs []plan.Finished
			for _, r := range tt.trials {
				fs = append(fs, plan.Finished{Record: record.Record{
					Status: record.OK, Ops: 10, WallNs: r.wall * 1e5,
					CPU:    record.CPU{UserNs: (r.cpu + r.children) * 1e5, ChildrenNs: r.children * 1e5, RunnableNs: r.allReady * 1e5},
					Host:   &record.Host{ForeignShare: tt.foreign},
					Thread: &record.Thread{CPUNs: r.cpu * 1e5, LabelledNs: r.labelled * 1e5, RunnableNs: r.ready * 1e5},
				}})
			}
			o := DefaultOptions()
			d := o.demand(fs, scale{wait: 0, cpu: 1})
			if got := o.class(d.scaled).class; got != tt.want {
				t.Errorf("%s (%.2f, %.2f to %.2f), want %s", got, d.Value, d.Low, d.High, tt.want)
			}
		})
	}
}

// An op that takes longer while it is looked at may be blocked by that alone:
// its class is not decided where that would be another one.
func TestDemandOfWhatLookingStretches(t *testing.T) {
	tests := []struct {
		name  string
		times float64 // how much longer than it was an unprofiled op is blocked, in the classifying trials
		want  Class
	}{
		{"not at all", 1, CPUBound},
		{"hand-overs between threads", 8, Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 9e5, wait: 1e5})
			run := drive(t, l.plan(20, 8, goModels, []int{1, 2, 4, 8}, "op"), DefaultOptions(), func(x plan.Trial) record.Record {
				r := l.run(x)
				if r.Thread != nil && x.Control == "" {
					r.WallNs += int64(float64(r.Ops) * 1e5 * (tt.times - 1))
				}
				return r
			})
			if got := judged(t, run).Workloads[0]; got.Class != tt.want {
				t.Errorf("%s (%.2f to %.2f), want %s", got.Class, got.DemandInterval[0], got.DemandInterval[1], tt.want)
			}
		})
	}
}

// Samples in a system call are of a sleeping op only as far as the clocks say
// that it was blocked, and not queueing.
func TestQueueingIsNoStall(t *testing.T) {
	tests := []struct {
		name            string
		ready, allReady int64 // ms of a second, of which the op computes 0.5 and is blocked 0.3
		stalls          bool
	}{
		{"alone", 2, 10, true},
		{"queueing explains what was blocked", 200, 900, false},
		{"the others had their processors", 200, 210, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := &judgement{view: &view{o: DefaultOptions()}}
			j.classify = []plan.Finished{{Record: record.Record{
				Status: record.OK, Ops: 10, WallNs: 1e9, CPU: record.CPU{UserNs: 5e8, RunnableNs: tt.allReady * 1e6},
				Thread: &record.Thread{CPUNs: 1e9 - 3e8 - tt.ready*1e6, RunnableNs: tt.ready * 1e6},
			}}}
			j.looks.Samples = 100
			j.looks.Ambiguous = map[record.Wait]int64{record.Other: 30}
			j.out.Split.Blocked = 0.3
			if got := j.stall(); (got > j.o.LoopStall) != tt.stalls {
				t.Errorf("stalls for %.2f of its time", got)
			}
		})
	}
}
