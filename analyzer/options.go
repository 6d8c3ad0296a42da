package analyzer

import (
	"time"

	"github.com/concprof/concprof/probes/plan"
)

// Options hold every threshold that planning and judging use. Each field
// says its unit and where its default comes from; a rule never holds a number
// of its own. Use DefaultOptions and change what you must.
//
// "Measured" refers to the 14 kinds of op on two cores, idle and with two busy
// neighbours, on which the rules were found.
type Options struct {
	// IOBand and CPUBand bound the classes on the demand scale between the
	// controls: at most IOBand is io-bound, at least CPUBand cpu-bound, between
	// them mixed. At 0.8 overlapping the waits could gain at most 1/0.8 = 1.25x;
	// at 0.2 a second core could gain at most as much.
	IOBand, CPUBand float64
	// ControlCPUMin and ControlWaitMax are the demands at which the two
	// controls count as what they are: well inside their own bands. Measured:
	// 0.97 to 1.02 and 0.00 to 0.05, also with busy neighbours.
	ControlCPUMin, ControlWaitMax float64
	// HandOvers is how many other threads may have to get a processor before a
	// blocked op's thread is woken: the runtime's that watches timers and
	// sockets, and the one that has the P to hand on. Measured with nine tenths
	// of two cores taken by other programs: a pure computation, stopped by the
	// collector and the profilers only, was "blocked" for up to twice the time
	// that its own thread queued.
	HandOvers float64
	// Level is the confidence level that intervals aim at, a ratio.
	Level float64
	// MinReps is the least number of trials behind a class or a
	// recommendation: order statistics of fewer than 6 values cannot bound a
	// median at 0.95.
	MinReps int
	// MaxClassify is how many classifying trials are run while the interval of
	// the demand straddles a band: 12 values bound their median by the third
	// and the tenth.
	MaxClassify int
	// Tie is the relative difference below which two cells are equal even
	// where noise is less: nobody should change a program for 5 %. So sequential
	// is given up for a gain whose whole interval lies beyond it.
	Tie float64
	// SpreadTie is the factor on the tie margin up to which a difference whose
	// interval contains "none" is a tie too, and on Tie up to which one from
	// sequential is whose interval contains Tie. Beyond it a difference whose
	// interval contains "none" is unresolved, not absent.
	SpreadTie float64
	// Resamples is how often the bootstrap draws; 1,000 bounds a 95 %
	// percentile to about 0.7 points of its level.
	Resamples int
	// NoiseSplits and NoiseQuantile define the noise floor: the quantile over
	// so many random half splits of the baseline against itself. Simulated, 1
	// in 20 comparisons of a thing with itself exceeds the floor of the default.
	NoiseSplits   int
	NoiseQuantile float64
	// MaxFloor is the noise floor above which nothing is recommended: repeats
	// that spread more than 1.3x hide the gain of a second core.
	MaxFloor float64
	// MinP99Ops is the least number of timed ops behind a p99: 10 beyond it.
	MinP99Ops int64
	// MinTailOps is the least number of ops of a trial whose own p99 is compared
	// where ops arrive at a rate: of fewer it is their maximum.
	MinTailOps int64
	// MinWindow is how many times as long as an op alone the time of a trial is in
	// which ops arrive: at 2 half of the arrivals can have ended by its end.
	MinWindow float64
	// WindowShare is the share of a trial's timeout for which ops may arrive: the
	// rest is for its start, its end and the ops that are then in flight.
	WindowShare float64
	// HeldShare is the share of the arrivals that were due in time that must be
	// done for a cell to hold the rate: a cell that can do no more falls behind by
	// what is missing, and what is less than Tie is a tie. One stall at the end of
	// a trial weighs as much.
	HeldShare float64

	// Crowded is the share of the ops that may find all workers busy when they
	// arrive, for as many workers to be predicted: what happens to 1 in 100 ops
	// does not show in a p99.
	Crowded float64

	// MaxForeign is the share of all cores' time that other programs may take.
	// Measured: at 0.15 of two cores a parallel speedup of 1.83 read 1.5.
	MaxForeign float64
	// MaxSteal is the share that the hypervisor may take, and MaxThrottled the
	// share of a trial's wall time for which a CPU quota may stop it: the tie
	// margin, for what they take is missing from throughput one to one.
	MaxSteal, MaxThrottled float64

	// MutexWaitShare is mutex wait / wall / (C-1) of the contention probe from
	// which a lock limits. Measured: 0.73 to 1.15 under a lock, at most 0.01
	// without; their geometric mean is 0.09.
	MutexWaitShare float64
	// LockShare is the same limit for the share of lock waits in the probe's
	// wall profile, which also sees what the counter misses (os.File, flock);
	// and for the growth of the wait that a saturated downstream is placed at.
	LockShare float64
	// GILWaitShare is the share of the ops' time in the contention probe that
	// they wait for CPython's GIL from which it limits. Measured: 0.65 with 4
	// threads of pure Python, at most 0.03 with sha256 or sockets; their
	// geometric mean is 0.14.
	GILWaitShare float64
	// GILShare is the share of an op's time holding the GIL from which it limits
	// where no threads were tried, or where it allows less than the processors do:
	// at 0.5 one interpreter gains at most 2x.
	GILShare float64
	// GILGain is the factor by which processes must be expected to beat the
	// threads of one interpreter to be predicted, and what the contention probe
	// may show to be serial beyond the GIL's share and still be the GIL.
	// Measured: they reached 1.6 to 1.8 of 2 on two cores.
	GILGain float64
	// GILReached is the share of what one GIL allows from which a throughput
	// that stays flat is the GIL's doing, measured: 15.4 to 16.1 of 16.3; and of
	// what the processors allow, from which threads that wait for the GIL are not
	// limited by it, measured: sha256 reached 1.9 of 2, Python 0.9 to 1.1.
	GILReached float64
	// GCShare is GC's share of CPU time from which it limits. GOGC=100 aims at
	// a quarter of the CPU for the collector's background workers; half of
	// that already costs a parallel model an eighth of its cores.
	GCShare float64
	// MinGCCycles is how many collections the trials must have seen in all
	// before GCShare is judged: one collection in a short trial is chance.
	MinGCCycles int64
	// LoopStall is the share of an op's wall time in blocking calls from which
	// the event loop is not eligible: it would stall every other op for it.
	// Of asyncio, whose loop is measured, it is the share of the time that the
	// loop is busy without computing.
	LoopStall float64
	// LoopHog is the time that one step of a task may compute before it holds
	// the loop up: what people notice begins at some 50 to 100 ms.
	LoopHog time.Duration
	// Flat, LatencyGrowth and IdleCPU tell a saturated downstream: doubling
	// the concurrency gains less than Flat, latency grows by the factor
	// LatencyGrowth and less than the share IdleCPU of the cores is used. An op
	// of the contention probe that takes LatencyGrowth times as long as alone,
	// beside idle cores, waits for something that serves only some at once.
	Flat, LatencyGrowth, IdleCPU float64
	// Oversubscribed is the share of its best throughput that a model must
	// lose at a higher level, with the cores busy, to be called so; of a level with
	// fewer than MinBlocks trials, what PilotFactor takes out.
	Oversubscribed float64
	// BusyCPU is the share of the cores in use from which they count as busy,
	// and the demand from which the profile's clock must agree with rusage's.
	BusyCPU float64

	// CPUPerOp is the factor by which CPU time per op may differ from the
	// baseline's before it is named as an artefact. Measured: the same work
	// moved by less than 1.1 under busy neighbours.
	CPUPerOp float64
	// FaultCost is what a minor page fault costs. Measured: 1.9 us on a virtual
	// machine, first touches of zeroed 4 KiB pages.
	FaultCost time.Duration
	// ClockDiff is the relative difference that the CPU profile and the
	// thread's clock may show on busy ops. Measured: 0.01 to 0.03.
	ClockDiff float64
	// MaxResidual is the share of CPU time that the wall profile may miss
	// before off-CPU time is not drawn from it.
	MaxResidual float64
	// MinHz is the achieved rate of a wall profile, per second, below which it
	// is used with a warning: what is blocked stays right, what is busy between
	// two samples is missed.
	MinHz float64
	// TraceDiff is the share of an op's time that the wall profiles and the
	// execution trace may charge to different waits before a warning. A share of
	// a half, by the 90 samples of the classifying trials, has a standard deviation
	// of 0.053; three of them are 0.16, and ops that vary differ from one trial to
	// the next on top of that. Measured on 32 Go ops of testdata/truth, beside other
	// load: 0.21 for one whose file locks are read as files, at most 0.09 for all
	// others.
	TraceDiff float64
	// ForeignGap is by how much, beyond the margin of sampling, a function's share
	// in a profile of another program must be off to be told: 0.10. The shares of
	// cProfile were off by up to 0.12 where it slowed Python code down
	// (docs/benchmarks.md, the frame reader beside other profilers).
	ForeignGap float64
	// ForeignCall is the longest own time of a function, by the call that it gets
	// or makes, at which the cost of tracing may explain what cProfile says too
	// much: 1 µs. A million calls of an empty function took 0.5 to 2.3 µs each
	// longer under cProfile (CPython 3.11, on a machine with other load).
	ForeignCall time.Duration
	// Granularity is the share of sequential throughput below which a model at
	// concurrency 1 is dominated by its own cost, and SmallOp the op's time
	// from which that cannot be: handing an op over costs about a microsecond.
	Granularity float64
	SmallOp     time.Duration
	// HandOverThread and HandOverProcess are what it costs CPython to start a
	// thread for an op, and to hand one to a process. Measured: 0.3 to 0.7 ms and
	// 0.1 to 0.2 ms. An op is small where that is more than 1 - Granularity of
	// it.
	HandOverThread, HandOverProcess time.Duration
	// Batch is how long the ops last that the Python probe hands to a process
	// at a time, MaxBatch how many they are at most: its CHUNK_NS and MAX_CHUNK.
	Batch    time.Duration
	MaxBatch int
	// SystemShare is the share of an op's CPU time spent in the kernel from
	// which asyncio's reads are suspected of mapping memory each time. Measured:
	// 613 of 884 us went once large blocks were kept.
	SystemShare float64
	// ObserverEffect is the factor by which profiling may slow the sequential
	// cell before a warning.
	ObserverEffect float64

	// FailureSigmas is how many standard deviations more ops than under the
	// baseline may fail before a cell counts as failing more.
	FailureSigmas float64
	// LeftGoroutines is how many goroutines may be left after all ops of a
	// trial: those of idle connections and of the runtime.
	LeftGoroutines int
	// LeftOpenFiles is how many descriptors more than before, and than there
	// were ops in flight, may be open after all ops of a trial: those of pools,
	// which keep one or two an op in flight, and of the runtime.
	LeftOpenFiles int

	// MinLevels is the least number of levels for a fit of the Universal
	// Scalability Law, and MinR2 the least goodness at which its peak is told.
	MinLevels int
	MinR2     float64

	// PilotFactor eliminates a cell whose pilot is so many times worse than
	// the best pilot. Repeats of short trials spread by up to 1.3x on a busy
	// machine; 1.5 leaves a margin. Nor does one pilot tell of what is better by less.
	PilotFactor float64
	// KneeLevels is how many levels may be added between those of the plan, beside
	// the least level of the leading model that is as good as its best: two,
	// one on either side, halve the gap that the pool's size lies in, and 4 leave
	// a quarter of it. Levels above the plan's are added while doubling gains more than Flat, up
	// to the plan's MaxLevel.
	KneeLevels int
	// MinBlocks is the number of blocks after which cells may be eliminated.
	MinBlocks int
	// ControlReps is the number of trials of each control in each of the two
	// rounds: together MinReps.
	ControlReps int
	// ProbeConcurrency is how many ops the contention probe has in flight.
	ProbeConcurrency int
	// HangFactor and MinHang bound a contention probe and a pilot: one that takes
	// so many times as long as its ops one after another, and at least MinHang,
	// is ended. At a factor of 2 so many in flight do worse than sequential, if
	// they end at all; 3 s are beyond what starting a process takes on a host
	// that is busy: with 94 % of it taken, starting four workers took 2.4 s.
	HangFactor float64
	MinHang    time.Duration
	// ProfileConcurrency caps the ops in flight of profiled trials. fgprof costs
	// 0.9 us per goroutine and sample; stacks do not change above it.
	ProfileConcurrency int

	// Shares of a workload's budget: what classifying, the contention probe,
	// the pilots and the profiled trials may take each.
	ClassifyShare, ProbeShare, PilotShare, ProfileShare float64
	// RaceShare is what the trial under the race detector may take, whose ops
	// take 2 to 20 times as long (go.dev/doc/articles/race_detector).
	RaceShare float64
	// RaceSlowdown is how many times as long as without it the ops of that trial
	// are waited for before it may be said to hang: 20, the most that the same page
	// tells of.
	RaceSlowdown float64
	// CheckShare is the part of a workload's budget that each trial which keeps
	// the results of single ops may take. Results differ early or hardly ever:
	// 1.2 s of 60 s find the op.
	CheckShare float64
	// TraceShare is what the trial under Go's execution tracer may take; where
	// that is too short for MinTraced, or for one op, there is none.
	TraceShare float64
	// ControlShare is what the controls may take of the whole run's budget.
	ControlShare float64
	// The least and the most time for which a trial runs ops, by its kind.
	// fgprof samples at 99 Hz: 150 ms give 15 samples a trial, 90 for the
	// class. A control lasts at most MinProfiled.
	MinControl               time.Duration
	MinProfiled, MaxProfiled time.Duration
	MinPilot, MaxPilot       time.Duration
	// MinTraced and MaxTraced are the same for the trial under the execution
	// tracer, which misses no wait: it needs ops, not samples.
	MinTraced, MaxTraced time.Duration
	MinTiming, MaxTiming time.Duration
	// Overhead is what a trial costs besides its ops until some have shown it.
	Overhead time.Duration
	// MinOps is the least number of ops of a timing trial, and Rounds the
	// least number of ops per op in flight, so that starting and ending do not
	// dominate; both give way when the budget cannot hold them.
	MinOps, Rounds int64
	// LikePeer is the greatest ratio between the numbers of ops that trials of
	// a cell would have in two runs measured side by side up to which both have
	// the same number: pilots of one cell differ by less, and a trial half as
	// long again is still within its budget's share.
	LikePeer float64
}

