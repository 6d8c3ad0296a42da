package analyzer

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// Analyze judges a run. It is a pure function of what the run directory
// holds and of the options: the same run gives the same result, on any day and
// machine. It returns an error only for a run that has no plan; whatever else
// is missing is said in the result.
func Analyze(r *rundir.Run, o Options) (*Result, error) {
	res, err := analyze(r, o, r.ReadProfile)
	if err == nil {
		res.Illustrate(r.Excerpts)
	}
	return res, err
}

// A reader returns a file that a trial left.
type reader func(trial, file string) ([]byte, error)

func analyze(r *rundir.Run, o Options, read reader) (*Result, error) {
	if len(r.Manifest.Plan.Workloads) == 0 {
		return nil, errors.New("the run has no plan: its manifest names no workload")
	}
	v := newView(r.History(), o)
	res := &Result{
		Schema: Schema, Complete: r.Complete, Warnings: []Warning{},
		Run: Run{
			ID: r.Manifest.ID, Dir: r.Path, Archive: r.IsArchive(), Created: r.Manifest.Created, Seed: r.Manifest.Plan.Seed,
			Command: r.Manifest.Command, Tool: r.Manifest.Tool, Host: r.Manifest.Host,
			ElapsedNs: v.spentNs, Trials: len(r.Finished), Noise: v.noise(r.Finished),
		},
	}
	// Workloads are judged side by side, each on a view of its own, for views
	// remember what they were asked.
	res.Workloads = make([]Workload, len(v.loads))
	var all sync.WaitGroup
	for i := range v.loads {
		all.Go(func() {
			own := newView(r.History(), o)
			j := &judgement{view: own, load: own.loads[i], noise: res.Run.Noise, read: read, complete: r.Complete}
			res.Workloads[i] = j.workload()
		})
	}
	all.Wait()
	for i := range res.Workloads {
		res.Run.Noise.Floor = max(res.Run.Noise.Floor, res.Workloads[i].NoiseFloor)
	}
	res.Warnings = v.runWarnings(r, res.Run.Noise)
	res.Timeline = timeline(r.Finished)
	return res, nil
}

// noise returns what the run learned of its own precision; the floor comes
// from the workloads.
func (v *view) noise(fs []plan.Finished) Noise {
	n := Noise{}
	n.ControlCPU, n.ControlWait, n.ControlTrials, n.ControlsOK = v.controlDemands()
	var foreign, steal []float64
	for i := range fs {
		r := &fs[i].Record
		if h := r.Host; h != nil && fs[i].Trial.Pass != plan.Dry {
			foreign, steal = append(foreign, h.ForeignShare), append(steal, h.StealShare)
		}
		if v.o.disturbance(r) != "" {
			n.Disturbed++
		}
	}
	n.HostTrials = len(foreign)
	n.ForeignShare, n.StealShare = stats.Median(foreign), stats.Median(steal)
	return n
}

// noisy says why the host was too noisy for a recommendation, "" if it was
// not.
func (v *view) noisy(n Noise) string {
	switch {
	case n.ForeignShare > v.o.MaxForeign:
		return fmt.Sprintf("other programs took %.0f %% of the cores in the median trial, more than %.0f %%", 100*n.ForeignShare, 100*v.o.MaxForeign)
	case n.StealShare > v.o.MaxSteal:
		return fmt.Sprintf("the hypervisor took %.0f %% of the cores in the median trial, more than %.0f %%", 100*n.StealShare, 100*v.o.MaxSteal)
	case n.ControlTrials == 0:
		return "the controls were not measured"
	case !n.ControlsOK:
		return fmt.Sprintf("the controls did not come out as what they are: computing read a demand of %.2f (at least %.2f), waiting %.2f (at most %.2f)",
			n.ControlCPU, v.o.ControlCPUMin, n.ControlWait, v.o.ControlWaitMax)
	}
	return ""
}

// A judgement is the way to the verdict on one workload. Each part of it adds
// the evidence and the warnings that it found.
type judgement struct {
	*view
	load     *load
	noise    Noise
	read     reader
	complete bool

	readings map[string]reading
	evidence map[stage][]string

	classify []plan.Finished
	looks    looks // what the wall profiles of the classifying trials show
	probe    looks // and of the contention probe
	demand   demand
	watched  float64 // the demand by the classifying trials alone, scaled: what is predicted from, before others have run
	verdict  verdict
	results  []outcome
	out      Workload
}

func (j *judgement) workload() Workload {
	l := j.load
	j.out = Workload{
		Name: l.w.Name, Target: l.w.Label, TargetKind: l.w.Target.Kind, Interpreter: l.interpreter(), Class: Inconclusive,
		Waits: emptyWaits(), Limits: []Limit{}, Cells: []Cell{}, Scaling: []Scaling{}, Profiles: []ProfileFile{},
		OpsRun: l.ops, Evidence: []string{}, Warnings: []Warning{},
	}
	if l.open() {
		j.out.Load = &Load{RatePerSec: l.w.Rate}
	}
	if f, ok := l.dry(); ok && f.Record.Dry != nil {
		j.out.Dry = &Dry{Result: f.Record.Dry.Result, OpNs: f.Record.Dry.OpNs}
	}
	j.judgeClass()
	j.judgeCells()
	j.judgeNoise()
	j.judgeLimits()
	j.judgeRace()
	j.judgeScaling()
	j.predict()
	j.recommend()
	j.compare()
	j.reachGIL()
	j.judgeErrors()
	j.findDifferences()
	j.derive()
	j.doubts()
	j.out.Evidence, j.out.EvidenceStages = j.chain(), j.chainStages()
	j.out.Gate = j.out.answers(l.w.Gate)
	j.judgeClaim()
	if j.out.Class == Inconclusive && j.out.Settle == "" {
		j.settle("a sequential trial with profiles that finishes: the class rests on those")
	}
	return j.out
}

