package runner

import (
	"context"
	"path/filepath"

	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// An Observer looks at a probe from outside while its ops run. Its methods are
// called in the order Start, Stop, Report, each at most once, and Report also
// when the ops never began.
type Observer interface {
	// Start begins to look at a process. What keeps it from looking is for
	// Report to tell.
	Start(ctx context.Context, pid int)
	// Stop ends it. The ops are done, or the probe has ended.
	Stop()
	// Report enters into the record what was seen, and the profiles that were
	// taken, and returns the content of those.
	Report(rec *record.Record) map[record.ProfileKind][]byte
}

// A watch lets an Observer know when the ops begin and end.
type watch struct {
	ctx      context.Context
	observer Observer // nil: nobody looks
	process  *proc.Process
	pid      int // of the probe, 0 while it is not known
	looking  bool
}

func (j *Job) watch(ctx context.Context, p *proc.Process) *watch {
	w := &watch{ctx: ctx, process: p}
	if j.profiled() {
		w.observer = j.Observer
	}
	return w
}

// event follows the probe. It is told of events while they are read; stop and
// report are called once all have been.
func (w *watch) event(e record.Event) {
	switch {
	case w.observer == nil:
	case e.Kind == record.Hello && e.PID != 0:
		// The probe may run behind a program that starts it, but nowhere else:
		// whatever it says, no other process of the user's is looked at.
		w.pid, _ = w.process.Find(e.PID)
	case e.Kind == record.Ready:
		w.looking = true
		if w.pid == 0 {
			w.pid = w.process.PID()
		}
		w.observer.Start(w.ctx, w.pid)
	case e.Kind == record.End:
		w.stop()
	}
}

func (w *watch) stop() {
	if w.looking {
		w.looking = false
		w.observer.Stop()
	}
}

// report completes a record with what was seen.
func (w *watch) report(rec *record.Record, profiles []profile) error {
	if w.observer == nil {
		return nil
	}
	content := w.observer.Report(rec)
	for _, p := range profiles {
		if _, err := p.file.Write(content[p.kind]); err != nil {
			return rundir.NewWriteError(filepath.Base(p.path), err)
		}
	}
	return nil
}
