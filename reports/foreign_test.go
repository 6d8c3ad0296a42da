package reports

import (
	"encoding/json"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile/foreign"
)

// foreignNamed is a profile of another program in which every text is s.
func foreignNamed(s string) analyzer.ForeignProfile {
	fn := &pprof.Function{ID: 1, Name: s, Filename: s}
	loc := &pprof.Location{ID: 1, Line: []pprof.Line{{Function: fn, Line: 3}}}
	at := analyzer.Place{Function: s, File: s, Line: 3}
	return analyzer.ForeignProfile{
		Name: s, Kind: foreign.CProfile, Note: s, SampleType: "time", Unit: "nanoseconds", Total: 5e9,
		Top:         []analyzer.ForeignFunction{{Place: at, Self: 5e9, Share: 1, Calls: 1e7}},
		CompareWith: "wall",
		Compared:    []analyzer.ForeignShare{{Place: at, Share: 0.41, Sampled: 0.12, Margin: 0.03, Calls: 1e7, SelfNs: 5e9, Differs: true, Traced: true}},
		Data: &pprof.Profile{
			SampleType: []*pprof.ValueType{{Type: "calls", Unit: "count"}, {Type: "time", Unit: "nanoseconds"}}, DefaultSampleType: "time",
			Sample:   []*pprof.Sample{{Location: []*pprof.Location{loc}, Value: []int64{1e7, 5e9}}},
			Location: []*pprof.Location{loc}, Function: []*pprof.Function{fn},
		},
	}
}

// TestForeignProfile shows a profile of another program in every report for
// people, as what it is, and leaves all else as it was.
func TestForeignProfile(t *testing.T) {
	res := fixture(t, "python")
	before := map[Format]string{}
	for _, f := range All() {
		before[f] = string(render(t, f, res, Options{}))
	}
	f := foreignNamed("tiny")
	f.Name, f.Note = "app.prof", "from a cProfile file: call counts and times, no samples"
	res.Workloads[0].Foreign = []analyzer.ForeignProfile{f}
	wide := strings.NewReplacer("\n", " ", "  ", " ", "&#39;", "'")
	for _, f := range []Format{Text, Markdown, HTML} {
		out := wide.Replace(wide.Replace(wide.Replace(string(render(t, f, res, Options{})))))
		for _, want := range []string{
			"app.prof (cProfile)", "call counts and times, no samples", "nothing in the verdict rests on it",
			"5.00 s", "10,000,000", "tiny: cProfile says 41 %, sampling 12 %", "500 ns of its time each",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%s has no %q", f, want)
			}
		}
	}
	if !strings.Contains(string(render(t, HTML, res, Options{})), `class="flame foreign"`) {
		t.Error("the page draws no flame graph of it")
	}
	var doc struct {
		Workloads []struct {
			Foreign []analyzer.ForeignProfile `json:"foreign_profiles"`
		} `json:"workloads"`
	}
	if err := json.Unmarshal(render(t, JSON, res, Options{}), &doc); err != nil || doc.Workloads[0].Foreign[0].Kind != foreign.CProfile {
		t.Errorf("JSON holds %+v, %v", doc, err)
	}
	if got := string(render(t, Benchfmt, res, Options{})); got != before[Benchfmt] {
		t.Error("it changed the benchmark format")
	}
	res.Workloads[0].Foreign = nil
	for _, f := range All() {
		if string(render(t, f, res, Options{})) != before[f] {
			t.Errorf("%s without it is not what it was", f)
		}
	}
}

// The pprof UI lists it beside the models, and compares it with none: it has no
// ops.
func TestPprofListsForeign(t *testing.T) {
	res := withFlames(t, fixture(t, "python"))
	res.Workloads[0].Foreign = []analyzer.ForeignProfile{foreignNamed("tiny")}
	cells := pprofSite([]ProfiledRun{{Result: res}}, "").Workloads[0].Cells
	c := cells[len(cells)-1]
	if c.Name != "foreign-1" || c.Title != "tiny (cProfile)" || len(c.Profiles) != 1 || len(c.PerOp) != 0 || !strings.Contains(c.Problem, "nothing in the verdict rests on it") {
		t.Errorf("cell %+v", c)
	}
}
