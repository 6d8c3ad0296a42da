package rundir

import (
	"crypto/sha256"
	"path/filepath"
)

type digest = [sha256.Size]byte

// remember notes what the files hold that do not change any more.
func (d *Dir) remember() error {
	d.fixed = make(map[string]digest)
	for _, name := range []string{manifestFile, sourceFile} {
		sum, err := d.digest(name)
		if err != nil {
			return err
		}
		d.fixed[name] = sum
	}
	return nil
}

// Verify returns a *ChangedError if the manifest, the workload file or the
// journal is not what it was when this process last wrote or, when it resumed
// the run, read it. Profiles carry their digests in the journal.
func (d *Dir) Verify() error {
	for name, was := range d.fixed {
		if is, err := d.digest(name); err != nil || is != was {
			return &ChangedError{filepath.Join(d.path, name)}
		}
	}
	if d.journal == nil {
		return nil
	}
	if is, err := d.digest(journalFile); err != nil || is != digest(d.journal.sum.Sum(nil)) {
		return &ChangedError{filepath.Join(d.path, journalFile)}
	}
	return nil
}

func (d *Dir) digest(name string) (sum digest, err error) {
	data, err := folder(d.path).read(name)
	return sha256.Sum256(data), err
}
