package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"syscall"

	"github.com/concprof/concprof/probes/plan"
)

// Bounds on what is read of a run directory, which may come from anyone.
const (
	maxManifestBytes = 16 << 20
	maxSourceBytes   = 1 << 20 // as workload.Load's
	maxJournalBytes  = 256 << 20
	maxProfileBytes  = 64 << 20
	maxRuns          = 100_000 // listed in search of the newest
)

// Open reads a run directory. It changes nothing, and reads nothing outside
// of the directory. If path is a folder of runs, or of folders of runs as
// .concprof is, the newest run is opened.
func Open(path string) (*Run, error) {
	dir, err := find(path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()

	r := &Run{Path: dir}
	data, err := read(root, manifestFile, maxManifestBytes)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &r.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, manifestFile), err)
	}
	if r.Manifest.Schema != ManifestSchema {
		return nil, fmt.Errorf("%s: schema %q, but this concprof reads %q: use the version that made the run",
			filepath.Join(dir, manifestFile), r.Manifest.Schema, ManifestSchema)
	}
	if r.Source, err = read(root, sourceFile, maxSourceBytes); err != nil {
		return nil, err
	}
	if data, err = read(root, journalFile, maxJournalBytes); err != nil {
		return nil, err
	}
	r.replay(data)
	r.Excerpts = readExcerpts(root)
	return r, nil
}

// replay takes what the journal says.
func (r *Run) replay(data []byte) {
	entries, good := parseJournal(data)
	r.journalSize = int64(good)
	r.Torn = good < len(data)
	finished := make(map[string]bool)
	for _, e := range entries {
		switch {
		case e.Trial != nil && !finished[e.Trial.Trial.ID]:
			finished[e.Trial.Trial.ID] = true
			r.Finished = append(r.Finished, *e.Trial)
		case e.Decision != nil:
			r.Decisions = append(r.Decisions, *e.Decision)
		case e.Note != nil:
			r.Notes = append(r.Notes, *e.Note)
		}
	}
	n := len(r.Decisions)
	r.Complete = n > 0 && r.Decisions[n-1].Done && len(Unfinished(r.History())) == 0
}

// Unfinished returns the trials that were decided but have no record, in the
// order in which they were decided: what a resumed run begins with.
func Unfinished(h plan.History) []plan.Trial {
	finished := make(map[string]bool, len(h.Finished))
	for _, f := range h.Finished {
		finished[f.Trial.ID] = true
	}
	var left []plan.Trial
	for _, d := range h.Decisions {
		for _, t := range d.Trials {
			if !finished[t.ID] {
				left = append(left, t)
			}
		}
	}
	return left
}

// ReadProfile returns a file that a trial left, at most 64 MiB of it or an
// error.
func (r *Run) ReadProfile(trial, file string) ([]byte, error) {
	if !namePattern.MatchString(trial) || !namePattern.MatchString(file) {
		return nil, fmt.Errorf("no file %q of a trial %q", file, trial)
	}
	root, err := os.OpenRoot(r.Path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return read(root, filepath.Join(trialsDir, trial, file), maxProfileBytes)
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

// find returns the run directory that path means.
func find(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s: not a run directory but a file", path)
	}
	if isRun(path) {
		return path, nil
	}
	var runs []string
	for _, pattern := range []string{"*", "*/*"} {
		level, err := below(path, pattern)
		if err != nil {
			return "", err
		}
		runs = append(runs, level...)
	}
	if len(runs) == 0 {
		return "", fmt.Errorf("%s: no run directory: it has no %s, nor has a folder in it", path, manifestFile)
	}
	// A run's name begins with the time of its creation.
	sort.Slice(runs, func(i, j int) bool {
		a, b := filepath.Base(runs[i]), filepath.Base(runs[j])
		if a != b {
			return a < b
		}
		return runs[i] < runs[j]
	})
	return runs[len(runs)-1], nil
}

func below(path, pattern string) ([]string, error) {
	manifests, err := fs.Glob(os.DirFS(path), pattern+"/"+manifestFile)
	if err != nil {
		return nil, err
	}
	if len(manifests) > maxRuns {
		return nil, errors.New("too many runs: name one")
	}
	var runs []string
	for _, m := range manifests {
		run := filepath.Join(path, filepath.Dir(filepath.FromSlash(m)))
		if !isRun(filepath.Dir(run)) { // the base of a run is opened with it
			runs = append(runs, run)
		}
	}
	return runs, nil
}

func isRun(path string) bool {
	_, err := os.Lstat(filepath.Join(path, manifestFile))
	return err == nil
}
