package analyzer

import (
	"time"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// Schema names the version of the JSON document that a Result is.
const Schema = "concprof/1"

// A Result is the judgement of one run. Its JSON form, verdict.json, is a
// contract: keys may be added, but none is renamed, removed or given another
// unit within a schema version.
type Result struct {
	Schema    string     `json:"schema"`
	Run       Run        `json:"run"`
	Workloads []Workload `json:"workloads"`
	// Complete is false when the run was interrupted or its journal was cut.
	Complete bool      `json:"complete"`
	Warnings []Warning `json:"warnings"` // of the run as a whole

	// Timeline are the trials as they followed one another; not in the JSON.
	Timeline []Span `json:"-"`
}

// Run says where and how the measuring was done.
type Run struct {
	ID      string      `json:"id"`
	Dir     string      `json:"dir"`               // or the file, of an archive
	Archive bool        `json:"archive,omitempty"` // which has no derived files
	Created time.Time   `json:"created"`
	Seed    uint64      `json:"seed"`
	Command []string    `json:"command,omitempty"` // what reproduces the run
	Tool    rundir.Tool `json:"tool"`
	Host    rundir.Host `json:"host"`
	Noise   Noise       `json:"noise"`
	// ElapsedNs is the time that all trials took together.
	ElapsedNs int64 `json:"elapsed_ns"`
	Trials    int   `json:"trials"`
}

// Noise is what the run learned of its own precision.
type Noise struct {
	// Floor is the largest relative difference that the baseline showed
	// against itself (A-A): differences below it are ties.
	Floor      float64 `json:"floor"`
	ControlsOK bool    `json:"controls_ok"`
	// ControlTrials is how many trials of each control were measured at least.
	ControlTrials int `json:"control_trials"`
	// ControlCPU and ControlWait are the demands that the controls read.
	ControlCPU  float64 `json:"control_cpu"`
	ControlWait float64 `json:"control_wait"`
	// ForeignShare is the median share of the cores' time that other
	// programs took during the trials; Disturbed the number of trials in
	// which that, steal or throttling passed its threshold.
	ForeignShare float64 `json:"foreign_share"`
	StealShare   float64 `json:"steal_share"`
	Disturbed    int     `json:"disturbed"`
	// HostTrials is how many trials these shares are the medians of; dry ones,
	// which are too short, are not among them.
	HostTrials int `json:"host_trials"`
}

// Class says what an op spends its time on.
type Class string

// The classes.
const (
	IOBound      Class = "io-bound"
	CPUBound     Class = "cpu-bound"
	Mixed        Class = "mixed"
	Inconclusive Class = "inconclusive"
)

// Classes returns every class.
func Classes() []Class { return []Class{IOBound, CPUBound, Mixed, Inconclusive} }

// Interval is a value with bounds and the level that they achieve, 0.97 for
// 97 %. Level is 0 when there are too few values for any bounds; Low and High
// are then the extremes.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level,omitempty"`
	N     int     `json:"n,omitempty"`
}

