package cli

import (
	"time"

	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/plan"
)

// plainProgress prints what one wants to read later: what the dry ops gave,
// trials that went wrong, notes of the run; with --verbose, every trial.
type plainProgress struct{ *app }

func newPlainProgress(a *app) *plainProgress { return &plainProgress{a} }

func (p *plainProgress) update(at probes.Progress) {
	switch {
	case at.Note != "":
		p.notef("%s", at.Note)
	case at.Record == nil:
	case at.Record.Status.Broken():
		p.notef("%s %s %s: %s: %s", at.Trial.ID, at.Trial.Cell, at.Trial.Pass, at.Record.Status, at.Record.Reason)
	case at.Trial.Pass == plan.Dry && at.Record.Dry != nil && at.Trial.Control == "":
		p.notef("%s: one op took %v and returned %s", at.Trial.Cell.Workload, time.Duration(at.Record.Dry.OpNs).Round(time.Microsecond), at.Record.Dry.Result)
	case p.verbose:
		p.notef("%d of %d: %s %s %s in %v", at.Finished, at.Planned, at.Trial.ID, at.Trial.Cell, at.Trial.Pass, time.Duration(at.Record.ElapsedNs).Round(time.Millisecond))
	}
}

func (p *plainProgress) close() {}
