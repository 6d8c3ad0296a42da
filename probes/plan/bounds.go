package plan

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/workload"
)

// What the least plan of a workload consists of. A planner may do more with a
// budget that allows it. That these are the thresholds of the planner that
// analyzer provides is held by a test of the command line, which sees both.
const (
	// LeastRuns is how many repetitions a recommendation rests on at least:
	// fewer give no interval at the 95 % level (the least and greatest of 6
	// values enclose the median with 1 - 2/2^6 = 97 %; of 5, with 94 %).
	LeastRuns = 6
	// ClassifyTrials is how many sequential profiled trials a class rests on.
	ClassifyTrials = 6
	// ControlTrials counts the trials of the two built-in ops of known class,
	// in one run, whatever the number of its workloads. Each of the two also
	// runs dry once.
	ControlTrials = 12
	// TrialOverhead is what starting and ending a trial's processes costs
	// beside its ops, until some trials have shown it.
	TrialOverhead = 60 * time.Millisecond
	// LeastControl, LeastProfiled, LeastPilot and LeastTiming are the shortest
	// useful times of a trial's ops: at 99 Hz, 150 ms give 15 samples, and the
	// classifying trials together 90.
	LeastControl  = 100 * time.Millisecond
	LeastProfiled = 150 * time.Millisecond
	LeastPilot    = 50 * time.Millisecond
	LeastTiming   = 100 * time.Millisecond
	// LeastTail is the least number of timed ops behind a p99.
	LeastTail = 1000
)

// Bounds are the least and the most that a run does.
type Bounds struct {
	MinTrials int           `json:"min_trials"`
	MaxTrials int           `json:"max_trials"`
	MinTime   time.Duration `json:"min_time_ns"`
	MaxTime   time.Duration `json:"max_time_ns"`
	// MinOps and MaxOps count the calls of the user's own work. MaxOps is 0
	// when nothing but the time bounds them.
	MinOps int64 `json:"min_ops"`
	MaxOps int64 `json:"max_ops,omitempty"`
}

// controls are the bounds of what a run does beside the user's work.
func controls() Bounds {
	return Bounds{
		MinTrials: 2 + ControlTrials,
		MaxTrials: 2 + ControlTrials,
		MinTime:   (2+ControlTrials)*TrialOverhead + ControlTrials*LeastControl,
	}
}

// Bounds returns the least and the most that the run takes, the controls
// included, whose time is taken evenly from the workloads' budgets.
func (p *Plan) Bounds() Bounds {
	sum := controls()
	unbounded := false
	for i := range p.Workloads {
		b := p.Workloads[i].Bounds()
		sum.MinTrials += b.MinTrials
		sum.MaxTrials += b.MaxTrials
		sum.MinTime += b.MinTime
		sum.MaxTime += b.MaxTime
		sum.MinOps += b.MinOps
		sum.MaxOps += b.MaxOps
		unbounded = unbounded || b.MaxOps == 0
	}
	if unbounded {
		sum.MaxOps = 0
	}
	return sum
}

// Bounds returns the least and the most that w alone takes. The least plan is
// the dry op, the classifying trials, the look for locks, and enough
// repetitions of the baseline and of one cell that may be better; where the
// plan is exhaustive, all of every cell. The most is
// every cell in full, those that may be added too, or the budget, whichever ends first; trials that are
// repeated because the host disturbed them come on top.
func (w *Workload) Bounds() Bounds {
	models := map[model.Model]bool{}
	for _, c := range w.Cells {
		models[c.Model] = true
	}
	runs, compared, profiled := min(w.Runs, LeastRuns), 1, ClassifyTrials
	if len(w.Cells) > 1 {
		compared = 2
	}
	if w.Exhaustive {
		runs, compared = w.Runs, len(w.Cells)
	}
	if w.concurrent() {
		profiled++ // the look for locks
	}
	if w.Race && w.concurrent() {
		profiled++ // the look for data races
	}
	timed := compared * runs
	b := Bounds{
		MinTrials: 1 + profiled + compared + timed,
		MaxTrials: 1 + profiled + (len(w.Cells)+w.Addable())*(1+w.Runs) + len(models) - 1,
		MinTime: TrialOverhead + time.Duration(profiled)*(TrialOverhead+LeastProfiled) +
			time.Duration(compared)*(TrialOverhead+LeastPilot) + time.Duration(timed)*(TrialOverhead+LeastTiming),
		MaxTime: time.Duration(w.BudgetNs),
		MaxOps:  w.MaxOps,
	}
	if w.Trace {
		b.MaxTrials++ // of the least plan it is no part
	}
	b.MaxTrials = max(b.MaxTrials, b.MinTrials)
	b.MinOps = int64(b.MinTrials)
	if w.MaxRate > 0 {
		byRate := int64(math.Ceil(w.MaxRate * b.MaxTime.Seconds()))
		if b.MaxOps == 0 || byRate < b.MaxOps {
			b.MaxOps = max(byRate, b.MinOps)
		}
	}
	return b
}

// concurrent reports whether some cell has several ops in flight in one
// process, where locks can show.
func (w *Workload) concurrent() bool {
	return w.Target.Kind != model.Command && slices.ContainsFunc(w.Cells, func(c Cell) bool {
		return c.Concurrency > 1 && c.Model != model.Processes
	})
}

// tailTime is how long the ops behind a p99 of one cell take to arrive, where
// that is what a load is judged by.
func (w *Workload) tailTime() time.Duration {
	if w.Rate <= 0 || w.Objective != string(workload.Latency) {
		return 0
	}
	return time.Duration(LeastTail / w.Rate * float64(time.Second))
}

// affordable refuses bounds that the least plan of w does not fit into, and
// says which would do. The workload bears its share of the controls, as one of
// several.
func (w *Workload) affordable(workloads int) error {
	b := w.Bounds()
	least := b.MinTime + controls().MinTime/time.Duration(workloads)
	if least > b.MaxTime {
		return &SettingError{
			Workload: w.Name,
			Reason:   fmt.Sprintf("a budget of %v cannot hold the least plan: %d trials and its share of the controls, about %v", workload.Duration(b.MaxTime), b.MinTrials, least.Round(100*time.Millisecond)),
			Hint:     fmt.Sprintf("a budget of %v would", workload.Duration(seconds(least))),
		}
	}
	if tail := w.tailTime(); least+tail > b.MaxTime {
		return &SettingError{
			Workload: w.Name,
			Reason:   fmt.Sprintf("a budget of %v cannot hold a p99 under a load of %v: the %d ops that it needs of one cell take %v to arrive", workload.Duration(b.MaxTime), workload.Rate(w.Rate), LeastTail, tail.Round(100*time.Millisecond)),
			Hint:     fmt.Sprintf("a budget of %v would hold one cell", workload.Duration(seconds(least+tail))),
		}
	}
	if w.MaxOps > 0 && w.MaxOps < b.MinOps {
		return &SettingError{
			Workload: w.Name,
			Reason:   fmt.Sprintf("max_ops %d cannot hold the least plan: %d trials with an op each", w.MaxOps, b.MinOps),
			Hint:     fmt.Sprintf("max_ops: %d would", b.MinOps),
		}
	}
	return nil
}
