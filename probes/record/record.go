// Package record defines what one trial reports.
//
// It is the leaf of concprof's packages: it imports the standard library
// only, because it is compiled into the programs that concprof measures.
// Base units everywhere: times in nanoseconds, sizes in bytes, ratios from 0
// to 1.
package record

// Record is everything that one finished trial reported. A field that could
// not be measured on a host is left at its zero value and named in Missing,
// never guessed.
type Record struct {
	Status Status `json:"status"`
	// Reason says in one line why the status is not "ok".
	Reason string `json:"reason,omitempty"`
	// Stage is where the trial ended when the status is not "ok".
	Stage Stage `json:"stage,omitempty"`
	// Frame is the innermost frame of the user's code in a crash, as
	// "function file:line"; empty when there is none.
	Frame string `json:"frame,omitempty"`

	Ops       int64 `json:"ops"`
	FailedOps int64 `json:"failed_ops,omitempty"`
	// Errors counts the distinct failures of ops, most frequent first, at
	// most MaxErrors of them.
	Errors []ErrorCount `json:"errors,omitempty"`

	// WallNs runs from the start of the first op to the end of the last.
	WallNs int64 `json:"wall_ns"`
	// SetupNs is the time from the probe's start until it was ready to run
	// ops: initialisation of packages, setup functions, start of workers.
	SetupNs int64 `json:"setup_ns,omitempty"`
	// ElapsedNs is the whole life of the trial as the runner saw it: what it
	// costs of the budget.
	ElapsedNs int64 `json:"elapsed_ns"`
	// StartedNs is the wall clock's time at the start, since the Unix epoch.
	// It is for display only: no difference of it is ever taken.
	StartedNs int64 `json:"started_ns,omitempty"`

	CPU     CPU     `json:"cpu"`
	Thread  *Thread `json:"thread,omitempty"`
	Memory  Memory  `json:"memory"`
	Threads int     `json:"threads,omitempty"` // most OS threads seen, of the process tree

	// Latency is the distribution of op times; every LatencyEvery-th op is
	// timed, so that reading the clock costs at most 1 % of the op. With a Load
	// every op is, and its time runs from when it was due.
	Latency      *Histogram `json:"latency,omitempty"`
	LatencyEvery int64      `json:"latency_every,omitempty"`

	// Load is what became of ops that arrive at a fixed rate, nil without one.
	Load *Load `json:"load,omitempty"`

	Digest *Digest `json:"digest,omitempty"`
	// Results are what single ops returned, by op: in check trials only.
	Results []Result `json:"results,omitempty"`
	// Steps are the steps of a multi-step op, in order, each measured by
	// itself. Only sequential classifying trials report them.
	Steps []Step `json:"steps,omitempty"`

	// Race is what the race detector found, in the race trial alone. The runner
	// reads it from what the detector wrote; a probe does not report it.
	Race *Race `json:"race,omitempty"`

	Runtime *Runtime `json:"runtime,omitempty"`
	Loop    *Loop    `json:"loop,omitempty"`
	Python  *Python  `json:"python,omitempty"`
	// Notes tell what a model did to failing ops beyond failing them: "2
	// tasks were never awaited", "the pool broke". At most MaxNotes.
	Notes    []string  `json:"notes,omitempty"`
	Profiles []Profile `json:"profiles,omitempty"`
	Exit     *Exit     `json:"exit,omitempty"`
	Host     *Host     `json:"host,omitempty"`
	Dry      *Dry      `json:"dry,omitempty"`

	// Missing names what this host or this target could not measure.
	Missing []string `json:"missing,omitempty"`
}

// MaxNotes is the number of notes that a Record keeps.
const MaxNotes = 16

// MaxErrors is the number of distinct failures that a Record keeps.
const MaxErrors = 8

// An ErrorCount is one kind of failed op.
type ErrorCount struct {
	Type    string `json:"type"`    // "*net.OpError", "exit status 3"
	Message string `json:"message"` // of the first op that failed so, at most 256 bytes
	Count   int64  `json:"count"`
}

// CPU is the processor time and scheduling of the process tree between the
// start of the first op and the end of the last.
type CPU struct {
	UserNs   int64 `json:"user_ns"`
	SystemNs int64 `json:"system_ns"`
	// ChildrenNs is the part of UserNs + SystemNs that child processes used:
	// those an op started and waited for, and the workers of the processes
	// model.
	ChildrenNs int64 `json:"children_ns,omitempty"`
	// RunnableNs is the time that threads of the probe were ready to run but
	// waited for a processor (/proc/<pid>/task/*/schedstat), summed.
	RunnableNs          int64 `json:"runnable_ns,omitempty"`
	VoluntarySwitches   int64 `json:"voluntary_switches,omitempty"`
	InvoluntarySwitches int64 `json:"involuntary_switches,omitempty"`
}

