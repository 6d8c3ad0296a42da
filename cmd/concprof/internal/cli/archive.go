package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/concprof/concprof/probes/rundir"
)

// validateArchive reports flags that are wrong beside --archive.
func (o *exportOptions) validateArchive() error {
	switch {
	case o.output != "":
		return usage("leave out --output", "--archive names the file itself")
	case o.archive == "-":
		return usage("as in --archive run.zip", "an archive is not written to standard output")
	}
	return writable(o.archive)
}

// archive writes the evidence of a run as one file, whole or not at all, and
// says its digest: who knows that from elsewhere can tell whether the archive
// is the one that was made.
func (a *app) archive(flags *pflag.FlagSet, path string, o *exportOptions) error {
	for _, name := range selectionFlags {
		if flags.Changed(name) {
			return usage("", "--%s has no meaning for an archive, which is of the whole run", name)
		}
	}
	run, err := openRun(path, o.dir)
	if err != nil {
		return err
	}
	if same, err := os.Stat(o.archive); err == nil {
		if from, err := os.Stat(run.Path); err == nil && os.SameFile(same, from) {
			return usage("name another file", "%s is the archive that would be read", o.archive)
		}
	}
	var done *rundir.Archived
	sum := sha256.New()
	err = writeFile(o.archive, func(w io.Writer) (err error) {
		done, err = rundir.WriteArchive(io.MultiWriter(w, sum), run)
		return err
	})
	if err != nil {
		return editedError(err)
	}
	for _, name := range done.Others {
		a.notef("left out %s: no regular file of a trial", name)
	}
	if run.Torn || !run.Complete {
		a.notef("the run is not complete, and an archive cannot be resumed")
	}
	a.notef("wrote %s: %s, SHA-256 %s", o.archive, count(done.Files, "file"), hex.EncodeToString(sum.Sum(nil)))
	return nil
}
