// Package workload is the file in which a user says what is to be judged:
// workload.yaml.
//
// The types here are what a decoded file holds. The JSON Schema in
// schema.json is the one source of truth for what a file may hold: Parse
// checks a file against it and the published schema is the same bytes; a test
// holds these types to it.
package workload

import (
	"time"

	"github.com/concprof/concprof/probes/model"
)

// File is a decoded workload.yaml.
type File struct {
	Version   int               `json:"version"`
	Workloads []Workload        `json:"workloads"`
	Servers   map[string]Server `json:"servers,omitempty"`
	Models    Models            `json:"models,omitempty"`
	Measure   Measure           `json:"measure,omitzero"`
	Recommend Recommend         `json:"recommend,omitzero"`
	Gate      []string          `json:"gate,omitempty"`

	// Path is the file's path as it was given, "" for a workload that came
	// from the command line; Dir is the folder that relative paths start at.
	Path string `json:"-"`
	Dir  string `json:"-"`
	// Source is the file's text; the run directory keeps it.
	Source []byte `json:"-"`
}

// Workload is a named entry: what an op is, and how it may be run.
type Workload struct {
	Name string `json:"name"`

	// Exactly one of these is set.
	Steps   []Step   `json:"steps,omitempty"`
	Go      *GoFunc  `json:"go,omitempty"`
	Python  *Python  `json:"python,omitempty"`
	Command []string `json:"command,omitempty"`

	Inputs *Inputs `json:"inputs,omitempty"`
	// Prepare and Cleanup are commands run before and after every trial.
	Prepare []string `json:"prepare,omitempty"`
	Cleanup []string `json:"cleanup,omitempty"`
	// Setup and Teardown are called in the probe before the first and after
	// the last op: Go expressions of function type in the target's package, or
	// names in the module of the first Python callable.
	Setup    string `json:"setup,omitempty"`
	Teardown string `json:"teardown,omitempty"`
	// Env names variables that the workload may see: NAME passes the value
	// of concprof's own environment, NAME=value sets it.
	Env []string `json:"env,omitempty"`
	// State "private" declares that workers need not share memory, so that
	// the processes model may be recommended.
	State State `json:"state,omitempty"`
	// Digest "none" switches the comparison of results off.
	Digest string `json:"digest,omitempty"`
	// MaxOps bounds the ops of the whole run, MaxRate the ops per second of
	// any trial; 0 means no bound.
	MaxOps  int64 `json:"max_ops,omitempty"`
	MaxRate Rate  `json:"max_rate,omitempty"`
	// Load has the ops of the trials that time arrive at a fixed rate; nil starts
	// them as fast as the model can.
	Load *OfferedLoad `json:"load,omitempty"`

	Models    Models     `json:"models,omitempty"`
	Measure   *Measure   `json:"measure,omitempty"`
	Recommend *Recommend `json:"recommend,omitempty"`
	Claim     *Claim     `json:"claim,omitempty"`

	// Line is where the entry begins in the file, 1-based; 0 if it came from
	// the command line.
	Line int `json:"-"`
}

// An OfferedLoad has ops arrive evenly at a rate, whether or not they can start.
type OfferedLoad struct {
	Rate Rate `json:"rate"`
}

// Claim is what somebody says of a workload, for the verdict to support or to
// refute on this machine.
type Claim struct {
	Says   string `json:"says"`
	Expect string `json:"expect"` // a Condition
}

// State says whether ops share state.
type State string

// The states.
const (
	Shared  State = "shared" // the default: one process, one set of locks and caches
	Private State = "private"
)

// Models is a list of models; "all" is the list of all of them. It is nil when
// the file says nothing: a workload then takes the file's list, and the file
// all.
type Models []model.Model

