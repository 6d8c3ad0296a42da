// Package plan says which trials a run consists of.
//
// A Plan is fixed before anything runs: the cells that may be measured and
// the bounds on time and ops. Which of them are measured, how often and in
// what order is decided step by step: a Decision is drawn from the records
// so far, journalled, and carried out.
package plan

import (
	"fmt"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A Plan holds the bounds of a run.
type Plan struct {
	Seed      uint64     `json:"seed"`
	Workloads []Workload `json:"workloads"`
	Cores     int        `json:"cores"` // processors that trials may use
}

// A Workload is what a plan says of one workload.
type Workload struct {
	Name   string       `json:"name"`
	Target model.Target `json:"target"`
	Label  string       `json:"label"` // the target in words, "./internal/thumb.Render"
	Cells  []Cell       `json:"cells"`
	// BaselineAdded is set when the user's list of models leaves sequential
	// out. It is measured all the same, as the baseline, but it was not asked
	// for as a recommendation.
	BaselineAdded bool `json:"baseline_added,omitempty"`
	// Skipped are the models that cannot run this target, with the reason.
	Skipped []Skip `json:"skipped,omitempty"`
	// Root is the folder that reports tell file names relative to: that of the
	// Go module whose function is measured, or of the Python workload's file;
	// "" where there is none. It is known once targets are prepared.
	Root string `json:"root,omitempty"`
	// Interpreter is what runs a Python target, known once it was asked.
	Interpreter *record.Interpreter `json:"interpreter,omitempty"`
	// Steps names the steps of an op, in order.
	Steps []string `json:"steps"`

	Runs      int   `json:"runs"`
	Warmup    int   `json:"warmup"`
	BudgetNs  int64 `json:"budget_ns"`
	TimeoutNs int64 `json:"timeout_ns"` // of one trial
	MaxOps    int64 `json:"max_ops,omitempty"`
	// Exhaustive keeps every cell in the run until it has its repetitions or
	// the budget ends: none is taken out because it cannot win.
	Exhaustive bool `json:"exhaustive,omitempty"`
	// MaxLevel is the greatest level that a planner may add where throughput
	// still rises at the highest one; 0 where it may add none at all, because the
	// user named the levels, or wants every cell in full.
	MaxLevel int `json:"max_level,omitempty"`
	// Race asks for a trial under the race detector; NoRace says why there is
	// none all the same, once targets are prepared.
	Race   bool   `json:"race,omitempty"`
	NoRace string `json:"no_race,omitempty"`
	// Trace asks for a trial under runtime/trace, which tells what ops wait for
	// beside the wall profiles.
	Trace bool `json:"trace,omitempty"`
	// MaxRate bounds the ops per second of any trial; 0 means no bound.
	MaxRate float64 `json:"max_rate,omitempty"`
	// Rate has the ops of pilots and timing trials arrive at so many a second,
	// evenly, whether or not they can start; 0 starts them as fast as the model
	// can.
	Rate float64 `json:"load_rate,omitempty"`

	Objective   string   `json:"objective"`
	Constraints []string `json:"constraints,omitempty"`
	Private     bool     `json:"private_state,omitempty"`
	NoDigest    bool     `json:"no_digest,omitempty"`
	Gate        []string `json:"gate,omitempty"`
	Claim       *Claim   `json:"claim,omitempty"`
}

// A Claim is what is said of a workload, and the condition on its verdict that
// would bear it out.
type Claim struct {
	Says   string `json:"says"`
	Expect string `json:"expect"`
}

// LeaveOut takes a model that turned out not to run here out of the plan, with
// the reason. The baseline stays.
func (w *Workload) LeaveOut(m model.Model, reason string) {
	if m == model.Sequential || !slices.ContainsFunc(w.Cells, func(c Cell) bool { return c.Model == m }) {
		return
	}
	w.Cells = slices.DeleteFunc(w.Cells, func(c Cell) bool { return c.Model == m })
	w.Skipped = append(w.Skipped, Skip{m, reason})
}

// A Cell is a workload under a model at a concurrency.
type Cell struct {
	Workload    string      `json:"workload"`
	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
}

func (c Cell) String() string {
	return fmt.Sprintf("%s/%s/%d", c.Workload, c.Model, c.Concurrency)
}

// A Skip is a model that is left out.
type Skip struct {
	Model  model.Model `json:"model"`
	Reason string      `json:"reason"`
}

// A Trial is one probe process executing one cell.
type Trial struct {
	ID   string `json:"id"` // "t0042", unique in the run, in order of planning
	Cell Cell   `json:"cell"`
	Pass Pass   `json:"pass"`
	Rep  int    `json:"rep"` // from 0, within cell and pass

	// Ops is how many ops to run. If it is 0, ops are started for ForNs, but
	// at least MinOps of them.
	Ops    int64 `json:"ops,omitempty"`
	ForNs  int64 `json:"for_ns,omitempty"`
	MinOps int64 `json:"min_ops,omitempty"`
	// TimeoutNs ends the trial sooner than the workload's timeout does, so that
	// one that hangs does not take the budget with it; 0 leaves it at that.
	TimeoutNs int64 `json:"timeout_ns,omitempty"`
	// Offload tells, per step, whether hybrid sends it through the permits.
	Offload []bool `json:"offload,omitempty"`
	// Control is the built-in op that a control trial runs instead of a
	// workload's; its cell names no workload. A dry trial of each control comes
	// first and calibrates it.
	Control Control `json:"control,omitempty"`
	// LatencyEvery is the k of "time every k-th op", 0 to let the probe choose.
	LatencyEvery int64 `json:"latency_every,omitempty"`
}

// Pass says why a trial is run.
type Pass string

// The passes.
const (
	Dry        Pass = "dry"        // one op, before anything is measured; its result is shown
	ControlRun Pass = "control"    // a built-in op of known class, sequential, as in Classify
	Classify   Pass = "classify"   // sequential on a locked thread, profiled
	Contention Pass = "contention" // 8 in flight, profiled: locks show only here
	Pilot      Pass = "pilot"      // timed but not counted: how many ops a trial needs
	Timing     Pass = "timing"     // no profilers: throughput and latency
	Profiling  Pass = "profile"    // profiled, per model: the pprof files
	Race       Pass = "race"       // several in flight, built with the race detector: times mean nothing
	Tracing    Pass = "trace"      // sequential under runtime/trace: what ops wait for, seen a second time
	Check      Pass = "check"      // results differed: those of single ops are kept, to find the first that does
)

// Passes returns every pass, in the order in which a run makes them.
func Passes() []Pass {
	return []Pass{Dry, ControlRun, Classify, Contention, Race, Tracing, Pilot, Check, Timing, Profiling}
}

// Profiled reports whether the CPU profile and fgprof run in trials of p.
// Such trials never time anything.
func (p Pass) Profiled() bool {
	return p == ControlRun || p == Classify || p == Contention || p == Profiling
}

// Control names a built-in op whose class is known.
type Control string

// The controls.
const (
	ControlCPU  Control = "cpu"
	ControlWait Control = "wait"
)

// A Decision is what a Planner wants next.
type Decision struct {
	// Trials are run in this order, one at a time.
	Trials []Trial `json:"trials,omitempty"`
	// Eliminated are cells that will not be measured any more.
	Eliminated []Elimination `json:"eliminated,omitempty"`
	// Added are cells that the plan does not have and that may be measured from
	// now on.
	Added []Addition `json:"added,omitempty"`
	// Expected is how many trials the whole run is likely to have, as far as
	// can be told now; for display only, 0 if it cannot be told.
	Expected int `json:"expected,omitempty"`
	// Why says in words what was decided, for the journal and --verbose.
	Why string `json:"why"`
	// Done ends the run.
	Done bool `json:"done,omitempty"`
}

// An Elimination takes a cell out of the run.
type Elimination struct {
	Cell   Cell   `json:"cell"`
	Reason string `json:"reason"`
}

// An Addition puts a cell into the run that its plan does not have: another
// level of one of its models.
type Addition struct {
	Cell   Cell   `json:"cell"`
	Reason string `json:"reason"`
}

// Finished is a trial and what it reported.
type Finished struct {
	Trial  Trial         `json:"trial"`
	Record record.Record `json:"record"`
}

// History is all that a decision may rest on.
type History struct {
	Plan      *Plan
	Decisions []Decision
	Finished  []Finished
}
