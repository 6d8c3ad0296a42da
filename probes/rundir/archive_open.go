package rundir

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// An archive is an archive of a run, read in place: nothing is unpacked but
// into memory, one file at a time.
type archive struct {
	path    string
	entries map[string]*zip.File
	listed  map[string]archivedFile
	names   []string // sorted
}

// ErrNoArchive is wrapped by the error for a file that is no archive of a run.
var ErrNoArchive = errors.New("not an archive of a run")

// zipMagic begins a zip file that has an entry.
const zipMagic = "PK\x03\x04"

// IsArchive reports whether a file begins as an archive of a run does.
func IsArchive(name string) bool {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	head := make([]byte, len(zipMagic))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == zipMagic
}

// openArchive opens an archive. Its file stays open for as long as the run is
// in use.
func openArchive(name string) (*archive, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", name)
	}
	var a *archive
	if err == nil {
		a, err = newArchive(f, info.Size(), name)
	}
	if err != nil {
		f.Close() //nolint:errcheck // it was read only
		return nil, err
	}
	return a, nil
}

// newArchive reads the list of an archive and holds its entries against it.
// What it takes is bounded by the limits above, whatever the file says of
// itself.
func newArchive(r io.ReaderAt, size int64, name string) (*archive, error) {
	a := &archive{path: filepath.ToSlash(name), entries: map[string]*zip.File{}, listed: map[string]archivedFile{}}
	end, err := a.directory(r, size)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are looked at below
		return nil, fmt.Errorf("%s: %w: %v", a.path, ErrNoArchive, err)
	}
	if err := a.take(z.File, end); err != nil {
		return nil, err
	}
	if err := a.readList(); err != nil {
		return nil, err
	}
	return a, nil
}

// directory finds the zip file's central directory, before a library allocates
// anything for what it says, and returns where it begins. An archive has no
// comment and nothing before or behind it.
func (a *archive) directory(r io.ReaderAt, size int64) (offset int64, err error) {
	const length, locator = 22, 20 // of the end record, and of what leads to a larger one
	head := make([]byte, 30+len(archiveFile))
	if _, err := r.ReadAt(head, 0); err != nil || string(head[:4]) != zipMagic {
		return 0, fmt.Errorf("%s: %w", a.path, ErrNoArchive)
	}
	if !bytes.Equal(head[30:], []byte(archiveFile)) {
		return 0, fmt.Errorf("%s: %w but another zip file: its first entry is not %s", a.path, ErrNoArchive, archiveFile)
	}
	tail := make([]byte, length)
	if _, err := r.ReadAt(tail, size-length); err != nil || string(tail[:4]) != "PK\x05\x06" {
		return 0, fmt.Errorf("%s: the archive is cut short, or something was added to it", a.path)
	}
	disks := binary.LittleEndian.Uint32(tail[4:])
	here, all := binary.LittleEndian.Uint16(tail[8:]), binary.LittleEndian.Uint16(tail[10:])
	bytes, offset := int64(binary.LittleEndian.Uint32(tail[12:])), int64(binary.LittleEndian.Uint32(tail[16:]))
	switch {
	case all > maxArchiveFiles+1 || bytes > maxArchiveDirectory:
		return 0, fmt.Errorf("%s: the archive has more than %d files, or too long names", a.path, maxArchiveFiles)
	case disks != 0 || here != all || offset+bytes != size-length || tail[20] != 0 || tail[21] != 0:
		return 0, fmt.Errorf("%s: the archive's directory is not where it should be: it was cut, or something was added to it", a.path)
	}
	// A larger end record, of zip64, would be believed instead of this one.
	before := make([]byte, locator)
	if _, err := r.ReadAt(before, size-length-locator); err != nil || string(before[:4]) == "PK\x06\x07" {
		return 0, fmt.Errorf("%s: the archive is in zip64 format, which none of a run needs", a.path)
	}
	return offset, nil
}

// take looks at every entry before any is read.
func (a *archive) take(entries []*zip.File, end int64) error {
	fault := func(f *zip.File, format string, args ...any) error {
		return fmt.Errorf("%s: entry %q: %s", a.path, cut(f.Name), fmt.Sprintf(format, args...))
	}
	folded := make(map[string]string, len(entries))
	var sum, unpacked uint64
	for i, f := range entries {
		if i > 0 || f.Name != archiveFile {
			if err := checkName(f.Name); err != nil {
				return fault(f, "%v", err)
			}
		}
		if other, twice := folded[strings.ToLower(f.Name)]; twice {
			if other == f.Name {
				return fault(f, "it is there twice")
			}
			return fault(f, "differs from %q by case only", other)
		}
		folded[strings.ToLower(f.Name)] = f.Name
		limit := limitOf(f.Name)
		if f.Name == archiveFile {
			limit = maxArchiveList
		}
		switch size := f.UncompressedSize64; {
		case !f.Mode().IsRegular():
			return fault(f, "not a regular file but %s", f.Mode().Type())
		case f.Flags&1 != 0:
			return fault(f, "encrypted")
		case f.Method != zip.Store && f.Method != zip.Deflate:
			return fault(f, "compressed by method %d, want store or deflate", f.Method)
		case size > uint64(limit):
			return fault(f, "more than %d bytes", limit)
		case f.Method == zip.Store && size != f.CompressedSize64:
			return fault(f, "stored, and yet of two sizes")
		case size > freeArchiveBytes && size/maxArchiveRatio > f.CompressedSize64:
			return fault(f, "it expands more than %d-fold", maxArchiveRatio)
		case f.CompressedSize64 > uint64(end):
			return fault(f, "larger than the archive")
		}
		// Each byte of the file belongs to one entry.
		if sum += f.CompressedSize64; sum > uint64(end) {
			return fault(f, "entries that lie on one another")
		}
		if unpacked += f.UncompressedSize64; unpacked > maxArchiveBytes+maxArchiveList {
			return fmt.Errorf("%s: the archive holds more than %d MiB", a.path, maxArchiveBytes>>20)
		}
		a.entries[f.Name] = f
	}
	return nil
}