// Thread is the one OS thread that ran the ops of a sequential classifying
// trial, over the same window as WallNs less PausedNs.
type Thread struct {
	CPUNs      int64 `json:"cpu_ns"`
	RunnableNs int64 `json:"runnable_ns"`
	// PausedNs is the part of WallNs in which no op was in flight, because
	// max_rate held the next one back, and PausedCPUNs what the thread computed in
	// it, to no op's account.
	PausedNs    int64 `json:"paused_ns,omitempty"`
	PausedCPUNs int64 `json:"paused_cpu_ns,omitempty"`
	// LabelledNs is the CPU time of the CPU profile's samples that carry the
	// op's label. It exceeds CPUNs when an op starts goroutines that compute.
	LabelledNs int64 `json:"labelled_ns,omitempty"`
}

// A Load is what became of ops that arrive at a fixed rate, evenly: op n is due
// n / RatePerSec after the start, whether or not it can start then.
type Load struct {
	RatePerSec float64 `json:"rate_per_sec"`
	WindowNs   int64   `json:"window_ns"` // from the start; what has not started by its end never does
	Due        int64   `json:"due"`       // ops that were due in the window
	Done       int64   `json:"done"`      // those that had ended by its end
}

// Memory is what the process tree used.
type Memory struct {
	PeakRSSBytes int64 `json:"peak_rss_bytes"`
	MinorFaults  int64 `json:"minor_faults,omitempty"`
	MajorFaults  int64 `json:"major_faults,omitempty"`
}

// A Step is one step of an op, summed over the ops in which it was sampled.
type Step struct {
	Name   string `json:"name"`
	Ops    int64  `json:"ops"` // how many ops were sampled
	WallNs int64  `json:"wall_ns"`
	CPUNs  int64  `json:"cpu_ns"` // of the op's thread and of children
	// RunnableNs is the run-queue delay of the op's thread.
	RunnableNs int64 `json:"runnable_ns"`
}

// Runtime holds what Go's runtime/metrics counted during the ops.
type Runtime struct {
	GoMaxProcs int `json:"gomaxprocs"`
	// GoMaxProcsBefore is what it was before the first op, which may change it.
	GoMaxProcsBefore int `json:"gomaxprocs_before,omitempty"`
	// OpenFilesBefore and OpenFilesAfter count the probe's descriptors before
	// the first op and after the last; 0 where that cannot be told.
	OpenFilesBefore int `json:"open_files_before,omitempty"`
	OpenFilesAfter  int `json:"open_files_after,omitempty"`
	// GCCPUNs is the CPU time that garbage collection took from the ops: all
	// of it but marking on processors that were idle, which is GCIdleNs.
	GCCPUNs      int64 `json:"gc_cpu_ns"`
	GCIdleNs     int64 `json:"gc_idle_ns,omitempty"`
	GCCycles     int64 `json:"gc_cycles"`
	AllocBytes   int64 `json:"alloc_bytes"`
	MutexWaitNs  int64 `json:"mutex_wait_ns"`
	SchedP50Ns   int64 `json:"sched_p50_ns"` // time of goroutines in the runnable state
	SchedP99Ns   int64 `json:"sched_p99_ns"`
	GoroutinesAt int64 `json:"goroutines_after"` // left when all ops had ended
	// Goroutines by state, means of polls at 100 Hz; Polls is their number.
	Running  float64 `json:"running"`
	Runnable float64 `json:"runnable"`
	Waiting  float64 `json:"waiting"`
	NotInGo  float64 `json:"not_in_go"`
	Polls    int64   `json:"polls"`
}

// Loop holds what only an event loop reports.
type Loop struct {
	// LagP50Ns, LagP99Ns and LagMaxNs tell how late a timer of the loop
	// fired.
	LagP50Ns int64 `json:"lag_p50_ns"`
	LagP99Ns int64 `json:"lag_p99_ns"`
	LagMaxNs int64 `json:"lag_max_ns"`
	Samples  int64 `json:"samples"`
	// What only asyncio's loop reports: the time in its selector, the time of
	// its turns, how many those were and the longest, and the CPU time of its
	// thread.
	IdleNs        int64  `json:"idle_ns,omitempty"`
	BusyNs        int64  `json:"busy_ns,omitempty"`
	Turns         int64  `json:"turns,omitempty"`
	LongestTurnNs int64  `json:"longest_turn_ns,omitempty"`
	CPUNs         int64  `json:"cpu_ns,omitempty"`
	Tasks         *Tasks `json:"tasks,omitempty"`
	// Blocking is the call that kept the loop longest from its selector
	// without computing, BlockingNs for how long such calls did in all.
	Blocking   *Frame `json:"blocking,omitempty"`
	BlockingNs int64  `json:"blocking_ns,omitempty"`
}

