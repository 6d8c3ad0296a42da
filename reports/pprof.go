package reports

import (
	"context"
	"fmt"
	"net"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/reports/internal/pprofui"
)

// ServePprof serves the pprof web UI for the derived profiles of a run on ln,
// with an index of them and of the differences between models, until ctx
// ends or nobody has looked for half an hour. It closes ln, and refuses one that
// other machines can reach.
func ServePprof(ctx context.Context, ln net.Listener, res *analyzer.Result) error {
	return pprofSite(res).Serve(ctx, ln)
}

// pprofSite arranges the derived profiles of a run for the pprof web UI.
func pprofSite(res *analyzer.Result) *pprofui.Site {
	site := &pprofui.Site{Title: "concprof profiles of run " + plain(res.Run.ID)}
	for _, w := range res.Workloads {
		page := pprofui.Workload{Name: w.Name, Target: plain(w.Target), Verdict: pprofVerdict(w)}
		seen := map[string]int{}
		for _, flame := range w.Flames {
			if flame.Set == nil {
				continue
			}
			cell := pprofCell(flame)
			// One cell may have been profiled by more than one pass.
			if seen[cell.Name]++; seen[cell.Name] > 1 {
				cell.Name = fmt.Sprintf("%s-%d", cell.Name, seen[cell.Name])
				cell.Title = fmt.Sprintf("%s (%d)", cell.Title, seen[cell.Name])
			}
			page.Cells = append(page.Cells, cell)
		}
		for i := range w.Foreign {
			f := &w.Foreign[i]
			v := foreignOf(f)
			page.Cells = append(page.Cells, pprofui.Cell{
				Name: fmt.Sprintf("foreign-%d", i+1), Title: plain(v.Title), Problem: plain(v.Note) + ".",
				Profiles: map[pprofui.Kind]*pprof.Profile{pprofui.Merged: f.Data}, // whatever sample types it has
			})
		}
		site.Workloads = append(site.Workloads, page)
	}
	return site
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

func pprofVerdict(w analyzer.Workload) string {
	s := fmt.Sprintf("%s (demand %.2f).", w.Class, w.Demand)
	if r := w.Recommendation; r != nil {
		s += fmt.Sprintf(" Recommended: %s at %d.", r.Model, r.Concurrency)
	}
	return s
}
