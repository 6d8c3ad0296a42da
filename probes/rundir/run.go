package rundir

import (
	"github.com/concprof/concprof/probes/plan"
)

// A Run is what a run directory holds, read back.
type Run struct {
	Path      string
	Manifest  Manifest
	Source    []byte // workload.yaml
	Decisions []plan.Decision
	Finished  []plan.Finished // in the order in which they finished
	Notes     []Note
	Excerpts  []Excerpt // of the user's sources
	// Edited are the files of an archive's trials that are not what was
	// archived. They are not read; any other file that was edited makes Open
	// fail.
	Edited []*EditedError
	// Torn is set when the journal's tail was cut off at the last good line.
	Torn bool
	// Complete is set when the last decision was Done and every trial that
	// was decided has finished.
	Complete bool

	store       store
	journalSize int64 // of the good part, in bytes
}

// A Note is a journal line that is neither a trial nor a decision.
type Note struct {
	Kind string `json:"kind"` // "interrupted", "resumed", "server"
	Text string `json:"text"`
}

// History returns what a Planner needs of the run.
func (r *Run) History() plan.History {
	return plan.History{Plan: &r.Manifest.Plan, Decisions: r.Decisions, Finished: r.Finished}
}

// IsArchive reports whether the run was read from an archive, which nothing
// can be written to.
func (r *Run) IsArchive() bool {
	switch r.store.(type) {
	case *archive, baseArchive:
		return true
	}
	return false
}