// readList reads the list and compares it with the entries.
func (a *archive) readList() error {
	data, err := a.unpack(archiveFile, maxArchiveList)
	if err != nil {
		return err
	}
	var list archiveList
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("%s: %s: %w", a.path, archiveFile, err)
	}
	if list.Schema != ArchiveSchema {
		return &VersionError{Path: a.path, Schema: list.Schema, Reads: ArchiveSchema}
	}
	for _, f := range list.Files {
		e := a.entries[f.Path]
		_, twice := a.listed[f.Path]
		switch {
		case twice || f.Path == archiveFile:
			return fmt.Errorf("%s: %s lists %q twice", a.path, archiveFile, cut(f.Path))
		case e == nil:
			return &EditedError{a.path, cut(f.Path), "no such file", fmt.Sprintf("%d bytes", f.Bytes)}
		case f.Bytes < 0 || e.UncompressedSize64 != uint64(f.Bytes):
			return &EditedError{a.path, f.Path, fmt.Sprintf("%d bytes", e.UncompressedSize64), fmt.Sprintf("%d", f.Bytes)}
		}
		a.listed[f.Path] = f
		a.names = append(a.names, f.Path)
	}
	for name, e := range a.entries {
		if _, known := a.listed[name]; !known && name != archiveFile {
			return &EditedError{a.path, name, fmt.Sprintf("%d bytes", e.UncompressedSize64), "nothing of it"}
		}
	}
	slices.Sort(a.names)
	return nil
}

func (a *archive) list() (evidence, others []string, err error) { return a.names, nil, nil }

// read returns a file that fits its digest.
func (a *archive) read(name string) ([]byte, error) {
	f, known := a.listed[name]
	if !known {
		return nil, &os.PathError{Op: "open", Path: a.path + "/" + name, Err: os.ErrNotExist}
	}
	data, err := a.unpack(name, f.Bytes)
	if err != nil && !errors.Is(err, zip.ErrChecksum) {
		return nil, err
	}
	if sum := hexDigest(data); sum != f.SHA256 {
		return nil, &EditedError{a.path, name, "SHA-256 " + sum, cut(f.SHA256)}
	}
	return data, err
}

// unpack returns an entry of at most max bytes.
func (a *archive) unpack(name string, max int64) ([]byte, error) {
	e := a.entries[name]
	if e == nil {
		return nil, fmt.Errorf("%s: it has no %s", a.path, name)
	}
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", a.path, name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, max+1))
	switch {
	case err != nil:
		return data, fmt.Errorf("%s: %s is damaged: %w", a.path, name, err)
	case int64(len(data)) > max:
		return nil, fmt.Errorf("%s: %s: more than %d bytes", a.path, name, max)
	}
	return data, nil
}

// A baseArchive is the base of the run that an archive holds.
type baseArchive struct{ *archive }

func (b baseArchive) read(name string) ([]byte, error) {
	return b.archive.read(baseDir + "/" + name)
}

func (b baseArchive) list() (evidence, others []string, err error) {
	for _, name := range b.names {
		if rest, in := strings.CutPrefix(name, baseDir+"/"); in {
			evidence = append(evidence, rest)
		}
	}
	return evidence, nil, nil
}

// edited reads what the trials below a folder left, and returns what does not
// fit its digest.
func (a *archive) edited(folder string) []*EditedError {
	var all []*EditedError
	for _, name := range a.names {
		if !strings.HasPrefix(name, folder+trialsDir+"/") {
			continue
		}
		found := ""
		sum := sha256.New()
		r, err := a.entries[name].Open()
		if err == nil {
			_, err = io.Copy(sum, io.LimitReader(r, maxProfileBytes+1))
			r.Close() //nolint:errcheck // it was read only
		}
		if err != nil && !errors.Is(err, zip.ErrChecksum) {
			found = "something damaged (" + err.Error() + ")"
		} else if is := hex.EncodeToString(sum.Sum(nil)); is != a.listed[name].SHA256 {
			found = "SHA-256 " + is
		}
		if found != "" {
			all = append(all, &EditedError{a.path, name, found, cut(a.listed[name].SHA256)})
		}
	}
	return all
}

// cut shortens a text of a foreign file for an error.
func cut(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
