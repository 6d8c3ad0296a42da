package harness

import (
	"fmt"
	"os"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// forks reports whether the ops run in worker processes. A dry or a
// classifying trial runs them one at a time in the probe, whatever the model.
func (s *Spec) forks() bool {
	return s.Model == model.Processes && s.Worker == nil && (s.Mode == ModeTiming || s.Mode == ModeProfile)
}

// runForked takes a trial of the processes model through its stages: as many
// workers as the concurrency says, each this program again, take the numbers
// of ops from a counter that all share. Setup, ops and teardown happen in the
// workers, as they would in a server that forks before it serves; here their
// reports are merged.
func (t *trial) runForked() error {
	if err := t.hello(); err != nil {
		return &failure{record.StageStart, err}
	}
	if err := t.processors(); err != nil {
		return &failure{record.StageSetup, err}
	}
	c, err := startCrew(t.spec)
	if err != nil {
		return &failure{record.StageSetup, err}
	}
	defer c.end()
	if err := c.await(record.Ready, record.StageSetup); err != nil {
		return err
	}
	if err := t.emit.emit(record.Event{Kind: record.Ready}); err != nil {
		return &failure{record.StageSetup, err}
	}
	rec, err := t.forkedOps(c)
	if err != nil {
		return err
	}
	if err := t.emit.emit(record.Event{Kind: record.End, Record: rec}); err != nil {
		return &failure{record.StageOps, err}
	}
	if err := c.await(record.Bye, record.StageTeardown); err != nil {
		return err
	}
	return t.emit.emit(record.Event{Kind: record.Bye})
}

// forkedOps lets the workers run all ops. The start of the workers is part of
// the setup: the window begins when all of them wait for the word, and ends
// when the last says that it is done.
func (t *trial) forkedOps(c *crew) (*record.Record, error) {
	rec := &record.Record{
		Status:    record.OK,
		SetupNs:   int64(time.Since(t.started)),
		StartedNs: time.Now().UnixNano(),
	}
	w := openWindow(t.spec)
	begin := time.Now()
	if err := c.release(); err != nil {
		return nil, &failure{record.StageOps, err}
	}
	if err := c.await(workerDone, record.StageOps); err != nil {
		return nil, err
	}
	rec.WallNs = int64(time.Since(begin))
	w.close(rec, func() {})
	if err := c.await(record.End, record.StageOps); err != nil {
		return nil, err
	}
	mergeWorkers(rec, c.records(), t.spec.NoDigest)
	if t.profs != nil {
		profiles, err := c.profiles(t.profs)
		if err != nil {
			return nil, &failure{record.StageOps, err}
		}
		rec.Profiles = profiles
	}
	rec.Missing = mergeNames(rec.Missing, t.missing.names)
	t.finish(rec)
	return rec, nil
}

// mergeWorkers adds what the workers reported of themselves to what the
// process that started them observed of itself.
func mergeWorkers(r *record.Record, workers []*record.Record, noDigest bool) {
	var fails failures
	var sum record.Digest
	hist := new(record.Histogram)
	for _, o := range workers {
		r.Ops += o.Ops
		r.LatencyEvery = max(r.LatencyEvery, o.LatencyEvery)
		hist.Merge(o.Latency)
		r.Load = mergeLoad(r.Load, o.Load)
		sum.Merge(o.Digest)
		r.Results = append(r.Results, o.Results...)
		for _, e := range o.Errors {
			fails.enter(e)
		}
		r.CPU.UserNs += o.CPU.UserNs
		r.CPU.SystemNs += o.CPU.SystemNs
		r.CPU.ChildrenNs += o.CPU.UserNs + o.CPU.SystemNs
		r.CPU.RunnableNs += o.CPU.RunnableNs
		r.CPU.VoluntarySwitches += o.CPU.VoluntarySwitches
		r.CPU.InvoluntarySwitches += o.CPU.InvoluntarySwitches
		r.Memory.PeakRSSBytes += o.Memory.PeakRSSBytes
		r.Memory.MinorFaults += o.Memory.MinorFaults
		r.Memory.MajorFaults += o.Memory.MajorFaults
		r.Threads += o.Threads
		mergeRuntime(r.Runtime, o.Runtime)
		r.Missing = mergeNames(r.Missing, o.Missing)
	}
	if hist.N > 0 {
		r.Latency = hist
	}
	if !noDigest {
		r.Digest = complete(sum, r.Ops)
	}
	record.SortResults(r.Results)
	r.FailedOps, r.Errors = fails.count, fails.list()
}

// mergeRuntime adds up what can be added; quantiles cannot, so those of the
// worker that had it worst stand for all.
func mergeRuntime(r, o *record.Runtime) {
	if r == nil || o == nil {
		return
	}
	if r.GoMaxProcs == r.GoMaxProcsBefore { // else a worker changed it, which stays
		r.GoMaxProcs, r.GoMaxProcsBefore = o.GoMaxProcs, o.GoMaxProcsBefore
	}
	r.OpenFilesBefore += o.OpenFilesBefore
	r.OpenFilesAfter += o.OpenFilesAfter
	r.GCCPUNs += o.GCCPUNs
	r.GCIdleNs += o.GCIdleNs
	r.GCCycles += o.GCCycles
	r.AllocBytes += o.AllocBytes
	r.MutexWaitNs += o.MutexWaitNs
	r.SchedP50Ns = max(r.SchedP50Ns, o.SchedP50Ns)
	r.SchedP99Ns = max(r.SchedP99Ns, o.SchedP99Ns)
	r.GoroutinesAt += o.GoroutinesAt
	r.Running += o.Running
	r.Runnable += o.Runnable
	r.Waiting += o.Waiting
	r.NotInGo += o.NotInGo
	r.Polls += o.Polls
}

// mergeNames returns the names of both lists, each once.
func mergeNames(names, more []string) []string {
	m := missing{names}
	for _, n := range more {
		m.add(n)
	}
	return m.names
}

// scratchFile returns an open file that has no name any more.
func scratchFile(dir, pattern string) (*os.File, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, fmt.Errorf("make a file for the workers: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("make a file for the workers: %w", err)
	}
	return f, nil
}
