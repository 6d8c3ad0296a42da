package harness

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A trial is the state of the one trial that a probe runs.
type trial struct {
	spec    *Spec
	funcs   map[string]any
	emit    *emitter
	started time.Time

	steps   []builtStep
	slots   []*slot
	sampler *sampler
	profs   *profilers // nil in trials that are not profiled
	tracer  *tracer    // nil in trials that are not traced
	worker  *worker    // nil unless this is a worker of the processes model
	missing missing
	dry     *record.Dry
}

// run takes the trial through its stages.
func (t *trial) run() error {
	if t.spec.profiled() {
		p, err := takeProfilers()
		if err != nil {
			return &failure{record.StageStart, err}
		}
		t.profs = p
	}
	if t.spec.Mode == ModeTrace {
		tr, err := takeTracer()
		if err != nil {
			return &failure{record.StageStart, err}
		}
		t.tracer = tr
	}
	if t.spec.forks() {
		return t.runForked()
	}
	if t.spec.Worker != nil {
		w, err := takeWorker()
		if err != nil {
			return &failure{record.StageStart, err}
		}
		t.worker = w
	}
	if err := t.hello(); err != nil {
		return &failure{record.StageStart, err}
	}
	if err := t.setup(); err != nil {
		return err
	}
	rec, err := t.ops()
	if err != nil {
		return err
	}
	if err := t.emit.emit(record.Event{Kind: record.End, Record: rec}); err != nil {
		return &failure{record.StageOps, err}
	}
	if err := t.hook(record.StageTeardown, t.spec.Teardown); err != nil {
		return err
	}
	return t.emit.emit(record.Event{Kind: record.Bye})
}

func (s *Spec) profiled() bool { return s.Mode == ModeClassify || s.Mode == ModeProfile }

// latencyEvery is the k of "time every k-th op", 0 to choose one. Where ops
// arrive at a rate every one is timed: which of them waits is the question.
func (s *Spec) latencyEvery() int64 {
	if s.Rate > 0 {
		return 1
	}
	return s.LatencyEvery
}

// parallelism is how many Ps the model has.
func (s *Spec) parallelism() int {
	if s.Model == model.EventLoop {
		return 1
	}
	return s.Cores
}

// slotCount is how many ops the model has in flight at most.
func (s *Spec) slotCount() int {
	if s.Worker != nil || s.Model == model.Sequential || s.Mode == ModeDry || s.Mode == ModeClassify || s.Mode == ModeTrace {
		return 1
	}
	return s.Concurrency
}

// setup prepares all that the ops need, up to the moment before the first.
func (t *trial) setup() error {
	fail := func(err error) error { return &failure{record.StageSetup, err} }
	if err := t.processors(); err != nil {
		return fail(err)
	}
	if t.spec.Mode == ModeDry {
		iterations, err := calibrate(t.spec)
		if err != nil {
			return fail(err)
		}
		t.dry = &record.Dry{Iterations: iterations}
	}
	in, err := loadInputs(t.spec.Inputs)
	if err != nil {
		return fail(err)
	}
	if err := t.hook(record.StageSetup, t.spec.Setup); err != nil {
		return err
	}
	// The functions are evaluated after the setup, so that an expression such
	// as "index.Add" finds what the setup opened.
	if t.steps, err = resolve(t.spec, t.funcs); err != nil {
		return fail(err)
	}
	if t.worker != nil {
		t.sampler = &t.worker.shared.sampler // made ready by the process that started this one
	} else {
		t.sampler = new(sampler)
		t.sampler.fix(t.spec.latencyEvery())
	}
	if err := t.makeSlots(in); err != nil {
		return fail(err)
	}
	return nil
}

// processors gives the process the Ps of its model. A profiled trial has one
// more, or fgprof, whose sampler is a goroutine, would see busy goroutines
// only at the places where they yield; the affinity mask keeps the number of
// processors that of the model.
func (t *trial) processors() error {
	n := t.spec.parallelism()
	if !t.spec.profiled() {
		runtime.GOMAXPROCS(n)
		return nil
	}
	if err := limitProcessors(n); err != nil {
		t.missing.add(fmt.Sprintf("processor affinity: %v", err))
	}
	runtime.GOMAXPROCS(n + 1)
	return nil
}

// makeSlots builds the steps once for every op in flight.
func (t *trial) makeSlots(in *inputs) error {
	cost := clockCost()
	base, labelled := context.Background(), t.spec.profiled()
	permits := newPermits(t.spec)
	if !takesInputs(t.steps) {
		in = nil
	}
	for i := range t.spec.slotCount() {
		s := &slot{
			inputs:    in,
			sampler:   t.sampler,
			clockCost: cost,
			noDigest:  t.spec.NoDigest,
			least:     min(t.spec.Results, record.MaxResults),
			labelled:  labelled,
			keep:      t.spec.Mode == ModeDry,
		}
		s.label(base, t.steps)
		for j, b := range t.steps {
			step, err := b.build(i)
			if err != nil {
				return fmt.Errorf("step %s: %w", b.name, err)
			}
			if permits != nil && j < len(t.spec.Offload) && t.spec.Offload[j] {
				step = permits.offload(step)
			}
			s.steps = append(s.steps, step)
		}
		if len(s.steps) == 1 {
			s.only = s.steps[0]
			s.plain = in == nil && !labelled
		}
		t.slots = append(t.slots, s)
	}
	return nil
}