// Step is one step of an op. Exactly one field besides Name is set.
type Step struct {
	Name    string   `json:"name,omitempty"`
	Sleep   *Sleep   `json:"sleep,omitempty"`
	HTTP    *HTTP    `json:"http,omitempty"`
	TCP     *TCP     `json:"tcp,omitempty"`
	File    *FileIO  `json:"file,omitempty"`
	CPU     *CPU     `json:"cpu,omitempty"`
	Alloc   *Alloc   `json:"alloc,omitempty"`
	Lock    *Lock    `json:"lock,omitempty"`
	Channel *Channel `json:"channel,omitempty"`
	Exec    []string `json:"exec,omitempty"`
	Go      *GoFunc  `json:"go,omitempty"`
	Python  *Python  `json:"python,omitempty"`
}

// Sleep waits on a timer. In a file also written as "sleep: 20ms".
type Sleep struct {
	For    Duration `json:"for"`
	Jitter Duration `json:"jitter,omitempty"` // plus or minus, uniform
}

// HTTP makes one request and reads the whole answer. Server names an entry of
// servers; otherwise URL is used.
type HTTP struct {
	Server string `json:"server,omitempty"`
	URL    string `json:"url,omitempty"`
	Path   string `json:"path,omitempty"` // joined to the server's address
	Method string `json:"method,omitempty"`
	Body   Size   `json:"body,omitempty"` // bytes sent
}

// TCP sends bytes on a connection and reads as many back.
type TCP struct {
	Server  string `json:"server,omitempty"`
	Address string `json:"address,omitempty"`
	Bytes   Size   `json:"bytes,omitempty"` // default 64
	// Connect opens a connection for every op instead of keeping them.
	Connect bool `json:"connect,omitempty"`
}

// FileIO reads, writes, or writes and fsyncs.
type FileIO struct {
	Op    string `json:"op"`              // read, write, fsync
	Path  string `json:"path,omitempty"`  // default: a file in the trial's own folder
	Bytes Size   `json:"bytes,omitempty"` // default 4KiB
}

// CPU computes. For asks for about that much CPU time, calibrated once per
// run; Iterations fixes the work instead.
type CPU struct {
	Kind       string   `json:"kind"` // sha256, json, matmul, sort, gzip
	For        Duration `json:"for,omitempty"`
	Iterations int64    `json:"iterations,omitempty"`
}

// Alloc allocates Bytes in Objects pieces and drops them.
type Alloc struct {
	Bytes   Size  `json:"bytes"`
	Objects int64 `json:"objects,omitempty"` // default 1
}

// Lock holds one mutex, shared by all ops of the process, while it computes
// or sleeps.
type Lock struct {
	For   Duration `json:"for"`
	While string   `json:"while,omitempty"` // cpu (default) or sleep
}

// Channel plays ping-pong with a goroutine of its own.
type Channel struct {
	Messages int64 `json:"messages"`
}

// GoFunc is a function of the user's own Go module.
type GoFunc struct {
	Package string `json:"package"`
	// Func is a Go expression of function type, evaluated in that package:
	// "Render", "(*Index).Add", "func(s string) error { return parse(s) }".
	Func string   `json:"func"`
	Tags []string `json:"tags,omitempty"`

	Line int `json:"-"` // of func in the file, 1-based
}

// Inputs are what ops are given: the lines of a file, cycled, or the op's
// number from 0 to Count-1, cycled. In a file also "inputs: FILE".
type Inputs struct {
	File  string `json:"file,omitempty"`
	Count int64  `json:"count,omitempty"`
}

// Server is started before the first trial in a process of its own, checked,
// and stopped after the last. Exactly one of HTTP, TCP and Command is set. Its
// address reaches steps by name and other targets as CONCPROF_SERVER_<NAME>.
type Server struct {
	HTTP    *BuiltinServer `json:"http,omitempty"`
	TCP     *BuiltinServer `json:"tcp,omitempty"`
	Command []string       `json:"command,omitempty"`
	// Ready is a tcp:// or http:// address that answers once the command is
	// ready.
	Ready   string   `json:"ready,omitempty"`
	Timeout Duration `json:"timeout,omitempty"` // to become ready, default 10s
}

