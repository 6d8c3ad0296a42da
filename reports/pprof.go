package reports

import (
	"context"
	"fmt"
	"net"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/reports/internal/pprofui"
)

// A ProfiledRun is a run whose profiles are served. Its label tells it from
// the other one.
type ProfiledRun struct {
	Label  string
	Result *analyzer.Result
}

// ServePprof serves the pprof web UI for the derived profiles of one run or
// two on ln, with an index of them and of the differences between models and
// runs, until ctx ends or nobody has looked for half an hour. Doubt says why
// two runs should not be compared, "" if they may be. It closes ln, and refuses
// one that other machines can reach.
func ServePprof(ctx context.Context, ln net.Listener, runs []ProfiledRun, doubt string) error {
	return pprofSite(runs, doubt).Serve(ctx, ln)
}

// pprofSite arranges the derived profiles of runs for the pprof web UI. A
// workload that two runs have is one part of it, with the cells of both.
func pprofSite(runs []ProfiledRun, doubt string) *pprofui.Site {
	site := &pprofui.Site{}
	for line := range strings.Lines(doubt) {
		site.Doubt = append(site.Doubt, plain(strings.TrimSpace(line)))
	}
	if len(runs) == 1 {
		site.Title = "concprof profiles of run " + plain(runs[0].Result.Run.ID)
		runs = []ProfiledRun{{Result: runs[0].Result}}
	} else {
		var names []string
		for _, r := range runs {
			site.Runs = append(site.Runs, r.Label)
			names = append(names, fmt.Sprintf("%s (%s)", plain(r.Label), plain(r.Result.Run.ID)))
		}
		site.Title = "concprof profiles of " + strings.Join(names, " and ")
	}
	index := map[string]int{}
	for _, r := range runs {
		for _, w := range r.Result.Workloads {
			at, known := index[w.Name]
			if !known {
				at = len(site.Workloads)
				index[w.Name] = at
				site.Workloads = append(site.Workloads, pprofui.Workload{Name: w.Name, Target: plain(w.Target)})
			}
			page := &site.Workloads[at]
			page.Verdict = strings.TrimSpace(page.Verdict + " " + pprofVerdict(w, r.Label))
			page.Cells = append(page.Cells, pprofCells(w, r.Label)...)
		}
	}
	return site
}

func pprofCells(w analyzer.Workload, label string) []pprofui.Cell {
	var cells []pprofui.Cell
	seen := map[string]int{}
	for _, flame := range w.Flames {
		if flame.Set == nil {
			continue
		}
		cell := pprofCell(flame)
		cell.Run = label
		// One cell may have been profiled by more than one pass.
		if seen[cell.Name]++; seen[cell.Name] > 1 {
			cell.Name = fmt.Sprintf("%s-%d", cell.Name, seen[cell.Name])
			cell.Title = fmt.Sprintf("%s (%d)", cell.Title, seen[cell.Name])
		}
		cells = append(cells, cell)
	}
	for i := range w.Foreign {
		f := &w.Foreign[i]
		v := foreignOf(f)
		cells = append(cells, pprofui.Cell{
			Name: fmt.Sprintf("foreign-%d", i+1), Title: plain(v.Title), Run: label, Problem: plain(v.Note) + ".",
			Profiles: map[pprofui.Kind]*pprof.Profile{pprofui.Merged: f.Data}, // whatever sample types it has
		})
	}
	return cells
}

func pprofCell(flame analyzer.Flame) pprofui.Cell {
	set := flame.Set
	cell := pprofui.Cell{
		Name:     fmt.Sprintf("%s-%d", flame.Cell.Model, flame.Cell.Concurrency),
		Title:    fmt.Sprintf("%s, %d in flight", flame.Cell.Model, flame.Cell.Concurrency),
		Ops:      set.Ops,
		Problem:  plain(set.Problem),
		Profiles: map[pprofui.Kind]*pprof.Profile{},
		PerOp:    map[pprofui.Kind]*pprof.Profile{},
	}
	for kind, p := range map[pprofui.Kind]*pprof.Profile{
		pprofui.CPU: set.CPU, pprofui.Wall: set.Wall, pprofui.OffCPU: set.OffCPU, pprofui.Merged: set.Merged,
	} {
		if p == nil {
			continue
		}
		p = unwrapped(p)
		cell.Profiles[kind] = p
		if set.Ops > 0 {
			cell.PerOp[kind] = profile.PerOp(p, set.Ops)
		}
	}
	return cell
}

func pprofVerdict(w analyzer.Workload, label string) string {
	s := fmt.Sprintf("%s (demand %.2f).", w.Class, w.Demand)
	if label != "" {
		s = plain(label) + ": " + s
	}
	if r := w.Recommendation; r != nil {
		s += fmt.Sprintf(" Recommended: %s at %d.", r.Model, r.Concurrency)
	}
	return s
}
