package analyzer

import (
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
)

// TestRaces holds what comes of the race detector: where it found something no
// model is recommended whose ops run side by side in one process, where it could
// not run that is said, and where it was not asked for nothing is.
func TestRaces(t *testing.T) {
	tests := []struct {
		name    string
		races   int64
		asked   bool
		noRace  string
		private bool
		warn    string
		skipped string
		models  []model.Model
	}{
		{name: "not asked for", races: 2, models: []model.Model{model.Pool}},
		{name: "none", asked: true, models: []model.Model{model.Pool}},
		{name: "two", asked: true, races: 2, warn: WarnRace, models: []model.Model{model.Sequential}},
		{name: "two, with private state", asked: true, races: 2, private: true, warn: WarnRace, models: []model.Model{model.Processes}},
		{name: "no compiler", asked: true, noRace: `cgo: C compiler "gcc" not found`, warn: WarnNoRace, skipped: "gcc", models: []model.Model{model.Pool}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 1e5, wait: 2e7, races: tt.races})
			p := l.plan(20, 10, goModels, levels, "op")
			w := &p.Workloads[0]
			w.Race, w.NoRace, w.Private, w.Root = tt.asked, tt.noRace, tt.private, "/home/u/m"
			h := l.drive(t, p, DefaultOptions())
			ran := slices.ContainsFunc(h.Finished, func(f plan.Finished) bool { return f.Trial.Pass == plan.Race })
			if want := tt.asked && tt.noRace == ""; ran != want {
				t.Errorf("a race trial ran: %t, want %t", ran, want)
			}
			out := judged(t, h).Workloads[0]
			if r := out.Recommendation; r == nil || !slices.Contains(tt.models, r.Model) {
				t.Errorf("recommends %+v, want one of %v (%s)", r, tt.models, out.Undecided)
			}
			var about []Warning
			for _, x := range out.Warnings {
				if x.ID == WarnRace || x.ID == WarnNoRace {
					about = append(about, x)
				}
			}
			if tt.warn == "" != (len(about) == 0) || len(about) > 0 && (about[0].ID != tt.warn || about[0].Remedy == "") {
				t.Errorf("warnings %+v, want %s", about, tt.warn)
			}
			if (out.Race != nil) != tt.asked || tt.asked && !strings.Contains(out.Race.Skipped, tt.skipped) {
				t.Errorf("race %+v", out.Race)
			}
			if tt.warn == WarnRace {
				const want = "a write in example.com/m.Op (op.go:7) and a previous read in example.com/m.Op (op.go:5)"
				if !strings.Contains(about[0].Message, want) {
					t.Errorf("says %q, want %q", about[0].Message, want)
				}
			}
		})
	}
}