// BuiltinServer answers every request after Latency plus or minus Jitter.
type BuiltinServer struct {
	Latency        Duration `json:"latency,omitempty"`
	Jitter         Duration `json:"jitter,omitempty"`
	MaxConnections int      `json:"max_connections,omitempty"` // 0: no limit; more wait
	Bytes          Size     `json:"bytes,omitempty"`           // of an answer
	CPU            Duration `json:"cpu,omitempty"`             // computed per request
}

// Measure says how to measure. Zero fields take the defaults.
type Measure struct {
	Runs        int      `json:"runs,omitempty"`
	Warmup      *int     `json:"warmup,omitempty"`
	Budget      Duration `json:"budget,omitempty"` // for one workload
	Concurrency []int    `json:"concurrency,omitempty"`
	Timeout     Duration `json:"timeout,omitempty"` // of one trial
	Seed        uint64   `json:"seed,omitempty"`
	// Race asks for a trial of Go targets that are built with the race detector.
	Race   bool    `json:"race,omitempty"`
	Limits *Limits `json:"limits,omitempty"`
}

// Limits bound what a trial's processes may use.
type Limits struct {
	Memory    Size `json:"memory,omitempty"`
	FileSize  Size `json:"file_size,omitempty"`
	OpenFiles int  `json:"open_files,omitempty"`
	Processes int  `json:"processes,omitempty"`
}

// Recommend says what the best model is the best at.
type Recommend struct {
	Objective   Objective `json:"objective,omitempty"`
	Constraints []string  `json:"constraints,omitempty"`
}

// Objective is what a recommendation optimises.
type Objective string

// The objectives.
const (
	Throughput Objective = "throughput" // the default: most ops per second
	Latency    Objective = "latency"    // least p99, or p50 where there are too few ops
	CPUTime    Objective = "cpu"        // least CPU time an op
	MemoryUse  Objective = "memory"     // least peak RSS
)

// Defaults of Measure.
const (
	DefaultRuns    = 10
	DefaultWarmup  = 1
	DefaultBudget  = 60 * time.Second
	DefaultTimeout = 30 * time.Second
)

// DefaultConcurrency returns the levels that are measured by default.
func DefaultConcurrency() []int { return []int{1, 2, 4, 8, 16, 32, 64} }

// Duration is a time with its unit, as in "20ms".
type Duration time.Duration

// Size is a number of bytes with its unit, as in "64KiB" or "200MB".
type Size int64

// Rate is a number of ops per second, as in "200/s".
type Rate float64

// Target returns what decides which models can run w.
func (w *Workload) Target() model.Target {
	switch {
	case len(w.Command) > 0:
		return model.Target{Kind: model.Command, Steps: 1}
	case w.Go != nil:
		return model.Target{Kind: model.Go, Steps: 1}
	}
	if callables := w.Callables(); len(callables) > 0 {
		return pythonTarget(callables)
	}
	t := model.Target{Kind: model.Steps, Steps: len(w.Steps)}
	for _, s := range w.Steps {
		if s.Go != nil {
			t.Kind = model.Go
		}
	}
	return t
}

// Kind names the one kind of step that s is, as in the file; "" if it has
// none.
func (s *Step) Kind() string {
	switch {
	case s.Sleep != nil:
		return "sleep"
	case s.HTTP != nil:
		return "http"
	case s.TCP != nil:
		return "tcp"
	case s.File != nil:
		return "file"
	case s.CPU != nil:
		return "cpu"
	case s.Alloc != nil:
		return "alloc"
	case s.Lock != nil:
		return "lock"
	case s.Channel != nil:
		return "channel"
	case len(s.Exec) > 0:
		return "exec"
	case s.Go != nil:
		return "go"
	case s.Python != nil:
		return "python"
	}
	return ""
}
