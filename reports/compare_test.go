package reports

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/rundir"
)

// comparison has a cell of every verdict, and all that may stand beside them.
func comparison() *compare.Comparison {
	through := func(median float64, n int) compare.Throughput {
		return compare.Throughput{Quartile: analyzer.Quartile{Median: median, Low: median * 0.98, High: median * 1.03, Level: 0.979}, Trials: n}
	}
	cell := func(m model.Model, n int, b, h float64, v compare.Verdict, p float64) compare.Cell {
		return compare.Cell{
			Model: m, Concurrency: n, Base: through(b, 10), Head: through(h, 10),
			Change: analyzer.Interval{Value: h/b - 1, Low: h/b - 1.03, High: h/b - 0.98, Level: 0.95, N: 10},
			P:      p / 4, Corrected: p, Verdict: v,
		}
	}
	floor := cell(model.Goroutines, 64, 2900, 2960, compare.Same, 0.012)
	floor.Why = "noise floor"
	few := cell(model.Threads, 64, 2500, 2700, compare.Untested, 1)
	few.Base.Trials, few.Why = 3, "needs 6 trials in each run, has 3 and 10"
	created := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	tool := rundir.Tool{Version: "0.1.0", Go: "go1.26.1"}
	return &compare.Comparison{
		Schema: compare.Schema, Alpha: 0.05, Tested: 6, MinTrials: 6, Changed: 2,
		Base: compare.Source{Label: "main", ID: "20261102T093000Z-aaaaaa", Dir: ".concprof/fetch/20261102T093000Z-aaaaaa", Created: created, Tool: tool},
		Head: compare.Source{Label: "pull-7", ID: "20261102T095900Z-bbbbbb", Dir: ".concprof/fetch/20261102T095900Z-bbbbbb", Created: created.Add(29 * time.Minute), Tool: tool},
		Workloads: []compare.Workload{{
			Name: "fetch", Floor: 0.021,
			Class:          compare.Change{Base: "io-bound", Head: "mixed", Changed: true},
			Recommendation: compare.Change{Base: "pool at 64", Head: "goroutines at 64", Changed: true, Note: "a tie in one of the runs"},
			Cells: []compare.Cell{
				cell(model.Sequential, 1, 48.2, 48.1, compare.Same, 0.84),
				cell(model.Pool, 64, 2803, 2412, compare.Slower, 0.0004),
				cell(model.EventLoop, 64, 1700, 2130, compare.Faster, 0.003),
				floor, few,
			},
			Only: []compare.OnlyCell{
				{Model: model.Pool, Concurrency: 32, In: "main", Why: "eliminated, no counted trial"},
				{Model: model.Processes, Concurrency: 2, In: "pull-7", Why: "crashed: signal: killed"},
			},
		}, {
			Name: "evil\x1b[31m | @octocat #1", Floor: 0.004,
			Class:          compare.Change{Base: "cpu-bound", Head: "cpu-bound"},
			Recommendation: compare.Change{Base: "none", Head: "none"},
			Cells:          []compare.Cell{cell(model.Sequential, 1, 123456, 123999, compare.Same, 1), cell(model.Pool, 2, 246000, 247000, compare.Same, 1)},
		}},
		OnlyBase:    []string{"old"},
		Differences: []compare.Difference{{Workload: "fetch", What: "budget", Base: "1m0s", Head: "30s"}},
		Warnings:    []analyzer.Warning{{ID: compare.WarnForced, Message: "these runs were measured differently, and are compared all the same: what differs may be why they differ", Remedy: "measure both with the same settings on the same host"}},
	}
}

func TestComparisonGolden(t *testing.T) {
	same := comparison()
	same.Workloads = same.Workloads[1:]
	same.Tested, same.Changed, same.OnlyBase, same.Differences, same.Warnings = 2, 0, nil, nil, nil
	for _, v := range []struct {
		name   string
		c      *compare.Comparison
		format Format
		o      Options
	}{
		{"compare.80.txt", comparison(), Text, Options{}},
		{"compare.60.txt", comparison(), Text, Options{Width: 60}},
		{"compare.200.txt", comparison(), Text, Options{Width: 200, Verbose: true}},
		{"compare.color.txt", comparison(), Text, Options{Width: 100, Color: true}},
		{"compare.md", comparison(), Markdown, Options{}},
		{"compare.out.json", comparison(), JSON, Options{}},
		{"compare.html", comparison(), HTML, Options{}},
		{"compare-same.80.txt", same, Text, Options{}},
		{"compare-same.md", same, Markdown, Options{}},
	} {
		t.Run(v.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteComparison(&b, v.format, v.c, v.o); err != nil {
				t.Fatal(err)
			}
			golden(t, v.name, b.Bytes())
			if v.format != Text {
				return
			}
			for line := range strings.Lines(b.String()) {
				width := v.o.width()
				if plain := strings.TrimSuffix(line, "\n"); !v.o.Color && columns(plain) > width {
					t.Errorf("wider than %d columns: %s", width, plain)
				}
			}
		})
	}
	var page bytes.Buffer
	if err := WriteComparison(&page, HTML, comparison(), Options{}); err != nil {
		t.Fatal(err)
	}
	for _, active := range []string{"<script", "http:", "https:", "\x1b"} {
		if body := page.String()[strings.Index(page.String(), "<body>"):]; strings.Contains(body, active) {
			t.Errorf("the page has %q", active)
		}
	}
	var b bytes.Buffer
	if err := WriteComparison(&b, Benchfmt, comparison(), Options{}); err == nil || b.Len() > 0 {
		t.Errorf("as benchfmt: %v, %q", err, b.String())
	}
}