// Workload is the judgement of one workload.
type Workload struct {
	Name   string `json:"name"`
	Target string `json:"target"`
	// TargetKind is what the target consists of, which decides the language of
	// the recommended code.
	TargetKind model.Kind `json:"target_kind,omitempty"`
	// Load is the rate at which ops arrive, nil where they start as fast as the
	// model can. Speedups and scaling are empty with it, and latencies run from
	// when an op was due.
	Load *Load `json:"load,omitempty"`
	// Interpreter ran the target, where it is Python.
	Interpreter *record.Interpreter `json:"interpreter,omitempty"`
	Class       Class               `json:"class"`
	// Confidence is the level of DemandInterval when the whole of it lies in
	// one band, else 0.
	Confidence     float64    `json:"confidence"`
	Demand         float64    `json:"demand"`
	DemandInterval [2]float64 `json:"demand_interval"`
	Split          Split      `json:"split"`
	// InnerParallelism is how many cores one op uses by itself: above 1 when
	// it starts goroutines or children that compute.
	InnerParallelism float64                 `json:"inner_parallelism"`
	Waits            map[record.Wait]float64 `json:"waits"` // shares of an op's wall time
	// Trace is what Go's execution tracer saw of them, nil where it was not asked.
	Trace  *Trace  `json:"execution_trace,omitempty"`
	Limits []Limit `json:"limits"`
	// Unseen are the limits that could not be looked for, with the reason: that
	// they are not among Limits says nothing.
	Unseen map[LimitKind]string `json:"limits_unseen,omitempty"`
	Steps  []Step               `json:"steps,omitempty"`
	GIL    *GIL                 `json:"gil,omitempty"`  // of CPython, where its reader could tell
	Loop   *Loop                `json:"loop,omitempty"` // of asyncio

	// Gate are the answers to the conditions that were asked for, in order; Claim
	// is what becomes of what was said of the workload.
	Gate  []Answer `json:"gate,omitempty"`
	Claim *Claim   `json:"claim,omitempty"`

	// Between are the two classes that the demand's interval lies between, if it
	// does; Untold is why nothing can be said of the demand. Gates ask for them;
	// not in the JSON, which has the interval and the class.
	Between [2]Class `json:"-"`
	Untold  string   `json:"-"`

	// Failures is "alike" where ops failed alike under every model, else
	// "different", or "none" where none failed; "" where fewer than two ran.
	Failures string `json:"failures,omitempty"`
	// ErrorHandling says what failed under each model; only models under which
	// something did are listed.
	ErrorHandling []ErrorHandling `json:"error_handling,omitempty"`

	// Race is what came of the race detector, nil where it was not asked for.
	Race *Race `json:"race,omitempty"`
	// Differences are, for each model whose results are wrong, the first op that
	// differs from sequential's.
	Differences []Difference `json:"differences,omitempty"`

	Prediction     *Prediction     `json:"prediction"`
	Recommendation *Recommendation `json:"recommendation"`
	// Undecided says why there is no recommendation and what would settle it.
	Undecided string `json:"undecided,omitempty"`

	Cells    []Cell        `json:"cells"`
	Scaling  []Scaling     `json:"scaling"`
	Profiles []ProfileFile `json:"profiles"`
	// Foreign are profiles of other programs that the user asked to be shown.
	Foreign []ForeignProfile `json:"foreign_profiles,omitempty"`

	OpsRun int64 `json:"ops_run"`
	// ObserverEffect is profiled / unprofiled time of the sequential cell.
	ObserverEffect float64  `json:"observer_effect"`
	NoiseFloor     float64  `json:"noise_floor"` // of this workload's baseline
	Dry            *Dry     `json:"dry,omitempty"`
	Evidence       []string `json:"evidence"` // the chain from split to verdict, a sentence each
	// EvidenceStages name the link of the chain that each sentence of Evidence
	// is: "split", "waits", "class", "steps" and "noise" rest on the baseline's
	// trials; "limits", "prediction" and "measurement" name the cells that they
	// rest on.
	EvidenceStages []string  `json:"evidence_stages,omitempty"`
	Settle         string    `json:"settle,omitempty"`
	Warnings       []Warning `json:"warnings"`

	// Flames are the stacks that reports draw, per op; not in the JSON.
	Flames []Flame `json:"-"`
}

// Dry is the op that ran before anything was measured.
type Dry struct {
	Result string `json:"result"`
	OpNs   int64  `json:"op_ns"`
}

// Split are the shares of an op's wall time in the sequential cell; they sum
// to 1.
type Split struct {
	OnCPU    float64 `json:"on_cpu"`
	Runnable float64 `json:"runnable"`
	Blocked  float64 `json:"blocked"`
}

// A Step is one step of an op, judged by itself.
type Step struct {
	Name    string  `json:"name"`
	Demand  float64 `json:"demand"`
	Class   Class   `json:"class"`
	Share   float64 `json:"share"` // of the op's wall time
	Offload bool    `json:"offload"`
}

// GIL is what CPython's interpreter lock makes of an op.
type GIL struct {
	// Share is the share of its time, alone, for which an op holds the lock;
	// Bound is 1/Share, the most that one interpreter can gain over sequential
	// (0: no bound), and Reached the best speedup that one reached.
	Share   float64 `json:"share"`
	Bound   float64 `json:"bound"`
	Reached float64 `json:"reached,omitempty"`
	// WaitShare is the share of the ops' time in the contention probe that they
	// waited for it.
	WaitShare float64 `json:"wait_share"`
}