func emptyWaits() map[record.Wait]float64 {
	m := make(map[record.Wait]float64, len(record.Waits()))
	for _, k := range record.Waits() {
		m[k] = 0
	}
	return m
}

// judgeClass splits an op's time and classifies it.
func (j *judgement) judgeClass() {
	l, o := j.load, j.o
	j.classify = l.counted(l.baseline(), plan.Classify, o)
	if len(j.classify) == 0 {
		j.verdict = verdict{class: Inconclusive, why: "no sequential trial finished"}
		if reason, ended := l.ended(); ended {
			j.verdict.why = reason
		}
		return
	}
	j.demand = o.demand(j.classify, j.scale())
	j.watched = j.demand.scaled.Value
	j.out.Split = splitOf(j.classify)
	j.looks = j.lookAt(j.classify).awaited(j.classify)
	j.out.Waits = j.looks.waits(j.out.Split.Blocked)
	j.judgeTrace()
	j.mendDemand()
	j.out.Demand = j.demand.Value
	j.out.DemandInterval = [2]float64{j.demand.Low, j.demand.High}
	j.out.InnerParallelism = j.innerParallelism()
	j.out.Steps = o.steps(j.classify, j.scale())
	j.verdict = o.class(j.demand.scaled)
	if !j.noise.ControlsOK && j.verdict.class != Inconclusive && !j.clocksAgree() {
		j.verdict = verdict{
			class: Inconclusive, why: "neither the controls nor the clocks of the op agree with themselves",
			settle: "a host on which the controls come out as what they are",
		}
	}
	j.out.Class, j.out.Confidence, j.out.Settle = j.verdict.class, j.verdict.confidence, j.verdict.settle
	if j.out.Between = j.verdict.between; j.verdict.class == Inconclusive && j.verdict.between[0] == "" {
		j.out.Untold = j.verdict.why
	}
	s := j.out.Split
	j.say(ofSplit, "alone, an op spends %.0f %% of its time on a processor, %.0f %% waiting for one and %.0f %% blocked (median of %d trials)",
		100*s.OnCPU, 100*s.Runnable, 100*s.Blocked, len(j.classify))
	if kind, share := leading(j.out.Waits); share >= o.LoopStall {
		at := ""
		if p, ok := j.waitingAt(kind); ok {
			at = ", most of that in " + j.load.told(p).String()
		}
		j.say(ofWaits, "it waits mostly for %s, %.0f %% of its time%s", l.waitsFor(kind), 100*share, at)
	}
	j.sayTrace()
	j.say(ofClass, "%s%s", j.verdict.why, j.demand.unscaled())
	for _, st := range j.out.Steps {
		if len(j.out.Steps) > 1 {
			j.say(ofSteps, "step %s takes %.0f %% of the op and is by itself %s (demand %.2f)", st.Name, 100*st.Share, st.Class, st.Demand)
		}
	}
}

// innerParallelism is how many cores a sequential op keeps busy by itself: its
// demand, times what the whole process computes for an op in unprofiled trials
// over what the op itself computes. The former counts the collector too. CPU
// time per op hardly moves on a busy host, where CPU over wall does.
func (j *judgement) innerParallelism() float64 {
	fs := j.load.counted(j.load.baseline(), plan.Timing, j.o)
	own := stats.Median(values(j.classify, func(r *record.Record) float64 {
		cpu, _ := opCPU(r)
		return (cpu + float64(r.CPU.ChildrenNs)) / float64(max(r.Ops, 1))
	}))
	if len(fs) == 0 || own <= 0 {
		return j.demand.Value
	}
	return j.demand.Value * max(stats.Median(values(fs, cpuPerOp))/own, 1)
}

// leading returns the greatest of the waits.
func leading(waits map[record.Wait]float64) (record.Wait, float64) {
	best := record.Other
	for _, k := range record.Waits() {
		if waits[k] > waits[best] {
			best = k
		}
	}
	return best, waits[best]
}

// clockDifference returns by how much the CPU profile differs from the
// thread's clock over all classifying trials, and whether the op computes
// enough for that to mean something.
func (j *judgement) clockDifference() (float64, bool) {
	var labelled, cpu, wall float64
	for _, f := range j.classify {
		if t := f.Record.Thread; t != nil {
			labelled += float64(t.LabelledNs)
			cpu += float64(t.CPUNs)
			wall += opsNs(&f.Record) - float64(t.RunnableNs)
		}
	}
	if cpu <= 0 || cpu < j.o.BusyCPU*wall || labelled <= 0 {
		return 0, false
	}
	return labelled/cpu - 1, true
}

// clocksAgree reports whether the clocks that the demand rests on say the
// same. An op that starts goroutines has more labelled time than its thread;
// only less is a contradiction.
func (j *judgement) clocksAgree() bool {
	diff, busy := j.clockDifference()
	return !busy || diff >= -j.o.ClockDiff
}

func hasStatus(cs []Cell, s record.Status) bool {
	return slices.ContainsFunc(cs, func(c Cell) bool { return c.Status == s })
}
