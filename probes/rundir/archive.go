package rundir

import (
	"archive/zip"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// ArchiveSchema names the version of archive.json.
const ArchiveSchema = "concprof-archive/1"

// archiveFile is the first entry of an archive: the list of the others.
const archiveFile = "archive.json"

// Bounds on archives, which may come from anyone. A run of 7 models at 7
// levels leaves some 1,200 trials of at most 4 files.
const (
	maxArchiveFiles     = 50_000
	maxArchiveList      = 16 << 20 // bytes of archive.json
	maxArchiveDirectory = 8 << 20  // bytes of the zip file's central directory
	maxArchiveBytes     = 1 << 30  // of all files together, once unpacked: opening reads each once
	// maxArchiveRatio is how far a file may expand that is larger than
	// freeArchiveBytes once unpacked. Journals, which compress best, reach 20;
	// deflate can reach 1,032.
	maxArchiveRatio  = 100
	freeArchiveBytes = 1 << 20
)

// An archiveList is what archive.json holds.
type archiveList struct {
	Schema string         `json:"schema"`
	Files  []archivedFile `json:"files"` // sorted by their paths
}

// An archivedFile is one file of an archive.
type archivedFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // in hexadecimal
}

// Archived says what WriteArchive wrote.
type Archived struct {
	Files int
	Bytes int64 // of the files, before they were compressed
	// Others are files beside the evidence that were left out: links, or names
	// that no trial gives.
	Others []string
}

// WriteArchive writes the evidence of a run as one file that Open reads in
// place: a zip file whose first entry lists the others with their SHA-256.
// What is derived from the evidence is left out, for it can be had again. The
// same evidence gives the same bytes.
func WriteArchive(w io.Writer, r *Run) (*Archived, error) {
	names, others, err := r.store.list()
	if err != nil {
		return nil, err
	}
	if len(names) > maxArchiveFiles {
		return nil, fmt.Errorf("%s has %d files, more than the %d that an archive holds", r.Path, len(names), maxArchiveFiles)
	}
	list := archiveList{Schema: ArchiveSchema, Files: make([]archivedFile, 0, len(names))}
	done := &Archived{Files: len(names), Others: others}
	for _, name := range names {
		data, err := r.store.read(name)
		if err != nil {
			return nil, err
		}
		list.Files = append(list.Files, archivedFile{name, int64(len(data)), hexDigest(data)})
		if done.Bytes += int64(len(data)); done.Bytes > maxArchiveBytes {
			return nil, fmt.Errorf("%s has more than %d MiB of files, which is the most that an archive holds", r.Path, maxArchiveBytes>>20)
		}
	}
	z := zip.NewWriter(w)
	doc, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return nil, err
	}
	if err := addFile(z, archiveFile, append(doc, '\n')); err != nil {
		return nil, err
	}
	for _, f := range list.Files {
		// Read again, so that no more than one file is in memory at once.
		data, err := r.store.read(f.Path)
		if err != nil {
			return nil, err
		}
		if hexDigest(data) != f.SHA256 {
			return nil, fmt.Errorf("%s: %s changed while it was archived: wait until the run has ended", r.Path, f.Path)
		}
		if err := addFile(z, f.Path, data); err != nil {
			return nil, err
		}
	}
	return done, z.Close()
}

// addFile adds a file without a time, for it would make archives of one run
// differ. What is compressed already, or would expand suspiciously, is stored.
func addFile(z *zip.Writer, name string, data []byte) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	if strings.HasSuffix(name, ".gz") || name == archiveFile || suspicious(data) {
		h.Method = zip.Store
	}
	h.SetMode(0o644)
	f, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}

// suspicious reports whether a file is so monotonous that its entry might look
// like a bomb: a workload may have printed nothing but zeros.
func suspicious(data []byte) bool {
	if len(data) <= freeArchiveBytes {
		return false
	}
	var n counter
	c, err := flate.NewWriter(&n, flate.DefaultCompression)
	if err != nil {
		return true
	}
	c.Write(data) //nolint:errcheck // a counter takes all
	c.Close()     //nolint:errcheck // as above
	return int64(len(data)) > maxArchiveRatio/2*int64(n)
}

// A counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func hexDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// An EditedError says that a file of an archive is not the one that was
// archived. Whoever edits a file may edit the list as well: this tells damage
// and careless editing, and is no signature.
type EditedError struct {
	Archive, File string
	Found, Want   string // what the file is, and what the archive's list says
}

func (e *EditedError) Error() string {
	return fmt.Sprintf("%s: %s is not what was archived: found %s, its list says %s", e.Archive, e.File, e.Found, e.Want)
}

// checkName refuses what no file of a run is called.
func checkName(name string) error {
	switch {
	case strings.HasPrefix(name, "/") || strings.Contains(name, `\`) || strings.Contains(name, ":"):
		return errors.New("an absolute name, or one of another system")
	case path.Clean(name) != name || strings.HasPrefix(name, ".."):
		return errors.New("a name that leads elsewhere")
	case limitOf(name) == 0:
		return errors.New("no file of a run")
	}
	for part := range strings.SplitSeq(name, "/") {
		stem, _, _ := strings.Cut(strings.ToUpper(part), ".")
		switch stem {
		case "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "LPT1", "LPT2", "LPT3":
			return errors.New("the name of a device on Windows")
		}
	}
	return nil
}