// Loop is what asyncio's loop did in the trials that tell most of it. Shares
// are of their wall time.
type Loop struct {
	Concurrency int     `json:"concurrency"`
	Idle        float64 `json:"idle"` // in its selector
	Busy        float64 `json:"busy"`
	CPU         float64 `json:"cpu"` // of its thread
	// Stalled is what it was busy without computing, or being ready to;
	// Blocked the part of that in calls that were caught in the act.
	Stalled       float64 `json:"stalled"`
	Blocked       float64 `json:"blocked"`
	Turns         int64   `json:"turns"`
	LongestTurnNs int64   `json:"longest_turn_ns"`
	Tasks         int64   `json:"tasks"` // whose steps were driven and timed
	LongestStepNs int64   `json:"longest_step_ns"`
	LongestStep   *Place  `json:"longest_step,omitempty"`
	Blocking      *Place  `json:"blocking,omitempty"`
	Awaits        []Await `json:"awaits,omitempty"` // the leading ones
	// Stalls says that something holds the loop up: the limit loop-stall.
	Stalls bool `json:"stalls"`
}

// A Place is a line of code as people are told it.
type Place struct {
	Function string `json:"function"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// String is the place in words, "fetch (app.py:12)".
func (p Place) String() string { return spot{p.Function, p.File, p.Line}.String() }

// An Await is where tasks waited, a share of their time.
type Await struct {
	Place
	Wait  record.Wait `json:"wait"`
	Share float64     `json:"share"`
	Count int64       `json:"count"`
}

// ErrorHandling is what failed under a model, in all of its trials.
type ErrorHandling struct {
	Model     model.Model         `json:"model"`
	FailedOps int64               `json:"failed_ops"`
	Ops       int64               `json:"ops"`
	Errors    []record.ErrorCount `json:"errors"`
	// Notes tell what the model did beyond failing the op.
	Notes []string `json:"notes"`
}

// Prediction is what the sequential profile alone let expect: the cell that wins
// or, where ops arrive at a rate, that holds it.
type Prediction struct {
	Model       model.Model `json:"model"` // "" where no cell is expected to hold the rate
	Concurrency int         `json:"concurrency"`
	Speedup     float64     `json:"speedup"` // the expected one; 0 where ops arrive at a rate
	Agrees      bool        `json:"agrees"`
	// Rule names the rule that it follows: "locked", "all-cores", "computes",
	// "waits" or "both"; for CPython "gil" and "one-gil" too. Where ops arrive at a
	// rate it is "one", "enough", "wider" or "most" and, where no cell should hold it,
	// "bound", "differs", "over" or "in-flight".
	Rule string `json:"rule"`
	Why  string `json:"why"` // the rule's reason in a sentence, and why the measurement disagrees
}

// Recommendation is the model to use.
type Recommendation struct {
	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
	Speedup     Interval    `json:"speedup"` // of throughput, against sequential
	Ties        []Tie       `json:"ties"`
	Why         []string    `json:"why"`
	Code        []string    `json:"code"` // lines that can be pasted
	// Better are cells that measured better but may not be recommended for what
	// the workload does not declare.
	Better []Better `json:"better,omitempty"`
	// Barred says that some cell reads better by more than noise, in its pilot
	// alone by more than PilotFactor, and may not be recommended; Why has the
	// cells and the reasons.
	Barred bool `json:"barred,omitempty"`
}

// Better is a cell that would be recommended if its workload declared what it
// needs.
type Better struct {
	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
	Speedup     Interval    `json:"speedup"` // against sequential; Level is 0 where only a pilot ran
	Declare     string      `json:"declare"` // "state: private"
}

// A Tie is a cell that was not distinguishable from the best.
type Tie struct {
	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
	Ratio       float64     `json:"ratio"` // to the best
}

// A Cell is what was measured of a workload under one model at one
// concurrency.
type Cell struct {
	Model       model.Model   `json:"model"`
	Concurrency int           `json:"concurrency"`
	Status      record.Status `json:"status"`
	Reason      string        `json:"reason,omitempty"`
	Trials      int           `json:"trials"` // counted timing trials
	// Added says why a level that the plan does not have was added, "" of the
	// plan's own.
	Added string `json:"added,omitempty"`

	// OpsPerSec and the fields up to Ops come from the counted timing trials.
	OpsPerSec Quartile `json:"ops_per_sec"`
	// Pilot is the ops per second of the pilot of a cell without counted
	// trials: of one uncounted trial, which places the cell on its model's
	// curve. No speedup, tie or recommendation rests on it.
	Pilot float64 `json:"pilot_ops_per_sec,omitempty"`
	// Samples are the ops per second of the counted trials, in the order in
	// which they ran; OpsPerSec.Median is their median.
	Samples []float64 `json:"samples,omitempty"`
	Speedup Interval  `json:"speedup"`
	// Load is what became of the arrivals, where ops arrive at a rate.
	Load       *CellLoad `json:"load,omitempty"`
	Latency    Latency   `json:"latency_ns"`
	CPUNsPerOp float64   `json:"cpu_ns_per_op"`
	// MinorFaultsPerOp is how many pages an op made the kernel map in.
	MinorFaultsPerOp float64 `json:"minor_faults_per_op,omitempty"`
	// Waits are the shares of an op's time in the profiled trial of this
	// cell, on-CPU under the key "on_cpu"; nil where none ran.
	Waits        map[string]float64  `json:"waits,omitempty"`
	PeakRSSBytes int64               `json:"peak_rss_bytes"`
	Threads      int                 `json:"threads"`
	FailedOps    int64               `json:"failed_ops"`
	Ops          int64               `json:"ops"`
	Errors       []record.ErrorCount `json:"errors,omitempty"`
	Output       string              `json:"output,omitempty"` // folder of a broken trial
}

// Quartile is a median with its order-statistic interval. Of an eliminated cell
// none is claimed: Low and High are the median then, and Level is 0.
type Quartile struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Level  float64 `json:"level,omitempty"`
}

// Latency are quantiles of op times. P99 is 0 with fewer than 1,000 timed ops.
type Latency struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	P99 int64 `json:"p99"`
}

// Scaling is the fit of the Universal Scalability Law to one model's levels.
type Scaling struct {
	Model model.Model `json:"model"`
	Sigma float64     `json:"sigma"`
	Kappa float64     `json:"kappa"`
	R2    float64     `json:"r2"`
	// Lambda is the throughput that the fit expects of one op in flight, in ops
	// per second: with it the curve can be drawn. 0 without a fit.
	Lambda float64 `json:"lambda,omitempty"`
	// PeakConcurrency is the level of most throughput; 0 if throughput only
	// ever grows. Extrapolated says that it lies beyond the highest level that
	// was measured.
	PeakConcurrency float64 `json:"peak_concurrency"`
	Extrapolated    bool    `json:"extrapolated,omitempty"`
	// The intervals hold the lower and the upper end at the confidence Level;
	// an upper end that the levels do not bound is left out, and both are
	// where they exclude every peak.
	SigmaInterval []float64 `json:"sigma_interval,omitempty"`
	KappaInterval []float64 `json:"kappa_interval,omitempty"`
	PeakInterval  []float64 `json:"peak_interval,omitempty"`
	Level         float64   `json:"level,omitempty"`
	Refused       string    `json:"refused,omitempty"` // why there is no fit
}

// A ProfileFile is one file under profiles/.
type ProfileFile struct {
	Model       model.Model        `json:"model"`
	Concurrency int                `json:"concurrency"`
	Kind        record.ProfileKind `json:"kind"`
	Path        string             `json:"path"` // relative to the run directory
	PerOp       bool               `json:"per_op,omitempty"`
	Problem     string             `json:"problem,omitempty"`
}

// A Flame is the derived profiles of one cell, as reports draw them.
type Flame struct {
	Cell plan.Cell
	Set  *profile.Set
}

// A Warning is a doubt about what was nevertheless done.
type Warning struct {
	ID      string `json:"id"` // stable, kebab-case
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}
