package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

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

// Open reads a run: its directory, or an archive of it. It changes nothing,
// and reads nothing outside. If path is a folder of runs, or of folders of runs
// as .concprof is, the newest run is opened.
func Open(path string) (*Run, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		a, err := openArchive(path)
		if errors.Is(err, ErrNoArchive) && !IsArchive(path) {
			return nil, fmt.Errorf("%s: not a run directory but a file, and no archive of one", path)
		}
		if err != nil {
			return nil, err
		}
		r, err := open(path, a)
		if err == nil {
			r.Edited = a.edited("")
		}
		return r, err
	}
	dir, err := find(path)
	if err != nil {
		return nil, err
	}
	return open(dir, folder(dir))
}

func open(path string, from store) (*Run, error) {
	r := &Run{Path: path, store: from}
	data, err := from.read(manifestFile)
	if err != nil {
		return nil, err
	}
	// What a newer version has changed the type of is an error, but leaves the
	// schema readable.
	err = json.Unmarshal(data, &r.Manifest)
	switch schema := r.Manifest.Schema; {
	case schema != ManifestSchema && strings.HasPrefix(schema, "concprof-run/"):
		return nil, &VersionError{Path: path, Schema: schema, Reads: ManifestSchema, Tool: r.Manifest.Tool.Version}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, manifestFile), err)
	case schema != ManifestSchema:
		return nil, fmt.Errorf("%s: no run directory: its %s is of something else", path, manifestFile)
	}
	if r.Source, err = from.read(sourceFile); err != nil {
		return nil, err
	}
	if data, err = from.read(journalFile); err != nil {
		return nil, err
	}
	r.replay(data)
	r.Excerpts = readExcerpts(from)
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
	if r.store == nil {
		return nil, fs.ErrNotExist // a run that was made up
	}
	return r.store.read(trialsDir + "/" + trial + "/" + file)
}

// find returns the run directory that path means.
func find(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s: not a folder", path)
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