// A Profile is one profile that the probe wrote.
type Profile struct {
	Kind ProfileKind `json:"kind"`
	File string      `json:"file"` // name in the trial's folder
	// SHA256 is the digest of the file, in hexadecimal, as concprof kept it: a
	// probe does not report it.
	SHA256 string `json:"sha256,omitempty"`
	// WindowNs is how long the profiler ran; Samples how often it sampled;
	// AchievedHz their quotient (for wall profiles counted by a metronome
	// goroutine, because fgprof's own header rounds).
	WindowNs   int64   `json:"window_ns"`
	Samples    int64   `json:"samples"`
	AchievedHz float64 `json:"achieved_hz"`
	// Problem says why the profile is missing or not to be trusted.
	Problem string `json:"problem,omitempty"`
}

// ProfileKind says what a profile's samples count.
type ProfileKind string

// The kinds of profile. Probes write CPU and Wall; OffCPU and Merged are
// derived from them.
const (
	CPUProfile    ProfileKind = "cpu"
	WallProfile   ProfileKind = "wall"
	OffCPUProfile ProfileKind = "offcpu"
	MergedProfile ProfileKind = "merged"
	// ExecutionTrace is what runtime/trace writes: every change of state of every
	// goroutine. It is no pprof profile, and so not among ProfileKinds.
	ExecutionTrace ProfileKind = "trace"
)

// TraceFile is the name of an execution trace in the trial's folder, and
// MaxTraceBytes the most that is kept or read of one: the probe ends it at a
// quarter of that.
const (
	TraceFile     = "trace.out"
	MaxTraceBytes = 4 << 20
)

// ProfileKinds returns every kind of pprof profile, in the order in which reports list them.
func ProfileKinds() []ProfileKind {
	return []ProfileKind{CPUProfile, WallProfile, OffCPUProfile, MergedProfile}
}

// Exit is how the probe process ended, as its keeper saw it.
type Exit struct {
	Code   int    `json:"code"`             // -1 when it was ended by a signal
	Signal string `json:"signal,omitempty"` // "killed", "segmentation fault"
	// Strays counts processes of the trial that were still alive when the
	// probe had ended, and were killed.
	Strays       int   `json:"strays,omitempty"`
	StdoutBytes  int64 `json:"stdout_bytes,omitempty"`
	StderrBytes  int64 `json:"stderr_bytes,omitempty"`
	DroppedBytes int64 `json:"dropped_bytes,omitempty"` // of both, beyond the bound
	// UserNs and SystemNs are of the whole tree over the whole life.
	UserNs   int64 `json:"user_ns"`
	SystemNs int64 `json:"system_ns"`
}

// Host is what else the machine did while the trial ran.
type Host struct {
	// ForeignShare is the share of all cores' time that went to neither this
	// trial, its servers nor concprof. StealShare is what the hypervisor took.
	ForeignShare float64 `json:"foreign_share"`
	StealShare   float64 `json:"steal_share"`
	// ThrottledNs is how long the cgroup's CPU quota stopped the trial.
	ThrottledNs int64 `json:"throttled_ns,omitempty"`
	// PressureShare is the share of time in which some task waited for a
	// processor (/proc/pressure/cpu, "some").
	PressureShare float64 `json:"pressure_share"`
	// GapNs is how long the machine or the trial stood still (CLOCK_BOOTTIME
	// minus CLOCK_MONOTONIC).
	GapNs int64 `json:"gap_ns,omitempty"`
}

// Dry is what the op that runs before anything is measured showed.
type Dry struct {
	// Result shows what the op returned, "" for nothing: the first line of a
	// text, quoted; the number of bytes and their beginning; else the value as
	// Go prints it. It has one line and at most 256 bytes.
	Result string `json:"result"`
	OpNs   int64  `json:"op_ns"`
	// Iterations holds, per step, how many units of built-in CPU work make
	// up the time that the step asks for; 0 for other steps. It is taken once
	// and given to every later trial, so that all models do the same work.
	Iterations []int64 `json:"iterations,omitempty"`
	// GIL says that a free-threaded interpreter ran the op with its GIL all
	// the same: a module that the op imports may put it back on.
	GIL bool `json:"gil,omitempty"`
}
