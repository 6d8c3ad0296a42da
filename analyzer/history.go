package analyzer

import (
	"cmp"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A view is a history sorted out: by workload, cell, pass and repetition. It
// does not depend on the order in which trials finished, only on their IDs.
type view struct {
	o     Options
	plan  *plan.Plan
	loads []*load
	// controls holds the trials that belong to no workload.
	controls *load
	// spentNs is what all finished trials cost.
	spentNs int64
	// trials counts those that finished, disturbed those of them on which the
	// host intruded.
	trials, disturbed int
	last              string // ID of the last finished trial
	// peer is the run that is measured beside this one, nil if there is none.
	peer *view
}

// A load is what a history holds of one workload.
type load struct {
	w     *plan.Workload
	cores int
	slots map[slot][]plan.Finished // attempts, in order of their IDs
	// eliminated are the cells that a decision took out, with the reason.
	eliminated map[plan.Cell]string
	// added are the cells that a decision put in, with the reason; they are
	// among those of w. addable is how many there may be.
	added   map[plan.Cell]string
	addable int
	// planned counts the timing trials decided so far, whether or not they
	// have finished.
	planned map[plan.Cell]plan.Trial
	spentNs int64
	ops     int64 // that were reported
	// most is how many ops may have run at most: a trial that broke may have
	// run all of them.
	most int64
	// asked are the models that a gate or a claim is about.
	asked []model.Model
	memo  memo
}

// A memo keeps what is asked of a load again and again and does not change
// while a view lasts.
type memo struct {
	shown  []candidate
	margin float64
	guess  *guess
	// predicted is nil until it was asked for, and has no model where there is
	// no prediction.
	predicted *plan.Cell
	overhead  map[bool]int64 // by whether profiled
	counted   map[slot][]plan.Finished
	failures  *failures
}

// A slot is one thing to be measured once. It holds several trials when the
// first was disturbed or broken and was repeated.
type slot struct {
	cell    plan.Cell
	pass    plan.Pass
	rep     int
	control plan.Control
}

func slotOf(t plan.Trial) slot {
	return slot{cell: t.Cell, pass: t.Pass, rep: t.Rep, control: t.Control}
}

func newLoad(w *plan.Workload, cores int) *load {
	return &load{
		w: w, cores: max(cores, 1), asked: askedFor(w), addable: w.Addable(),
		slots:      make(map[slot][]plan.Finished),
		eliminated: make(map[plan.Cell]string),
		added:      make(map[plan.Cell]string),
		planned:    make(map[plan.Cell]plan.Trial),
	}
}

func newView(h plan.History, o Options) *view {
	v := &view{o: o, plan: h.Plan, controls: newLoad(&plan.Workload{}, h.Plan.Cores)}
	byName := make(map[string]*load, len(h.Plan.Workloads))
	for i := range h.Plan.Workloads {
		l := newLoad(&h.Plan.Workloads[i], h.Plan.Cores)
		v.loads = append(v.loads, l)
		byName[l.w.Name] = l
	}
	of := func(t plan.Trial) *load {
		if t.Control != "" {
			return v.controls
		}
		return byName[t.Cell.Workload]
	}
	for _, d := range h.Decisions {
		for _, a := range d.Added {
			if l := byName[a.Cell.Workload]; l != nil {
				l.extend(a)
			}
		}
		for _, e := range d.Eliminated {
			if l := byName[e.Cell.Workload]; l != nil {
				if _, twice := l.eliminated[e.Cell]; !twice {
					l.eliminated[e.Cell] = e.Reason
				}
			}
		}
		for _, t := range d.Trials {
			if l := of(t); l != nil && t.Pass == plan.Timing {
				if _, twice := l.planned[t.Cell]; !twice {
					l.planned[t.Cell] = t
				}
			}
		}
	}
	for _, f := range h.Finished {
		if l := of(f.Trial); l != nil {
			l.add(f)
			v.spentNs += f.Record.ElapsedNs
			v.trials++
			if compareIDs(f.Trial.ID, v.last) > 0 {
				v.last = f.Trial.ID
			}
			if o.disturbance(&f.Record) != "" {
				v.disturbed++
			}
		}
	}
	for _, l := range append(slices.Clone(v.loads), v.controls) {
		for _, attempts := range l.slots {
			slices.SortStableFunc(attempts, func(a, b plan.Finished) int { return compareIDs(a.Trial.ID, b.Trial.ID) })
		}
	}
	return v
}

// compareIDs orders trial IDs by number: t9999 comes before t10000.
func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// extend adds a cell to those of the workload, whose plan stays as it is: a level
// of a model that it has, up to the model's ceiling, once. A journal that says
// otherwise is not of this planner.
func (l *load) extend(a plan.Addition) bool {
	c := a.Cell
	if _, twice := l.added[c]; twice || len(l.added) >= l.addable || c.Concurrency < 1 || c.Concurrency > l.w.Ceiling(c.Model) || slices.Contains(l.w.Cells, c) {
		return false
	}
	at := 0
	for i, x := range l.w.Cells {
		if x.Model == c.Model && (at == 0 || x.Concurrency < c.Concurrency) {
			at = i + btoi(x.Concurrency < c.Concurrency)
		}
	}
	w := *l.w
	w.Cells = slices.Insert(slices.Clone(w.Cells), at, c)
	l.w, l.added[c] = &w, a.Reason
	return true
}

func (l *load) add(f plan.Finished) {
	s := slotOf(f.Trial)
	l.slots[s] = append(l.slots[s], f)
	l.spentNs += f.Record.ElapsedNs
	l.ops += f.Record.Ops
	l.most += max(f.Record.Ops, f.Trial.Ops)
}

// baseline is the cell that others are compared with.
func (l *load) baseline() plan.Cell {
	return plan.Cell{Workload: l.w.Name, Model: model.Sequential, Concurrency: 1}
}

// count returns the trial of a slot that counts: the first that finished
// undisturbed, else the last that finished.
func (l *load) count(s slot, o Options) (plan.Finished, bool) {
	var found plan.Finished
	ok := false
	for _, f := range l.slots[s] {
		if !usable(&f.Record) {
			continue
		}
		found, ok = f, true
		if o.disturbance(&f.Record) == "" {
			break
		}
	}
	return found, ok
}

// usable reports whether a record may put a number into a report: its trial
// finished, or finished beside other load.
func usable(r *record.Record) bool {
	return (r.Status == record.OK || r.Status == record.Disturbed) && r.WallNs > 0 && r.Ops > r.FailedOps
}

// counted returns the trials of a cell and pass that count, one a repetition,
// by repetition. The slice is shared: it must not be changed.
func (l *load) counted(c plan.Cell, p plan.Pass, o Options) []plan.Finished {
	return l.countedAs(c, p, "", o)
}

func (l *load) countedAs(c plan.Cell, p plan.Pass, control plan.Control, o Options) []plan.Finished {
	s := slot{cell: c, pass: p, control: control}
	if fs, known := l.memo.counted[s]; known {
		return fs
	}
	var fs []plan.Finished
	for at := s; len(l.slots[at]) > 0; at.rep++ {
		if f, ok := l.count(at, o); ok {
			fs = append(fs, f)
		}
	}
	fs = slices.Clip(fs)
	if l.memo.counted == nil {
		l.memo.counted = make(map[slot][]plan.Finished)
	}
	l.memo.counted[s] = fs
	return fs
}

// broken returns the trials of a cell and pass in which the user's work went
// wrong.
func (l *load) broken(c plan.Cell, p plan.Pass) []plan.Finished {
	var fs []plan.Finished
	for rep := 0; ; rep++ {
		attempts, any := l.slots[slot{cell: c, pass: p, rep: rep}]
		if !any {
			return fs
		}
		for i, f := range attempts {
			// That the machine slept says nothing of the cell, once the
			// repetition has gone well.
			slept := f.Record.Status == record.Suspended && i+1 < len(attempts) && usable(&attempts[i+1].Record)
			if !usable(&f.Record) && !slept {
				fs = append(fs, f)
			}
		}
	}
}

// dry returns the op that ran before anything was measured.
func (l *load) dry() (plan.Finished, bool) {
	attempts := l.slots[slot{cell: l.baseline(), pass: plan.Dry}]
	for _, f := range attempts {
		if !f.Record.Status.Broken() {
			return f, true
		}
	}
	if n := len(attempts); n > 0 {
		return attempts[n-1], true
	}
	return plan.Finished{}, false
}

// rate returns how many ops a second a trial completed. Failed ops do not
// count: failing is often the fastest thing an op can do.
func rate(r *record.Record) float64 {
	if r.WallNs <= 0 {
		return 0
	}
	return float64(r.Ops-r.FailedOps) * 1e9 / float64(r.WallNs)
}

func cpuPerOp(r *record.Record) float64 {
	if r.Ops <= 0 {
		return 0
	}
	return float64(r.CPU.UserNs+r.CPU.SystemNs) / float64(r.Ops)
}

func faultsPerOp(r *record.Record) float64 {
	if r.Ops <= 0 {
		return 0
	}
	return float64(r.Memory.MinorFaults) / float64(r.Ops)
}

func values(fs []plan.Finished, of func(*record.Record) float64) []float64 {
	vs := make([]float64, 0, len(fs))
	for i := range fs {
		vs = append(vs, of(&fs[i].Record))
	}
	return vs
}