// DefaultOptions returns the documented defaults.
func DefaultOptions() Options {
	return Options{
		IOBand: 0.2, CPUBand: 0.8,
		ControlCPUMin: 0.85, ControlWaitMax: 0.15,
		HandOvers: 2,
		Level:     0.95, MinReps: 6, MaxClassify: 12,
		Tie: 0.05, SpreadTie: 2,
		Resamples: 1000, NoiseSplits: 200, NoiseQuantile: 0.99,
		MaxFloor:  0.30,
		MinP99Ops: 1000, MinTailOps: 100, MinWindow: 2, WindowShare: 0.75, HeldShare: 0.95, Crowded: 0.01,
		MaxForeign: 0.15, MaxSteal: 0.05, MaxThrottled: 0.05,
		MutexWaitShare: 0.10, LockShare: 0.30, GCShare: 0.125,
		GILWaitShare: 0.10, GILShare: 0.5, GILGain: 1.25, GILReached: 0.8, MinGCCycles: 12, LoopStall: 0.05, LoopHog: 50 * time.Millisecond,
		Flat: 0.10, LatencyGrowth: 1.5, IdleCPU: 0.5, Oversubscribed: 0.10, BusyCPU: 0.8,
		CPUPerOp: 1.25, FaultCost: 2 * time.Microsecond, ClockDiff: 0.10, MaxResidual: 0.10, MinHz: 50, TraceDiff: 0.25, ForeignGap: 0.10, ForeignCall: time.Microsecond,
		Granularity: 0.8, SmallOp: 100 * time.Microsecond,
		HandOverThread: 700 * time.Microsecond, HandOverProcess: 200 * time.Microsecond, Batch: time.Millisecond, MaxBatch: 256, SystemShare: 0.5, ObserverEffect: 1.10,
		FailureSigmas: 3, LeftGoroutines: 1000, LeftOpenFiles: 128,
		MinLevels: 6, MinR2: 0.9,
		PilotFactor: 1.5, KneeLevels: plan.KneeLevels, MinBlocks: 3, ControlReps: 3, ProbeConcurrency: 8, HangFactor: 2, MinHang: 3 * time.Second, ProfileConcurrency: 256,
		ClassifyShare: 0.20, ProbeShare: 0.05, PilotShare: 0.25, ProfileShare: 0.15, CheckShare: 0.02, RaceShare: 0.05, RaceSlowdown: 20, TraceShare: 0.02, ControlShare: 0.10,
		MinControl:  100 * time.Millisecond,
		MinProfiled: 150 * time.Millisecond, MaxProfiled: time.Second,
		MinPilot: 50 * time.Millisecond, MaxPilot: 300 * time.Millisecond,
		MinTraced: 50 * time.Millisecond, MaxTraced: 200 * time.Millisecond,
		MinTiming: 100 * time.Millisecond, MaxTiming: time.Second,
		Overhead: 60 * time.Millisecond,
		MinOps:   10, Rounds: 2, LikePeer: 1.5,
	}
}
