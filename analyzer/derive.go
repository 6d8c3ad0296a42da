package analyzer

import (
	"cmp"
	"fmt"
	"io"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// derive makes the profiles that people look at: of sequential from its
// classifying trials, of every other model from its profiled one.
func (j *judgement) derive() {
	l := j.load
	if len(j.classify) > 0 {
		j.flame(l.baseline(), j.classify)
		if c := j.cell(l.baseline()); c != nil {
			c.Waits = sequentialWaits(j.out.Split, j.out.Waits)
		}
	}
	for _, m := range model.All() {
		for _, cell := range j.profiled(m) {
			fs := l.counted(cell, plan.Profiling, j.o)
			j.flame(cell, fs)
			if c := j.cell(cell); c != nil {
				c.Waits = j.waitsOf(fs)
			}
		}
	}
}

// profiled returns the cells of a model that have a profiled trial that
// counts.
func (j *judgement) profiled(m model.Model) []plan.Cell {
	var cells []plan.Cell
	for _, c := range append([]plan.Cell{{Workload: j.load.w.Name, Model: m, Concurrency: j.o.ProfileConcurrency}}, j.load.w.Cells...) {
		if c.Model != m || len(cells) > 0 && cells[0] == c {
			continue
		}
		if len(j.load.counted(c, plan.Profiling, j.o)) > 0 {
			cells = append(cells, c)
		}
	}
	return cells
}

func (j *judgement) cell(c plan.Cell) *Cell {
	for i := range j.out.Cells {
		if x := &j.out.Cells[i]; x.Model == c.Model && x.Concurrency == c.Concurrency {
			return x
		}
	}
	return nil
}

// flame derives the profiles of one cell from its trials and lists their
// files.
func (j *judgement) flame(cell plan.Cell, fs []plan.Finished) {
	var raws []profile.Raw
	for i := range fs {
		r := profile.Raw{
			Ops: fs[i].Record.Ops, WallHz: achieved(&fs[i].Record),
			Workload: cell.Workload, Model: cell.Model, Concurrency: cell.Concurrency,
		}
		cpu, wall := j.profileOf(&fs[i], record.CPUProfile), j.profileOf(&fs[i], record.WallProfile)
		r.CPU, r.Wall = cpu.profile, wall.profile
		if cpu.problem == "" && wall.problem == "" || len(fs) == 1 {
			raws = append(raws, r)
		}
	}
	j.doubtProfiles(cell, fs)
	if len(raws) == 0 {
		return
	}
	set := profile.Options{MaxResidual: j.o.MaxResidual}.Derive(raws)
	j.out.Flames = append(j.out.Flames, Flame{Cell: cell, Set: set})
	if withheld := set.CPU != nil && set.Wall != nil && set.OffCPU == nil; withheld {
		j.warnOf(WarnResidual, "for where these compute, use the CPU profile of the same cell; for where an op waits, the off-CPU profile of sequential, which is not affected",
			"off-CPU time is not drawn where the wall profile missed too much of the CPU time, for it sees busy goroutines only where they yield", "%s, %.0f %%", setupOf(&Cell{Model: cell.Model, Concurrency: cell.Concurrency}), 100*set.Residual)
	}
	for _, kind := range record.ProfileKinds() {
		for _, perOp := range []bool{false, true} {
			f := ProfileFile{Model: cell.Model, Concurrency: cell.Concurrency, Kind: kind, PerOp: perOp, Path: profilePath(cell, kind, perOp)}
			if set.Of(kind) == nil {
				f.Problem, f.Path = set.Problem, ""
				if f.Problem == "" {
					f.Problem = "it could not be derived"
				}
			}
			j.out.Profiles = append(j.out.Profiles, f)
		}
	}
}

// doubtProfiles says which profiles of a cell's trials are missing, and which
// were sampled too rarely. The latter are used all the same: what is blocked
// is blocked in few samples too.
func (j *judgement) doubtProfiles(cell plan.Cell, fs []plan.Finished) {
	name := setupOf(&Cell{Model: cell.Model, Concurrency: cell.Concurrency})
	var missing, slow int
	var problem string
	var slowest float64
	for i := range fs {
		for _, kind := range []record.ProfileKind{record.CPUProfile, record.WallProfile} {
			if r := j.profileOf(&fs[i], kind); r.problem != "" {
				missing, problem = missing+1, cmp.Or(problem, r.problem)
				break
			}
		}
		if hz := achieved(&fs[i].Record); hz > 0 && hz < j.o.MinHz {
			if slow++; slow == 1 || hz < slowest {
				slowest = hz
			}
		}
	}
	if missing > 0 {
		j.warnOf(WarnProfiles, "class, times and recommendation do not rest on them; what an op waits for rests on the profiles that are left",
			"profiles are missing or cannot be read", "%s, %s (%s)", name, trialsOf(missing, len(fs)), problem)
	}
	if slow > 0 {
		j.warnOf(WarnSlowSampling, "for what computes, use the CPU profile; a quieter machine is sampled more often",
			fmt.Sprintf("wall profiles with less than %.0f samples a second are used, but they miss part of what is busy; what an op waits for rests on them too", j.o.MinHz),
			"%s, %s (%.0f a second)", name, trialsOf(slow, len(fs)), slowest)
	}
}

func trialsOf(n, all int) string {
	if all == 1 {
		return "its only profiled trial"
	}
	return fmt.Sprintf("%d of %d trials", n, all)
}

// profilePath is where a derived profile goes, relative to the run directory.
func profilePath(c plan.Cell, kind record.ProfileKind, perOp bool) string {
	end := "pb.gz"
	if perOp {
		end = "perop.pb.gz"
	}
	return fmt.Sprintf("profiles/%s/%s-%d.%s.%s", c.Workload, c.Model, c.Concurrency, kind, end)
}

// A DerivedFile is a file that can be made from a result at any time. Its
// path is relative to the run directory.
type DerivedFile struct {
	Path  string
	Write func(io.Writer) error
}

// DerivedFiles returns the profiles of a result, as they are and per op. The
// analyzer itself writes no file: the caller says where.
func DerivedFiles(res *Result) []DerivedFile {
	var files []DerivedFile
	for i := range res.Workloads {
		w := &res.Workloads[i]
		sets := make(map[plan.Cell]*profile.Set, len(w.Flames))
		for _, f := range w.Flames {
			sets[f.Cell] = f.Set
		}
		for _, f := range w.Profiles {
			set := sets[plan.Cell{Workload: w.Name, Model: f.Model, Concurrency: f.Concurrency}]
			if f.Path == "" || set == nil {
				continue
			}
			p := set.Of(f.Kind)
			if p == nil {
				continue
			}
			files = append(files, DerivedFile{Path: f.Path, Write: func(out io.Writer) error {
				if !f.PerOp {
					return profile.Write(out, p)
				}
				q := profile.PerOp(p, set.Ops)
				if q == nil {
					return fmt.Errorf("%s: no ops to divide by", f.Path)
				}
				return profile.Write(out, q)
			}})
		}
	}
	return files
}

// The keys of Cell.Waits beside the reasons for waiting.
const (
	onCPU    = "on_cpu"
	runnable = "runnable"
)

func sequentialWaits(s Split, waits map[record.Wait]float64) map[string]float64 {
	m := map[string]float64{onCPU: s.OnCPU, runnable: s.Runnable}
	for k, v := range waits {
		m[string(k)] = v
	}
	return m
}

// waitsOf splits the time of the ops of profiled trials: what is on a
// processor comes from their CPU time, what is blocked from the stacks; what
// is neither was ready to run.
func (j *judgement) waitsOf(fs []plan.Finished) map[string]float64 {
	k := j.lookAt(fs)
	if m := loopWaits(fs, k); m != nil {
		return m
	}
	if turned(fs) {
		return nil // the loop's thread alone tells nothing of tasks that wait
	}
	if k.Samples == 0 {
		return nil
	}
	if k.Seen {
		return k.seen()
	}
	var cpu, span float64
	for _, f := range fs {
		cpu += float64(f.Record.CPU.UserNs + f.Record.CPU.SystemNs)
		span += float64(f.Record.WallNs) * float64(f.Trial.Cell.Concurrency)
	}
	all := float64(k.Samples)
	var unsure int64
	for _, n := range k.Ambiguous {
		unsure += n
	}
	on := min(cpu/max(span, 1), float64(k.Running+unsure)/all)
	ready := max(float64(k.Running)/all-on, 0)
	m := map[string]float64{onCPU: on, runnable: ready}
	// What was computed beyond the running stacks was so in system calls or C.
	busy := max(on*all-float64(k.Running), 0)
	slept := 0.0
	if unsure > 0 {
		slept = max(1-busy/float64(unsure), 0)
	}
	for _, kind := range record.Waits() {
		m[string(kind)] = (float64(k.Blocked[kind]) + slept*float64(k.Ambiguous[kind])) / all
	}
	return m
}
