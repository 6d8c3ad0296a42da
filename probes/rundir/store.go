package rundir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/concprof/concprof/probes/record"
)

// A store is what a run is read from: its directory or an archive of it.
type store interface {
	// read returns a file, named with slashes, of at most limitOf(name) bytes.
	read(name string) ([]byte, error)
	// list returns the names of the run's evidence, sorted, and of what stands
	// beside it and is none.
	list() (evidence, others []string, err error)
}

// limitOf returns how many bytes a file of a run, or of its base, may have, 0
// for a name that is not one of its evidence.
func limitOf(name string) int64 {
	name = strings.TrimPrefix(name, baseDir+"/")
	switch name {
	case manifestFile:
		return maxManifestBytes
	case sourceFile:
		return maxSourceBytes
	case journalFile:
		return maxJournalBytes
	case excerptsFile:
		return maxExcerptsBytes
	}
	f := strings.Split(name, "/")
	if len(f) == 3 && f[0] == trialsDir && namePattern.MatchString(f[1]) && namePattern.MatchString(f[2]) {
		if f[2] == record.TraceFile {
			return record.MaxTraceBytes
		}
		return maxProfileBytes
	}
	return 0
}

// A folder is a run directory.
type folder string

func (d folder) read(name string) ([]byte, error) {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return read(root, filepath.FromSlash(name), limitOf(name))
}

func (d folder) list() (evidence, others []string, err error) {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	if evidence, others, err = listRun(root); err != nil {
		return nil, nil, err
	}
	info, err := root.Lstat(baseDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, nil, err
	case !info.IsDir():
		others = append(others, baseDir)
	default:
		below, err := root.OpenRoot(baseDir)
		if err != nil {
			return nil, nil, err
		}
		defer below.Close()
		files, rest, err := listRun(below)
		if err != nil {
			return nil, nil, err
		}
		evidence, others = append(evidence, inBase(files)...), append(others, inBase(rest)...)
	}
	slices.Sort(evidence)
	return evidence, others, nil
}

func inBase(names []string) []string {
	for i, name := range names {
		names[i] = path.Join(baseDir, name)
	}
	return names
}

// listRun lists the evidence of the run in a folder, without its base, and what
// stands beside it.
func listRun(root *os.Root) (evidence, others []string, err error) {
	take := func(name string, e fs.DirEntry) {
		switch {
		case !e.Type().IsRegular() || limitOf(name) == 0:
			others = append(others, name)
		default:
			evidence = append(evidence, name)
		}
	}
	for _, name := range []string{manifestFile, sourceFile, journalFile, excerptsFile} {
		info, err := root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		take(name, fs.FileInfoToDirEntry(info))
	}
	trials, err := fs.ReadDir(root.FS(), trialsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for _, t := range trials {
		dir := path.Join(trialsDir, t.Name())
		if !t.IsDir() {
			others = append(others, dir)
			continue
		}
		left, err := fs.ReadDir(root.FS(), dir)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range left {
			take(path.Join(dir, e.Name()), e)
		}
	}
	return evidence, others, nil
}

// read returns a regular file of at most max bytes. Opening does not block,
// so that a FIFO in a foreign run cannot stop anyone.
func read(root *os.Root, name string, max int64) ([]byte, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	path := filepath.Join(root.Name(), name)
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > max {
		return nil, fmt.Errorf("%s: more than %d bytes", path, max)
	}
	return data, nil
}
