package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/reports/internal/export"
)

// selected returns the workloads of that name, all for "".
func selected(res *analyzer.Result, name string) ([]analyzer.Workload, error) {
	if name == "" {
		return res.Workloads, nil
	}
	for i := range res.Workloads {
		if res.Workloads[i].Name == name {
			return res.Workloads[i : i+1], nil
		}
	}
	return nil, notThere(workloadsHint(res.Workloads), "the run has no workload %q", name)
}

func workloadsHint(ws []analyzer.Workload) string {
	names := make([]string, 0, len(ws))
	for i := range ws {
		names = append(names, plain(ws[i].Name))
	}
	return "the run has " + strings.Join(names, ", ")
}

// exportOne exports one profile of one cell.
func exportOne(res *analyzer.Result, ws []analyzer.Workload, f ExportFormat, s Selection) (*Export, error) {
	if len(ws) != 1 {
		return nil, notThere(workloadsHint(ws), "the run has %s: add --workload to choose one", plural(int64(len(ws)), "workload"))
	}
	w := &ws[0]
	flame, err := cellOf(w, s)
	if err != nil {
		return nil, err
	}
	kinds := []record.ProfileKind{record.WallProfile, record.CPUProfile}
	if f == ExportPprof {
		// It holds all three times.
		kinds = append([]record.ProfileKind{record.MergedProfile}, kinds...)
	}
	if s.Kind != "" {
		kinds = []record.ProfileKind{s.Kind}
	}
	if s.Kind == record.MergedProfile && f != ExportPprof {
		return nil, notThere("choose --kind cpu, wall or offcpu, or --to pprof", "merged has three times for each stack, and %s holds one", f)
	}
	if s.PerOp && f == ExportPstats {
		return nil, notThere("leave --per-op out", "pstats shows milliseconds, which times per op are less than")
	}
	for _, kind := range kinds {
		p := flame.Set.Of(kind)
		if p == nil {
			continue
		}
		if p = unwrapped(p); s.PerOp {
			if p = profile.PerOp(p, flame.Set.Ops); p == nil {
				return nil, notThere("", "the profile does not say of how many ops it is")
			}
		}
		what := title(flame, kind, s.PerOp)
		e := &Export{What: plain(what)}
		v := export.View{Name: what, Profile: p}
		switch f {
		case ExportPprof:
			p = portable(p, "from concprof: "+what, "run "+res.Run.ID)
			e.write = func(w io.Writer) error { return profile.Write(w, p) }
		case ExportFolded:
			e.write = func(w io.Writer) error { return export.Folded(w, v) }
		case ExportPstats:
			e.write = func(w io.Writer) error { return export.Pstats(w, v) }
		}
		return e, nil
	}
	return nil, notThere(strings.TrimSuffix(plain(flame.Set.Problem), "."), "there is no %s profile of %s", kinds[0], cellName(flame))
}

// exportAll exports every profile of every cell that the selection leaves, as
// one file of speedscope's.
func exportAll(res *analyzer.Result, ws []analyzer.Workload, s Selection) (*Export, error) {
	if s.Kind == record.MergedProfile {
		return nil, notThere("choose --kind cpu, wall or offcpu, or --to pprof", "merged has three times for each stack, and a profile of %s holds one", ExportSpeedscope)
	}
	var views []export.View
	active := -1
	for i := range ws {
		w := &ws[i]
		def, err := cellOf(w, s)
		if err != nil && len(ws) == 1 {
			return nil, err
		}
		for k := range w.Flames {
			f := &w.Flames[k]
			if f.Set == nil || s.Model != "" && f.Cell.Model != s.Model || s.Concurrency != 0 && f.Cell.Concurrency != s.Concurrency {
				continue
			}
			for _, kind := range []record.ProfileKind{record.WallProfile, record.CPUProfile, record.OffCPUProfile} {
				p := f.Set.Of(kind)
				if p == nil || s.Kind != "" && kind != s.Kind {
					continue
				}
				if p = unwrapped(p); s.PerOp {
					if p = profile.PerOp(p, f.Set.Ops); p == nil {
						continue
					}
				}
				if active < 0 && f == def {
					active = len(views)
				}
				views = append(views, export.View{Name: title(f, kind, s.PerOp), Profile: p})
			}
		}
	}
	if len(views) == 0 {
		return nil, notThere("a run with a larger budget has profiles of every model", "the run has no such profile")
	}
	active = max(active, 0)
	name := "concprof run " + profile.CleanName(res.Run.ID)
	return &Export{
		What: fmt.Sprintf("%s, first %s", plural(int64(len(views)), "profile"), plain(views[active].Name)),
		write: func(w io.Writer) error {
			return export.Speedscope(w, name, exporter, views, active)
		},
	}, nil
}