// close releases what the built-in steps hold.
func (t *trial) close() {
	for _, b := range t.steps {
		if b.close != nil {
			b.close()
		}
	}
}

// ops runs the ops and says what they did.
func (t *trial) ops() (*record.Record, error) {
	if err := t.emit.emit(record.Event{Kind: record.Ready}); err != nil {
		return nil, &failure{record.StageSetup, err}
	}
	rec := &record.Record{
		Status:    record.OK,
		SetupNs:   int64(time.Since(t.started)),
		StartedNs: time.Now().UnixNano(),
	}
	if t.profs != nil {
		t.profs.start()
		if t.spec.TimeoutNs > 0 {
			t.profs.salvage(salvageAt(time.Duration(t.spec.TimeoutNs)) - time.Since(t.started))
		}
	}
	if t.tracer != nil {
		t.tracer.start()
	}
	if t.worker != nil {
		if err := t.worker.waitForStart(); err != nil {
			return nil, &failure{record.StageSetup, err}
		}
	}
	w := openWindow(t.spec)
	p := newPace(t.spec)
	p.start = time.Now()
	if t.worker != nil {
		p.start = t.worker.shared.begin(p.start)
	}
	openLoop(&p, t.slots)
	if t.worker != nil {
		alone(func() struct{} { runSequential(t.worker.feed(p), t.slots[0]); return struct{}{} })
		if err := t.emit.emit(record.Event{Kind: workerDone}); err != nil {
			return nil, &failure{record.StageOps, err}
		}
	} else {
		rec.Thread = t.execute(newFeed(p))
	}
	rec.WallNs = int64(time.Since(p.start))
	w.close(rec, t.close)

	collect(rec, t.slots, t.sampler, t.spec.NoDigest)
	rec.Load = p.offered(t.slots)
	if t.profs != nil {
		t.profile(rec)
	}
	if t.tracer != nil {
		rec.Profiles = append(rec.Profiles, t.tracer.stop())
	}
	t.finish(rec)
	for _, s := range t.slots {
		if s.fault != nil {
			return nil, &failure{record.StageSetup, s.fault}
		}
	}
	rec.Missing = mergeNames(t.missing.names, rec.Missing)
	return rec, nil
}

// profile ends the profilers and enters what they saw.
func (t *trial) profile(rec *record.Record) {
	profiles, labelled := t.profs.stop()
	rec.Profiles = profiles
	if rec.Thread != nil {
		rec.Thread.LabelledNs = int64(labelled)
	}
	if c := t.slots[0].stepClock; c != nil {
		rec.Steps = c.steps(t.steps)
	}
}

// finish settles the status and, in a dry trial, what the op returned.
func (t *trial) finish(rec *record.Record) {
	if rec.Ops > 0 && rec.FailedOps == rec.Ops && len(rec.Errors) > 0 {
		rec.Status, rec.Stage = record.Failed, record.StageOps
		rec.Reason = fmt.Sprintf("every op failed, first with %s", rec.Errors[0].Message)
	}
	if t.dry == nil {
		return
	}
	last := t.slots[0].last
	t.dry.OpNs = int64(last.dur)
	t.dry.Result = describe(last.out, last.err)
	rec.Dry = t.dry
}

// execute runs ops under the model until the source has no more. The ops of
// a model that runs one at a time have a goroutine to themselves all the
// same: fgprof keeps the 32 innermost frames of a stack, and the fewer are
// above the op, the deeper it sees into it.
func (t *trial) execute(src *feed) *record.Thread {
	switch {
	case t.spec.Mode == ModeClassify:
		return alone(func() *record.Thread { return runClassify(src, t.slots[0], &t.missing) })
	case t.tracer != nil:
		alone(func() struct{} { runTraced(src, t.slots[0]); return struct{}{} })
	case t.spec.Mode == ModeDry || t.spec.Model == model.Sequential:
		alone(func() struct{} { runSequential(src, t.slots[0]); return struct{}{} })
	case t.spec.Model == model.Threads:
		runThreads(src, t.slots)
	case t.spec.Model == model.Pool:
		runPool(src, t.slots)
	default:
		runGoroutines(src, t.slots)
	}
	return nil
}

// alone calls f in a goroutine of its own.
func alone[T any](f func() T) T {
	result := make(chan T)
	go func() { result <- f() }()
	return <-result
}
