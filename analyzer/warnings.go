package analyzer

import (
	"fmt"
	"slices"

	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// The warnings. Their IDs are a contract: they are not renamed.
const (
	// Of the run.
	WarnNoisyHost   = "noisy-host"       // other load took the processors
	WarnControls    = "controls-failed"  // the controls did not come out as what they are
	WarnTornJournal = "torn-journal"     // the journal was cut at its last good line
	WarnDisturbed   = "trials-disturbed" // some trials were disturbed and repeated

	// Of a workload.
	WarnNotComparable  = "results-not-comparable" // sequential disagrees with itself
	WarnOpaqueResults  = "results-opaque"         // a result could not be read
	WarnFewReps        = "few-repetitions"        // fewer than MinReps trials
	WarnClocksDisagree = "cpu-clocks-disagree"    // CPU profile against the thread's clock
	WarnProfiles       = "profiles-incomplete"    // a profile is missing or cannot be read
	WarnChanged        = "evidence-changed"       // a profile is not the one that the trial left
	WarnSlowSampling   = "sampling-slow"          // the wall profiler sampled too rarely
	WarnResidual       = "wall-profile-blind"     // CPU time that the wall profile missed
	WarnWaits          = "waits-disagree"         // the execution trace tells other waits than the wall profiles
	WarnObserver       = "observer-effect"        // profiling slowed the ops
	WarnCPUPerOp       = "cpu-per-op"             // a model needs other CPU time for the same ops
	WarnLessCPU        = "less-cpu-per-op"        // a model needs less CPU time for the same ops, which is no parallelism
	WarnFaults         = "minor-faults"           // a model needs more pages mapped in for the same ops
	WarnRecv           = "recv-maps-memory"       // asyncio's reads map memory each time
	WarnGranularity    = "task-granularity"       // ops so small that the model's own cost dominates
	WarnWrongResult    = "wrong-result"           // a model's results differ
	WarnRace           = "data-race"              // the race detector found data races
	WarnNoRace         = "race-unchecked"         // the race detector was asked for and has not run
	WarnFailures       = "more-failures"          // a model fails more ops than the baseline
	WarnBroken         = "cells-broken"           // cells that could not be measured
	WarnSemantics      = "changes-semantics"      // processes win, but state is shared
	WarnLoopStall      = "loop-stall"             // blocking calls would stall a true event loop
	WarnMaxOps         = "max-ops-reached"        // the bound on ops reduced the trials
	WarnBudget         = "budget-used-up"         // cells were left out for want of budget
	WarnConstraint     = "constraint-unknown"     // a constraint could not be judged
	WarnReader         = "reader-approximate"     // CPython was not sampled from outside
	WarnNoDelay        = "clocks-missing"         // run-queue delay, thread clocks or, of a run, foreign CPU time were not there
	WarnLeaks          = "goroutines-left"        // ops left goroutines behind
	WarnHung           = "contention-hung"        // the contention probe did not end
	WarnStrays         = "processes-left"         // ops left processes behind
	WarnOpenFiles      = "descriptors-left"       // ops left descriptors open
	WarnProcessors     = "gomaxprocs-changed"     // an op changed GOMAXPROCS
)

// runWarnings are the doubts about the run as a whole.
func (v *view) runWarnings(r *rundir.Run, n Noise) []Warning {
	ws := []Warning{}
	add := func(id, remedy, format string, args ...any) {
		ws = append(ws, Warning{ID: id, Message: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	if n.ForeignShare > v.o.MaxForeign || n.StealShare > v.o.MaxSteal {
		add(WarnNoisyHost, "stop other programs, or run on a machine of its own",
			"other programs took %.0f %% of the cores and the hypervisor %.0f %% in the median trial", 100*n.ForeignShare, 100*n.StealShare)
	}
	if !n.ControlsOK && n.ControlTrials > 0 && len(r.Finished) > 0 && !v.ended() {
		add(WarnControls, "run again on a quieter machine",
			"of the controls, computing read a demand of %.2f (at least %.2f is right) and waiting %.2f (at most %.2f)",
			n.ControlCPU, v.o.ControlCPUMin, n.ControlWait, v.o.ControlWaitMax)
	}
	if n.Disturbed > 0 {
		verb := "were"
		if n.Disturbed == 1 {
			verb = "was"
		}
		add(WarnDisturbed, "stop other programs while concprof measures",
			"%d of %d trials %s disturbed; such a trial is repeated once, where that can help", n.Disturbed, len(r.Finished), verb)
	}
	if r.Torn {
		add(WarnTornJournal, "resume the run to measure again what was lost", "the journal's tail could not be read and was left out")
	}
	for i, e := range r.Edited {
		const most = 3 // are told
		item := e.File + ": found " + e.Found + ", its list says " + e.Want
		if i == most {
			item = fmt.Sprintf("and %d more", len(r.Edited)-most)
		}
		ws = listed(ws, Warning{
			ID: WarnChanged, Message: "files of the archive are not what was archived, and are not used",
			Remedy: "take the archive again from where it was made: its numbers cannot be trusted",
		}, item)
		if i == most {
			break
		}
	}
	if slices.Contains(r.Manifest.Host.Unenforced, rundir.ForeignCPU) {
		add(WarnNoDelay, "see to it that nothing else runs: what does goes unnoticed", "the CPU time of other programs could not be measured here")
	}
	return ws
}

// doubts adds the warnings that need the whole picture of a workload.
func (j *judgement) doubts() {
	j.doubtMeasuring()
	j.doubtCells()
}

func (j *judgement) doubtMeasuring() {
	if diff, busy := j.clockDifference(); busy && (diff < -j.o.ClockDiff || diff > j.o.ClockDiff && j.out.InnerParallelism < 1+j.o.ClockDiff) {
		j.warn(WarnClocksDisagree, "profile longer; short bursts over many threads are known to be under-counted",
			"the CPU profile counts %+.0f %% against the thread's clock", 100*diff)
	}
	if e := j.out.ObserverEffect; e > j.o.ObserverEffect {
		j.warn(WarnObserver, "throughput is not affected: it comes from unprofiled trials", "profiling made sequential ops %s as long", times(e))
	}
	missing := make(map[string]bool)
	for _, f := range j.classify {
		for _, m := range f.Record.Missing {
			if !missing[m] {
				missing[m] = true
				j.warnOf(WarnNoDelay, "", "could not be measured here", "%s", m)
			}
		}
	}
}

// doubtRuntime says what ops did to the Go process that ran them, each once.
func (j *judgement) doubtRuntime() {
	var most, now int
	var changed *plan.Finished // the first
	for _, attempts := range j.load.slots {
		for _, f := range attempts {
			r := f.Record.Runtime
			if r == nil {
				continue
			}
			if n := r.OpenFilesAfter - r.OpenFilesBefore - f.Trial.Cell.Concurrency; r.OpenFilesAfter > 0 && n > j.o.LeftOpenFiles &&
				(n > most || n == most && r.OpenFilesAfter > now) {
				most, now = n, r.OpenFilesAfter
			}
			if r.GoMaxProcsBefore > 0 && r.GoMaxProcs != r.GoMaxProcsBefore && (changed == nil || compareIDs(f.Trial.ID, changed.Trial.ID) < 0) {
				changed = &f
			}
		}
	}
	if most > 0 {
		j.warn(WarnOpenFiles, "close the files and connections that an op opens, or it will run out of them",
			"%d descriptors were open when all ops of a trial had ended, %d more than before and than ops were in flight", now, most)
	}
	if changed != nil {
		r := changed.Record.Runtime
		j.warn(WarnProcessors, "leave GOMAXPROCS as the model sets it: what was measured is not the model",
			"an op changed GOMAXPROCS from %d to %d", r.GoMaxProcsBefore, r.GoMaxProcs)
	}
}

func (j *judgement) doubtCells() {
	l := j.load
	var left, strays int64
	for _, attempts := range l.slots {
		for _, f := range attempts {
			if r := f.Record.Runtime; r != nil {
				left = max(left, r.GoroutinesAt)
			}
			if e := f.Record.Exit; e != nil {
				strays = max(strays, int64(e.Strays))
			}
		}
	}
	j.doubtRuntime()
	if strays > 0 {
		j.warn(WarnStrays, "wait for the processes that an op starts", "a trial left %d processes behind; they were ended", strays)
	}
	if limit := int64(j.o.LeftGoroutines); left > limit {
		j.warn(WarnLeaks, "end the goroutines that an op starts, or they pile up", "%d goroutines were left when all ops of a trial had ended", left)
	}
	broken := 0
	for _, c := range j.out.Cells {
		switch {
		case c.Status == record.WrongResult:
			j.warnOf(WarnWrongResult, "the op is not safe under these models: look for shared state",
				"results are wrong, so these are not recommended", "%s, %s", setupOf(&c), c.Reason)
		case c.Status.Broken():
			broken++
		}
		if c.FailedOps > 0 && c.Model != model.Sequential && !j.failsLikeBaseline(j.load, c.FailedOps, c.Ops) {
			j.warnOf(WarnFailures, "see the cells' errors: the op or what it calls cannot take so many at once",
				"more ops failed than under sequential", "%s, %d of %d", setupOf(&c), c.FailedOps, c.Ops)
		}
	}
	if broken > 0 {
		j.warn(WarnBroken, "see their reasons; the recommendation leaves them out", "%s could not be measured in full", cells(broken))
	}
	j.doubtRepetitions()
	if f, hung := l.hung(j.o); hung {
		c := f.Trial.Cell
		j.warn(WarnHung, "see where its ops stand in trials/"+f.Trial.ID+": they may wait for each other, or for connections that none gives back",
			"%d in flight under %s did not end within %s, so no lock was looked for, and as many or more in flight were not measured",
			c.Concurrency, c.Model, quantity.Duration(float64(f.Record.ElapsedNs)))
	}
	if l.w.MaxOps > 0 && 20*l.opsLeft() < l.w.MaxOps {
		j.warn(WarnMaxOps, "raise max_ops for more and longer trials", "max_ops %d is used up: it bounded the number and length of trials", l.w.MaxOps)
	}
	j.doubtCosts()
}

// doubtRepetitions says where the budget left less than was asked for.
func (j *judgement) doubtRepetitions() {
	l := j.load
	if r := j.out.Recommendation; r != nil {
		if c := j.cell(plan.Cell{Workload: l.w.Name, Model: r.Model, Concurrency: r.Concurrency}); c != nil && c.Trials < l.w.Runs {
			j.warn(WarnFewReps, "raise the budget for narrower intervals", "the recommendation rests on %d trials of the %d that were asked for", c.Trials, l.w.Runs)
		}
	}
	cut := 0
	for _, c := range j.out.Cells {
		if (c.Status == record.Eliminated || c.Status == record.Skipped && c.Concurrency > 0) && c.Trials == 0 && c.Pilot == 0 {
			cut++
		}
	}
	if _, ended := l.ended(); cut > 0 && !ended && j.left(l) < l.w.BudgetNs/10 {
		j.warn(WarnBudget, "raise the budget, or name fewer models and levels", "the budget of %s was used up before %s could be tried", setting(l.w.BudgetNs), cells(cut))
	}
}

// doubtCosts names differences in cost that are artefacts of a model and not
// of the work.
func (j *judgement) doubtCosts() {
	var base *Cell
	for i := range j.out.Cells {
		if c := &j.out.Cells[i]; c.Model == model.Sequential && c.OpsPerSec.Median > 0 {
			base = c
		}
	}
	if base == nil {
		return
	}
	worst := make(map[model.Model]Cell)
	for _, c := range j.out.Cells {
		if c.Trials == 0 || base.CPUNsPerOp <= 0 {
			continue
		}
		if c.CPUNsPerOp/base.CPUNsPerOp > j.o.CPUPerOp && c.CPUNsPerOp > worst[c.Model].CPUNsPerOp {
			worst[c.Model] = c
		}
	}
	for _, m := range model.All() {
		if c, ok := worst[m]; ok {
			j.warnOf(WarnCPUPerOp, "part of what these show is the model's own cost: weigh it where processors are scarce",
				"the same op takes more CPU time than under sequential", "%s, %s", setupOf(&c), times(c.CPUNsPerOp/base.CPUNsPerOp))
		}
	}
	j.doubtFaults(base)
	if j.load.w.Target.Kind == model.Python {
		j.doubtPython(base)
		return
	}
	if j.load.open() {
		return // throughput tells nothing of what an op costs
	}
	most := min(j.o.Granularity, 1-j.out.NoiseFloor) * base.OpsPerSec.Median
	for i := range j.results {
		x := &j.results[i]
		small := base.OpsPerSec.Median > 1/j.o.SmallOp.Seconds()
		if r := x.rate(); small && x.cell.Concurrency == 1 && x.cell.Model == model.Pool && r > 0 && r < most {
			j.warn(WarnGranularity, "give each op more to do: hand out batches",
				"one worker of a pool does only %.0f %% of what sequential does: the op is so short (%s) that handing it over costs more",
				100*r/base.OpsPerSec.Median, quantity.Duration(1e9/base.OpsPerSec.Median))
		}
	}
}

// doubtFaults names models under which ops make the kernel map in so many
// more pages than under sequential that it shows in their CPU time.
func (j *judgement) doubtFaults(base *Cell) {
	worst := make(map[model.Model]Cell)
	for _, c := range j.out.Cells {
		more := c.MinorFaultsPerOp - base.MinorFaultsPerOp
		costs := more*float64(j.o.FaultCost) > (j.o.CPUPerOp-1)*base.CPUNsPerOp
		if c.Trials > 0 && costs && more > worst[c.Model].MinorFaultsPerOp-base.MinorFaultsPerOp {
			worst[c.Model] = c
		}
	}
	for _, m := range model.All() {
		if c, ok := worst[m]; ok {
			remedy := "reuse memory between ops, or bound how many are in flight: part of what these cost is the kernel mapping in pages"
			if j.load.w.Target.Kind == model.Python {
				remedy = keepMemory
			}
			j.warnOf(WarnFaults, remedy,
				fmt.Sprintf("an op maps in more pages than under sequential, where it is %.0f", base.MinorFaultsPerOp), "%s, %.0f", setupOf(&c), c.MinorFaultsPerOp)
		}
	}
}

// cells counts cells in words.
func cells(n int) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}