// cellOf returns the profiles of the cell that a selection means: what it
// names, else the recommended cell, else sequential.
func cellOf(w *analyzer.Workload, s Selection) (*analyzer.Flame, error) {
	if s.Model == "" && s.Concurrency == 0 {
		if f := chosen(w); f != nil {
			return f, nil
		}
		return nil, notThere("a run with a larger budget has profiles", "no model of workload %q was profiled", w.Name)
	}
	m, n := s.Model, s.Concurrency
	if m == "" {
		if r := w.Recommendation; r != nil {
			m = r.Model
		} else {
			m = model.Sequential
		}
	}
	f := profiled(w, m, n)
	if f == nil || n != 0 && f.Cell.Concurrency != n {
		asked := string(m)
		if n != 0 {
			asked = fmt.Sprintf("%s at %d", m, n)
		}
		return nil, notThere(profiledHint(w), "%s of workload %q was not profiled", asked, w.Name)
	}
	return f, nil
}

// profiledHint lists the cells that were profiled.
func profiledHint(w *analyzer.Workload) string {
	var names []string
	for i := range w.Flames {
		if w.Flames[i].Set != nil {
			names = append(names, cellName(&w.Flames[i]))
		}
	}
	if len(names) == 0 {
		return "a run with a larger budget has profiles"
	}
	return "profiled were " + strings.Join(names, ", ")
}

func cellName(f *analyzer.Flame) string {
	if f.Cell.Model == model.Sequential {
		return string(f.Cell.Model)
	}
	return fmt.Sprintf("%s at %d", f.Cell.Model, f.Cell.Concurrency)
}

// title says what a profile is of.
func title(f *analyzer.Flame, kind record.ProfileKind, perOp bool) string {
	times := map[record.ProfileKind]string{
		record.CPUProfile: "cpu time", record.WallProfile: "wall time", record.OffCPUProfile: "off-CPU time",
		record.MergedProfile: "wall, cpu and off-CPU time",
	}
	s := fmt.Sprintf("%s, %s, %s of %s", f.Cell.Workload, cellName(f), times[kind], plural(f.Set.Ops, "op"))
	if perOp {
		s += ", per op"
	}
	return s
}

// portable returns p with comments, as go tool pprof shows it; p itself stays
// as it is. A function whose system name is its name is taken for one of C++
// by pprof, which drops what stands in angle or square brackets: Python's
// <module> and <lambda>, and names of our own, would be lost.
func portable(p *pprof.Profile, comments ...string) *pprof.Profile {
	q := p.Copy()
	for _, c := range comments {
		q.Comments = append(q.Comments, profile.CleanName(c))
	}
	for _, f := range q.Function {
		f.SystemName = ""
	}
	return q
}

// limitsOf counts the limits of workloads.
func limitsOf(ws []analyzer.Workload) int {
	n := 0
	for _, w := range ws {
		n += len(w.Limits)
	}
	return n
}

// hasLimit reports whether a workload has a limit of that kind.
func hasLimit(ws []analyzer.Workload, kind analyzer.LimitKind) bool {
	return slices.ContainsFunc(ws, func(w analyzer.Workload) bool {
		return slices.ContainsFunc(w.Limits, func(l analyzer.Limit) bool { return l.Kind == kind })
	})
}
