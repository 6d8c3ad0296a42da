package rundir

import (
	"fmt"
	"os"
	"path/filepath"
)

// baseDir is the folder of a run directory that holds the run of the base.
const baseDir = "base"

// A RunSide says which of two runs, measured side by side, one is.
type RunSide string

// The sides: the user's tree as it stands, and the revision that it is
// measured against.
const (
	SideHead RunSide = "head"
	SideBase RunSide = "base"
)

// Against is what two runs have in common that were measured side by side, of
// the same workloads at two revisions: their trials are interleaved. The run of
// the base is kept within the run directory of the head.
type Against struct {
	Side RunSide `json:"side"`
	// Revision is what was asked for, Commit what it stood for then.
	Revision string `json:"revision"`
	Commit   string `json:"commit"`
	// Head is the commit of the user's tree, "" if there is none, and Modified
	// says that the tree had changes that were not committed: they are
	// part of the head.
	Head     string `json:"head"`
	Modified bool   `json:"modified"`
	// Absent are the workloads that cannot run at the base.
	Absent []Absence `json:"absent,omitempty"`
	// Notes say what else is to be known of the base, a sentence each.
	Notes []string `json:"notes,omitempty"`
}

// An Absence is a workload that cannot run at the base, and why.
type Absence struct {
	Workload string `json:"workload"`
	Reason   string `json:"reason"`
}

// BaseID is the ID of the base of a run.
func BaseID(head string) string { return head + "-" + baseDir }

// CreateBase makes the run directory of d's base, within d. m.ID is made from
// the name of d.
func (d *Dir) CreateBase(m Manifest, source []byte) (*Dir, error) {
	if m.ID = BaseID(filepath.Base(d.path)); !namePattern.MatchString(m.ID) {
		return nil, fmt.Errorf("run id %q: want letters, digits, '.', '_' and '-', at most 64", m.ID)
	}
	return createAt(filepath.Join(d.path, baseDir), m, source)
}

// OpenBase opens the base of a run. It returns nil, and no error, if the run
// has none: it was not measured against another revision, or nothing of it
// could run there.
func (r *Run) OpenBase() (*Run, error) {
	a := r.Manifest.Against
	if a == nil || a.Side != SideHead {
		return nil, nil
	}
	path := filepath.Join(r.Path, baseDir)
	if in, ok := r.store.(*archive); ok {
		return r.archivedBase(in, path)
	}
	switch info, err := os.Lstat(path); {
	case os.IsNotExist(err) && len(a.Absent) > 0:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the base of %s: %w", r.Path, err)
	case !info.IsDir(): // a link could lead out of the run
		return nil, fmt.Errorf("the base of %s: %s is not a folder", r.Path, path)
	}
	base, err := Open(path)
	if err != nil {
		return nil, fmt.Errorf("the base of %s: %w", r.Path, err)
	}
	if base.Path != path || !r.Beside(base) {
		return nil, fmt.Errorf("the base of %s: %s is another run's", r.Path, path)
	}
	return base, nil
}

// archivedBase opens the base that stands in the archive of r.
func (r *Run) archivedBase(in *archive, path string) (*Run, error) {
	if _, there := in.listed[baseDir+"/"+manifestFile]; !there {
		if len(r.Manifest.Against.Absent) > 0 {
			return nil, nil
		}
		return nil, fmt.Errorf("the base of %s: the archive does not have it", r.Path)
	}
	base, err := open(path, baseArchive{in})
	if err != nil {
		return nil, fmt.Errorf("the base of %s: %w", r.Path, err)
	}
	if !r.Beside(base) {
		return nil, fmt.Errorf("the base of %s: %s is another run's", r.Path, path)
	}
	base.Edited = in.edited(baseDir + "/")
	return base, nil
}

// Beside reports whether base is the run that r was measured side by side
// with.
func (r *Run) Beside(base *Run) bool {
	h, b := r.Manifest.Against, base.Manifest.Against
	return h != nil && b != nil && h.Side == SideHead && b.Side == SideBase &&
		h.Commit == b.Commit && base.Manifest.ID == BaseID(r.Manifest.ID)
}
