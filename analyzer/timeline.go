package analyzer

import (
	"cmp"
	"slices"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A Span is one trial on the run's time line, for formats that draw it. It
// rests on the wall clock, which may be set while a run goes on: it is for
// looking at, and no verdict comes from it.
type Span struct {
	Trial plan.Trial
	// StartNs is when the ops began, since the run's first trial did, and TookNs
	// how long they took; where the trial did not get that far, the start and
	// the whole of its life. SetupNs is how long the probe made ready before.
	StartNs, TookNs, SetupNs int64

	Status         record.Status
	Reason         string
	Ops, FailedOps int64
	// ForeignShare is the share of all cores' time that other programs took
	// meanwhile; negative where it was not read.
	ForeignShare float64
}

// timeline returns the trials that say when they started, in the order in
// which they were planned.
func timeline(fs []plan.Finished) []Span {
	var spans []Span
	var first int64
	for i := range fs {
		r := &fs[i].Record
		if r.StartedNs <= 0 {
			continue
		}
		s := Span{
			Trial: fs[i].Trial, StartNs: r.StartedNs, TookNs: max(cmp.Or(r.WallNs, r.ElapsedNs), 0), SetupNs: max(r.SetupNs, 0),
			Status: r.Status, Reason: r.Reason, Ops: r.Ops, FailedOps: r.FailedOps, ForeignShare: -1,
		}
		if r.Host != nil {
			s.ForeignShare = r.Host.ForeignShare
		}
		if at := s.StartNs - s.SetupNs; len(spans) == 0 || at < first {
			first = at
		}
		spans = append(spans, s)
	}
	slices.SortStableFunc(spans, func(a, b Span) int { return compareIDs(a.Trial.ID, b.Trial.ID) })
	for i := range spans {
		spans[i].StartNs -= first
	}
	return spans
}
