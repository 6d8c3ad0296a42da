package plan

import (
	"fmt"
	"math"
	"time"

	"github.com/concprof/concprof/probes/model"
)

// What the least plan of a workload consists of. A planner may do more with a
// budget that allows it, and does less only when it is interrupted.
const (
	// LeastRuns is how many repetitions a recommendation rests on at least:
	// fewer give no interval at the 95 % level (the least and greatest of 6
	// values enclose the median with 1 - 2/2^6 = 97 %; of 5, with 94 %).
	LeastRuns = 6
	// ClassifyTrials is how many sequential profiled trials a class rests on.
	ClassifyTrials = 6
	// ControlTrials counts the trials of built-in ops of known class.
	ControlTrials = 2
	// TrialOverhead is what starting and ending a trial's processes costs
	// beside its ops.
	TrialOverhead = 60 * time.Millisecond
	// LeastTiming is the shortest useful time of the ops of a timing trial.
	LeastTiming = 100 * time.Millisecond
	// LeastProfiled is the shortest useful time of a profiled trial: at 99 Hz
	// some 25 samples, and fgprof panics on very short ones.
	LeastProfiled = 250 * time.Millisecond
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

// Bounds adds up the bounds of the workloads.
func (p *Plan) Bounds() Bounds {
	var sum Bounds
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

// Bounds returns the least and the most that w takes. The least plan is the
// dry op, the controls, the classifying trials, the look for locks, and enough
// repetitions of the baseline; the most is every cell in full, or the budget,
// whichever ends first.
func (w *Workload) Bounds() Bounds {
	runs := min(w.Runs, LeastRuns)
	models := map[model.Model]bool{}
	for _, c := range w.Cells {
		models[c.Model] = true
	}
	profiled := ControlTrials + ClassifyTrials + 1 // contention
	timed := 1 + runs                              // pilot and baseline
	if len(w.Cells) > 1 {
		timed += runs // what wins must be repeated as often
	}
	b := Bounds{
		MinTrials: 1 + profiled + timed,
		MaxTrials: 1 + profiled + len(w.Cells)*(1+w.Warmup+w.Runs) + len(models),
		MaxTime:   time.Duration(w.BudgetNs),
		MaxOps:    w.MaxOps,
	}
	b.MinTime = time.Duration(b.MinTrials)*TrialOverhead + time.Duration(profiled)*LeastProfiled + time.Duration(timed)*LeastTiming
	b.MinOps = int64(b.MinTrials - ControlTrials)
	if w.MaxRate > 0 {
		byRate := int64(math.Ceil(w.MaxRate * b.MaxTime.Seconds()))
		if b.MaxOps == 0 || byRate < b.MaxOps {
			b.MaxOps = max(byRate, b.MinOps)
		}
	}
	return b
}

// affordable refuses bounds that the least plan does not fit into, and says
// which would do.
func (w *Workload) affordable() error {
	b := w.Bounds()
	if b.MinTime > b.MaxTime {
		return &SettingError{
			Workload: w.Name,
			Reason:   fmt.Sprintf("a budget of %v cannot hold the least plan: %d trials, about %v", b.MaxTime, b.MinTrials, b.MinTime.Round(100*time.Millisecond)),
			Hint:     fmt.Sprintf("a budget of %v would", seconds(b.MinTime)),
		}
	}
	if w.MaxOps > 0 && w.MaxOps < b.MinOps {
		return &SettingError{
			Workload: w.Name,
			Reason:   fmt.Sprintf("max_ops %d cannot hold the least plan: %d trials of the workload with an op each", w.MaxOps, b.MinOps),
			Hint:     fmt.Sprintf("max_ops: %d would", b.MinOps),
		}
	}
	return nil
}
