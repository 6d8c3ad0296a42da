package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	pprof "github.com/google/pprof/profile"
	"golang.org/x/sync/errgroup"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/reports"
)

// derived are the reports that analyze leaves in a run directory. Deleting
// them loses nothing.
var derived = []struct {
	name   string
	format reports.Format
}{
	{"verdict.json", reports.JSON},
	{"report.html", reports.HTML},
	{"report.md", reports.Markdown},
	{"bench.txt", reports.Benchfmt},
}

// openRun opens a run directory, an archive of one, the newest one of a folder
// of runs, or the newest one below root if path is "latest".
func openRun(path, root string) (*rundir.Run, error) {
	if path == latest {
		path = root
	}
	run, err := rundir.Open(path)
	if err == nil {
		return run, nil
	}
	if is[*rundir.EditedError](err) {
		return nil, editedError(err)
	}
	hint := "name a run directory, an archive of one, a folder of runs, or latest for the newest run below " + root
	goFiles, _ := filepath.Glob(filepath.Join(path, "*.go"))
	switch {
	case is[*rundir.VersionError](err):
		hint = "read it with the concprof that made it, or a newer one"
	case len(goFiles) > 0:
		hint = "to analyse a function of that package, name it: concprof analyze " + goFunc(path)
	case errors.Is(err, fs.ErrNotExist) && path == root:
		err = fmt.Errorf("there is no run yet: no folder %s", path)
		hint = "concprof analyze makes one; --dir names another folder of runs"
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("there is no run %s", path)
	}
	return nil, &usageError{err, hint}
}

// editedError adds what to do about an archive whose files are not those that
// were archived.
func editedError(err error) error {
	if !is[*rundir.EditedError](err) {
		return err
	}
	return &partialError{err.Error(), "take the archive again from where it was made: its numbers cannot be trusted"}
}

// judge analyses a run.
func judge(run *rundir.Run) (*analyzer.Result, error) {
	res, err := analyzer.Analyze(run, analyzer.DefaultOptions())
	if err != nil {
		return nil, fmt.Errorf("cannot analyse %s: %w", run.Path, err)
	}
	return res, nil
}

// profilesDir is the folder of derived profiles within a run directory.
const profilesDir = "profiles"

// writeDerived writes the derived files of a run directory anew. The folder
// of profiles is emptied first: another concprof may have named them
// otherwise, and a link in its place would lead out of the run directory. c is
// the comparison that the reports show, nil for none.
func writeDerived(dir string, res *analyzer.Result, c *compare.Comparison) error {
	if err := os.RemoveAll(filepath.Join(dir, profilesDir)); err != nil {
		return &writeError{filepath.Join(dir, profilesDir), err}
	}
	if err := writeProfiles(dir, res); err != nil {
		return err
	}
	for _, d := range derived {
		err := rundir.WriteFile(dir, d.name, func(out io.Writer) error {
			return reports.Write(out, d.format, res, reports.Options{Against: c, Verbose: true})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writers is how many derived profiles are written at once: each is synced to
// the disk, which takes longer than making it, and syncs that meet share the
// wait.
const writers = 16

// writeProfiles writes all derived profiles. The files of one profile, as it
// is and per op, are written one after the other, for encoding a profile
// changes what it holds.
func writeProfiles(dir string, res *analyzer.Result) error {
	var all errgroup.Group
	all.SetLimit(writers)
	for _, w := range res.Workloads {
		type source struct {
			plan.Cell
			kind record.ProfileKind
		}
		var order []source
		files := make(map[source][]analyzer.ProfileFile)
		for _, f := range w.Profiles {
			s := source{plan.Cell{Model: f.Model, Concurrency: f.Concurrency}, f.Kind}
			if files[s] == nil {
				order = append(order, s)
			}
			files[s] = append(files[s], f)
		}
		for _, s := range order {
			all.Go(func() error {
				for _, f := range files[s] {
					if err := writeProfile(dir, f, w.Flames); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	return all.Wait()
}

// writeProfile writes one derived profile, if there is one.
func writeProfile(dir string, file analyzer.ProfileFile, flames []analyzer.Flame) error {
	p, ops := derivedProfile(file, flames)
	if p == nil || file.Path == "" {
		return nil
	}
	if file.PerOp {
		if p = profile.PerOp(p, ops); p == nil {
			return nil
		}
	}
	return rundir.WriteFile(dir, filepath.FromSlash(file.Path), p.Write)
}

// derivedProfile returns the profile that a file of the verdict stands for.
func derivedProfile(file analyzer.ProfileFile, flames []analyzer.Flame) (*pprof.Profile, int64) {
	for _, f := range flames {
		if f.Cell.Model != file.Model || f.Cell.Concurrency != file.Concurrency || f.Set == nil {
			continue
		}
		return f.Set.Of(file.Kind), f.Set.Ops
	}
	return nil, 0
}

// complain returns the error that a verdict ends the command with: nil only
// for a complete report whose gates are met. What could not be measured says
// more than a gate that is undecided for it, and less than one that is not met.
func complain(j *judged) error {
	res, run := j.res, j.run.Path
	measured, broken, causes := 0, []string{}, []string{}
	isChanged := func(w analyzer.Warning) bool { return w.ID == analyzer.WarnChanged }
	changed := slices.ContainsFunc(res.Warnings, isChanged)
	for _, w := range res.Workloads {
		changed = changed || slices.ContainsFunc(w.Warnings, isChanged)
		for _, c := range w.Cells {
			switch {
			case c.Status.Broken():
				broken = append(broken, fmt.Sprintf("%s/%s/%d %s", w.Name, c.Model, c.Concurrency, c.Status))
			case c.Status == record.OK:
				measured++
			}
		}
		causes = append(causes, causesOf(&w)...)
	}
	notMet, undecided := gateErrors(res)
	whole := res.Complete
	if j.base != nil {
		whole = whole && j.base.Result.Complete
	}
	switch {
	case measured == 0 && len(broken) > 0:
		return fmt.Errorf("nothing could be measured: %s", some(causes))
	case changed:
		return &partialError{"evidence was changed after it was measured", "the warnings of the report say which; measure again: concprof analyze"}
	case !whole:
		return &partialError{"the run is not complete", j.again()}
	case notMet != nil:
		return notMet
	case len(broken) > 0:
		return &partialError{count(len(broken), "cell") + " failed: " + some(broken), "the report and " + filepath.Join(run, "trials") + " say why"}
	}
	return undecided
}

// causesOf says of a workload why its cells broke, each cause once: of a dry op
// that failed it is the same in all of them.
func causesOf(w *analyzer.Workload) []string {
	var causes []string
	for _, c := range w.Cells {
		if !c.Status.Broken() {
			continue
		}
		cause := fmt.Sprintf("%s: %s", w.Name, c.Status)
		if c.Reason != "" && c.Reason != string(c.Status) {
			cause += ": " + c.Reason
		}
		if !slices.Contains(causes, cause) {
			causes = append(causes, cause)
		}
	}
	return causes
}

// some names the first few of a list.
func some(list []string) string {
	const most = 3
	s := ""
	for i, item := range list {
		if i == most {
			return s + fmt.Sprintf(" and %d more", len(list)-most)
		}
		if i > 0 {
			s += ", "
		}
		s += item
	}
	return s
}
