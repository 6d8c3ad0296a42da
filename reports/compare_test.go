package reports

import (
	"bytes"
	"encoding/json"
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

// loadComparison has a cell of every verdict that there is where ops arrive at a
// rate.
func loadComparison() *compare.Comparison {
	c := comparison()
	quartile := func(median float64) analyzer.Quartile {
		return analyzer.Quartile{Median: median, Low: median * 0.98, High: median * 1.03, Level: 0.979}
	}
	made := func(ms, reached float64) (compare.Arrivals, compare.Throughput) {
		t := compare.Throughput{Quartile: analyzer.Quartile{Median: reached, Low: reached * 0.998, High: reached * 1.002, Level: 0.979}, Trials: 10}
		if ms == 0 {
			return compare.Arrivals{Reason: "40 ops were done where at least 80 should have been"}, t
		}
		return compare.Arrivals{Holds: true, P99: quartile(ms * 1e6)}, t
	}
	cell := func(m model.Model, n int, b, h float64, v compare.Verdict, p float64, why string) compare.Cell {
		x := compare.Cell{Model: m, Concurrency: n, Load: &compare.CellLoad{}, P: p / 4, Corrected: p, Verdict: v, Why: why}
		reached := map[bool]float64{true: 200, false: 98.6 + float64(n)}
		x.Load.Base, x.Base = made(b, reached[b > 0])
		x.Load.Head, x.Head = made(h, reached[h > 0])
		if b > 0 && h > 0 {
			x.Change = analyzer.Interval{Value: h/b - 1, Low: h/b - 1.03, High: h/b - 0.98, Level: 0.95, N: 10}
		}
		return x
	}
	unknown := cell(model.Processes, 4, 19.3, 19.4, compare.Untested, 1, "its p99 is not known: its trials have 480 and 500 ops")
	unknown.Load.Base.P99, unknown.Load.Head.P99 = analyzer.Quartile{}, analyzer.Quartile{}
	c.Workloads = []compare.Workload{{
		Name: "fetch", Floor: 0.031, Load: &analyzer.Load{RatePerSec: 200},
		Class:          compare.Change{Base: "io-bound", Head: "io-bound"},
		Recommendation: compare.Change{Base: "pool at 4", Head: "pool at 16", Changed: true},
		Cells: []compare.Cell{
			cell(model.Sequential, 1, 0, 0, compare.Neither, 1, "it holds the rate in neither run"),
			cell(model.Pool, 4, 11.3, 0, compare.Behind, 0.0004, ""),
			cell(model.Pool, 16, 11.2, 14.1, compare.Slower, 0.0004, ""),
			cell(model.Goroutines, 4, 0, 11.6, compare.Keeps, 0.0004, ""),
			cell(model.Goroutines, 16, 12.6, 11.1, compare.Faster, 0.003, ""),
			cell(model.Threads, 16, 11.6, 11.9, compare.Same, 0.012, compare.BelowFloor),
			cell(model.Threads, 8, 11.6, 0, compare.Same, 0.3, "it holds the rate in one of the runs only, but what they reached cannot be told apart"),
			cell(model.EventLoop, 16, 11.6, 11.7, compare.Same, 0.84, ""),
			unknown,
		},
		Only: []compare.OnlyCell{{Model: model.Pool, Concurrency: 2, In: "main", Why: "eliminated: it does not hold 200/s: 30 ops were done where at least 54 should have been"}},
		Gate: []analyzer.Answer{{Condition: "regression <= 5%", Outcome: analyzer.NotMet, Found: "pool at 4 no longer holds 200/s: it reached 103/s"}},
	}}
	c.Tested, c.Changed, c.OnlyBase, c.Differences, c.Warnings = 7, 4, nil, nil, nil
	return c
}

// noneCompared is a comparison under a load in which nothing is tested.
func noneCompared() *compare.Comparison {
	c := loadComparison()
	w := &c.Workloads[0]
	w.Cells, w.Only, w.Gate = []compare.Cell{w.Cells[8]}, nil, nil
	w.Recommendation = compare.Change{Base: "none", Head: "none"}
	c.Tested, c.Changed = 0, 0
	return c
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
		{"compare-load.80.txt", loadComparison(), Text, Options{}},
		{"compare-load.200.txt", loadComparison(), Text, Options{Width: 200, Verbose: true}},
		{"compare-load.md", loadComparison(), Markdown, Options{}},
		{"compare-load.out.json", loadComparison(), JSON, Options{}},
		{"compare-load.html", loadComparison(), HTML, Options{}},
		{"compare-none.80.txt", noneCompared(), Text, Options{}},
		{"compare-none.md", noneCompared(), Markdown, Options{}},
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

// sideBySideRuns is what a report shows of a run that was measured side by side with
// another revision: every verdict, and a workload that cannot run there.
func sideBySideRuns() *compare.Comparison {
	c := comparison()
	c.Base.Label, c.Head.Label = "main", "this tree"
	c.Against = &rundir.Against{
		Side: rundir.SideHead, Revision: "main", Commit: "26a7ef297686d1c0ffee", Modified: true,
		Absent: []rundir.Absence{{Workload: "new\x1b[31m", Reason: "workload.yaml:9: undefined: thumb.<b>New\nhint: x"}},
		Notes:  []string{"servers that are commands run from this tree, for both"},
	}
	c.OnlyBase, c.OnlyHead, c.Differences = nil, []string{"new\x1b[31m"}, nil
	c.Workloads[0].Only = c.Workloads[0].Only[:1]
	return c
}

// The reports of a run tell what changed since a revision, the comparison of
// the two that they were interleaved.
func TestAgainstGolden(t *testing.T) {
	for _, v := range []struct {
		name   string
		format Format
		o      Options
	}{
		{"against.80.txt", Text, Options{}},
		{"against.md", Markdown, Options{}},
		{"against.html", HTML, Options{}},
	} {
		t.Run(v.name, func(t *testing.T) {
			v.o.Against = sideBySideRuns()
			got := render(t, v.format, fixture(t, "mixed"), v.o)
			golden(t, v.name, got)
			for _, active := range []string{"<b>New", "\x1b"} {
				if strings.Contains(string(got), active) && (v.format != Text || active != "<b>New") {
					t.Errorf("the report has %q", active)
				}
			}
			if v.format == Text {
				for line := range strings.Lines(string(got)) {
					if columns(strings.TrimSuffix(line, "\n")) > 80 {
						t.Errorf("wider than 80 columns: %s", line)
					}
				}
			}
		})
	}
	var verdict struct {
		Schema  string
		Against *compare.Comparison
	}
	if err := json.Unmarshal(render(t, JSON, fixture(t, "mixed"), Options{Against: sideBySideRuns()}), &verdict); err != nil || verdict.Schema == "" ||
		verdict.Against == nil || verdict.Against.Against.Commit != sideBySideRuns().Against.Commit || len(verdict.Against.Workloads) != 2 {
		t.Errorf("as JSON: %+v, %v", verdict, err)
	}
	gated := sideBySideRuns()
	gated.Workloads[0].Gate = []analyzer.Answer{{Condition: "regression <= 5%", Outcome: analyzer.NotMet, Found: "14 % slower (9.1 % to 17 %) in pool at 64"}}
	for _, f := range []Format{Text, Markdown, HTML} {
		var b bytes.Buffer
		if err := WriteComparison(&b, f, gated, Options{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"interleaved", "NOT MET", "14 % slower"} {
			if !strings.Contains(strings.Join(strings.Fields(strings.NewReplacer("\\", "", "&nbsp;", " ").Replace(b.String())), " "), want) {
				t.Errorf("%s does not say %q:\n%s", f, want, b.String())
			}
		}
	}
}
