package plan

import (
	"slices"
	"testing"

	"github.com/concprof/concprof/probes/model"
)

// Which levels may be added, by what the file and the settings say.
func TestLevels(t *testing.T) {
	const head = "version: 1\nworkloads:\n  - name: w\n    "
	tests := []struct {
		name, file string
		settings   Settings
		pool       []int // above the plan's
		addable    bool
		level      int
	}{
		{"by default", head + "steps: [{sleep: 1ms}]\n", Settings{}, []int{128, 256, 512}, true, 512},
		{"named in the file", head + "steps: [{sleep: 1ms}]\nmeasure: {concurrency: [1, 2, 4, 8, 16, 32, 64]}\n", Settings{}, nil, false, 64},
		{"named by a flag", head + "steps: [{sleep: 1ms}]\n", Settings{Concurrency: []int{1, 8}}, nil, false, 8},
		{"exhaustive", head + "steps: [{sleep: 1ms}]\n", Settings{Exhaustive: true}, nil, false, 64},
		{"a command: each op is a process", head + "command: [sleep, \"1\"]\n", Settings{}, nil, true, 64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.settings.Warmup, tt.settings.Cores, tt.settings.Budget = unset, 2, 3e11
			p, err := Build(parse(t, tt.file), tt.settings)
			if err != nil {
				t.Fatal(err)
			}
			w := &p.Workloads[0]
			if got := w.Doublings(model.Pool); !slices.Equal(got, tt.pool) {
				t.Errorf("of pool may be added %v, want %v", got, tt.pool)
			}
			if (w.Addable() > 0) != tt.addable || w.Level() != tt.level {
				t.Errorf("%d cells may be added and the greatest level is %d, want %t and %d", w.Addable(), w.Level(), tt.addable, tt.level)
			}
			if top := w.top(model.Processes); w.Ceiling(model.Processes) != top || w.Ceiling(model.Sequential) != 1 {
				t.Errorf("processes up to %d, the plan has %d; sequential up to %d", w.Ceiling(model.Processes), top, w.Ceiling(model.Sequential))
			}
			if least, most := w.Bounds().MaxTrials, (len(w.Cells)+w.Addable())*(1+w.Runs); most < w.Addable() || least < most {
				t.Errorf("at most %d trials, but %d are possible", least, most)
			}
		})
	}
}
