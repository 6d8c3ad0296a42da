package harness

import "github.com/concprof/concprof/probes/model"

// A Spec tells a probe what its one trial is. It arrives on record.SpecFD as
// one JSON document.
type Spec struct {
	Version int    `json:"version"` // record.ProtocolVersion
	Token   string `json:"token"`   // repeated in every event
	Trial   string `json:"trial"`

	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
	// Cores is how many processors the trial may use: the permits of hybrid,
	// the Ps of every model but event-loop.
	Cores int `json:"cores"`

	// Ops, ForNs and MinOps are as in plan.Trial: so many ops, or as many as
	// start within a time.
	Ops    int64 `json:"ops,omitempty"`
	ForNs  int64 `json:"for_ns,omitempty"`
	MinOps int64 `json:"min_ops,omitempty"`
	// MaxOps is the most that a trial of ForNs may run; 0 means no bound.
	MaxOps  int64   `json:"max_ops,omitempty"`
	MaxRate float64 `json:"max_rate,omitempty"` // ops per second; 0 means no bound
	// Rate makes the trial open loop: ops arrive at so many a second, evenly, and
	// their latency runs from when they arrive. The trial is over when the time of
	// Ops arrivals, or ForNs, has passed: what has not started by then is left out.
	// 0 means that ops start as fast as they can.
	Rate float64 `json:"rate,omitempty"`

	Steps    []Step  `json:"steps"`
	Offload  []bool  `json:"offload,omitempty"`
	Inputs   *Inputs `json:"inputs,omitempty"`
	Setup    string  `json:"setup,omitempty"` // keys of functions
	Teardown string  `json:"teardown,omitempty"`
	NoDigest bool    `json:"no_digest,omitempty"`

	// Mode selects what is observed beside the ops.
	Mode Mode `json:"mode"`
	// LatencyEvery is the k of "time every k-th op"; 0 lets the probe choose
	// k such that the clock costs at most 1 % of an op.
	LatencyEvery int64 `json:"latency_every,omitempty"`
	// Results is the number of ops, from op 0 on, whose results are reported one
	// by one; 0 in all but check trials.
	Results int64 `json:"results,omitempty"`
	// PythonPath are folders, absolute, in which the Python probe looks for
	// modules after the standard library.
	PythonPath []string `json:"python_path,omitempty"`
	// TimeoutNs is when the process is ended, counted from its start; 0 for
	// never. Profilers stop a little sooner, so that what they saw is kept.
	TimeoutNs int64 `json:"timeout_ns,omitempty"`
	// Scratch is a folder of the trial's own, removed after it.
	Scratch string `json:"scratch,omitempty"`

	// Worker is set by a probe of the processes model for the workers that it
	// starts, never by the runner.
	Worker *Worker `json:"worker,omitempty"`
}

// A Worker tells a process that it is one of the workers of a probe. Besides
// those of a probe it has two more descriptors: memory that it shares with
// the others, and a pipe that gives it a byte when the ops begin.
type Worker struct {
	Index int `json:"index"` // from 0
}

// Mode says how a trial is observed.
type Mode string

// The modes.
const (
	ModeDry      Mode = "dry"      // one op; its result is reported
	ModeTiming   Mode = "timing"   // no profilers
	ModeClassify Mode = "classify" // profiled, on a locked thread whose clocks are read
	ModeProfile  Mode = "profile"  // profiled
	ModeTrace    Mode = "trace"    // one op after another under runtime/trace
)

// Inputs are the lines of a file or the numbers 0 to Count-1, cycled.
type Inputs struct {
	File  string `json:"file,omitempty"` // absolute
	Count int64  `json:"count,omitempty"`
}

// A Step is one step of an op.
type Step struct {
	Name string   `json:"name"`
	Kind StepKind `json:"kind"`

	Func string `json:"func,omitempty"` // key of a registered function

	// Of Python callables, which only the Python probe runs: the module to
	// import, or in Path the file to load; dotted names in it, of which at
	// least one is set.
	Module string `json:"module,omitempty"`
	Sync   string `json:"sync,omitempty"`
	Async  string `json:"async,omitempty"`

	ForNs      int64    `json:"for_ns,omitempty"`
	JitterNs   int64    `json:"jitter_ns,omitempty"`
	Iterations int64    `json:"iterations,omitempty"` // of CPU work; 0: calibrate (dry only)
	Work       string   `json:"work,omitempty"`       // cpu: sha256, json, matmul, sort, gzip; lock: cpu, sleep; file: read, write, fsync
	Address    string   `json:"address,omitempty"`    // http: URL; tcp: host:port
	Method     string   `json:"method,omitempty"`
	Path       string   `json:"path,omitempty"`
	Bytes      int64    `json:"bytes,omitempty"`
	Count      int64    `json:"count,omitempty"` // alloc: objects; channel: messages
	Connect    bool     `json:"connect,omitempty"`
	Argv       []string `json:"argv,omitempty"` // exec; "{input}" is replaced by the op's input
	Dir        string   `json:"dir,omitempty"`
	// Stdin "input" gives the op's input to the command on its standard
	// input.
	Stdin string `json:"stdin,omitempty"`
}

// StepKind names what a step does.
type StepKind string

// The kinds of step.
const (
	KindSleep   StepKind = "sleep"
	KindHTTP    StepKind = "http"
	KindTCP     StepKind = "tcp"
	KindFile    StepKind = "file"
	KindCPU     StepKind = "cpu"
	KindAlloc   StepKind = "alloc"
	KindLock    StepKind = "lock"
	KindChannel StepKind = "channel"
	KindExec    StepKind = "exec"
	KindGo      StepKind = "go"
	KindPython  StepKind = "python"
)
