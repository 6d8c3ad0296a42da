package rundir

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/concprof/concprof/probes/internal/lock"
	"github.com/concprof/concprof/probes/plan"
)

// The files of a run directory.
const (
	manifestFile = "manifest.json"
	sourceFile   = "workload.yaml"
	journalFile  = "journal.jsonl"
	lockFile     = "lock"
	trialsDir    = "trials"
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// A Dir is a run directory that this process is writing to. It holds the
// directory's lock until Close. Its methods are not safe for concurrent use.
type Dir struct {
	path    string
	lock    *lock.Lock
	journal *journal
	fixed   map[string]digest // of the files that do not change
}

// Create makes a run directory below root, root/<m.Name>/<m.ID>, and writes
// what is known when a run begins. An empty ID becomes the time of m.Created
// and a random suffix, so that runs sort by their age.
func Create(root string, m Manifest, source []byte) (*Dir, error) {
	if !namePattern.MatchString(m.Name) {
		return nil, fmt.Errorf("run name %q: want letters, digits, '.', '_' and '-', at most 64", m.Name)
	}
	if m.ID == "" {
		m.ID = m.Created.UTC().Format("20060102T150405Z") + "-" + suffix()
	}
	if !namePattern.MatchString(m.ID) {
		return nil, fmt.Errorf("run id %q: want letters, digits, '.', '_' and '-', at most 64", m.ID)
	}
	path := filepath.Join(root, m.Name, m.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, writeError(path, err)
	}
	return createAt(path, m, source)
}

// createAt makes a run directory in a folder that is there.
func createAt(path string, m Manifest, source []byte) (*Dir, error) {
	m.Schema = ManifestSchema
	if err := os.Mkdir(path, 0o777); err != nil {
		return nil, writeError(path, err)
	}
	d := &Dir{path: path}
	if err := d.begin(m, source); err != nil {
		d.Close() //nolint:errcheck // the first error counts
		return nil, err
	}
	return d, nil
}

func (d *Dir) begin(m Manifest, source []byte) error {
	if err := d.takeLock(); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(d.path, trialsDir), 0o777); err != nil {
		return writeError(filepath.Join(d.path, trialsDir), err)
	}
	if err := d.WriteFile(sourceFile, func(w io.Writer) error {
		_, err := w.Write(source)
		return err
	}); err != nil {
		return err
	}
	if err := d.openJournal(0); err != nil {
		return err
	}
	// The manifest comes last: a folder without one is no run directory.
	if err := d.WriteFile(manifestFile, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(m)
	}); err != nil {
		return err
	}
	return d.remember()
}

// Resume opens a run directory to go on with its run, and returns what it
// holds. A torn tail of the journal is cut off. It returns a *BusyError if
// another process is writing to the directory.
func Resume(path string) (*Dir, *Run, error) {
	r, err := Open(path) // finds the newest run if path is a folder of runs
	if err != nil {
		return nil, nil, err
	}
	if r.IsArchive() {
		return nil, nil, fmt.Errorf("%s is an archive, which nothing is written to", path)
	}
	d := &Dir{path: r.Path}
	if err := d.takeLock(); err != nil {
		return nil, nil, err
	}
	d.sweep()
	// Read again: until the lock was held the run could still grow.
	if r, err = Open(r.Path); err == nil {
		if err = d.openJournal(r.journalSize); err == nil {
			err = d.remember()
		}
	}
	if err != nil {
		d.Close() //nolint:errcheck // the first error counts
		return nil, nil, err
	}
	return d, r, nil
}

// sweep removes the files that whoever was killed had not yet given their
// names. The lock is held, so nobody is writing to them.
func (d *Dir) sweep() {
	for _, pattern := range []string{temporary, filepath.Join(trialsDir, "*", temporary)} {
		names, _ := filepath.Glob(filepath.Join(d.path, pattern))
		for _, name := range names {
			os.Remove(name) //nolint:errcheck // it does no harm
		}
	}
}

func (d *Dir) takeLock() error {
	path := filepath.Join(d.path, lockFile)
	l, err := lock.Try(path, 0o666)
	var busy *BusyError
	switch {
	case errors.As(err, &busy):
		busy.Path = d.path
		return busy
	case err != nil:
		return writeError(path, err)
	}
	d.lock = l
	return nil
}

func (d *Dir) openJournal(size int64) error {
	path := filepath.Join(d.path, journalFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return writeError(path, err)
	}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return writeError(path, err)
	}
	d.journal = &journal{f: f, size: size, sum: sha256.New()}
	if _, err := io.Copy(d.journal.sum, io.NewSectionReader(f, 0, size)); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// AppendTrial journals a finished trial.
func (d *Dir) AppendTrial(f plan.Finished) error { return d.journal.append(entry{Trial: &f}) }

// AppendDecision journals a decision. It comes before anything that the
// decision asks for, so that a resumed run carries out the same decision.
func (d *Dir) AppendDecision(dec plan.Decision) error {
	return d.journal.append(entry{Decision: &dec})
}

// AppendNote journals a note.
func (d *Dir) AppendNote(n Note) error { return d.journal.append(entry{Note: &n}) }

// TrialDir returns the folder of a trial's own files, made empty: what is
// there was left by an attempt that did not finish.
func (d *Dir) TrialDir(id string) (string, error) {
	if !namePattern.MatchString(id) {
		return "", fmt.Errorf("trial id %q: want letters, digits, '.', '_' and '-', at most 64", id)
	}
	path := filepath.Join(d.path, trialsDir, id)
	if err := os.RemoveAll(path); err != nil {
		return "", writeError(path, err)
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		return "", writeError(path, err)
	}
	return path, nil
}

// Path returns the run directory's path.
func (d *Dir) Path() string { return d.path }

// WriteFile writes a file of the run directory as the function of the same
// name does.
func (d *Dir) WriteFile(name string, write func(io.Writer) error) error {
	return WriteFile(d.path, name, write)
}

// Close frees the run directory.
func (d *Dir) Close() error {
	var err error
	if d.journal != nil {
		err = d.journal.f.Close()
		d.journal = nil
	}
	return errors.Join(err, d.lock.Release())
}

func suffix() string {
	b := make([]byte, 3)
	rand.Read(b) //nolint:errcheck // never fails, see crypto/rand
	return hex.EncodeToString(b)
}
