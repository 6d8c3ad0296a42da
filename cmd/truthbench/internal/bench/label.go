package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// A Label says what is true of an op, whoever measures it.
type Label struct {
	Name   string         `json:"name"`
	Target model.Kind     `json:"target"`
	Class  analyzer.Class `json:"class"`
	// Ambiguous marks a class that is the machine's to say: it is not counted.
	Ambiguous bool                 `json:"ambiguous,omitempty"`
	Wait      record.Wait          `json:"wait,omitempty"` // what it mostly waits for
	Limit     analyzer.LimitKind   `json:"limit,omitempty"`
	May       []analyzer.LimitKind `json:"may,omitempty"` // limits that may be found too
	Models    []model.Model        `json:"models"`        // the families that suit it
	// Blocking says that its waits would stall a true event loop, so that one
	// is not what others are compared with.
	Blocking bool `json:"blocking,omitempty"`
	// Sweep is the budget of its exhaustive sweep where the usual one is too short for six
	// trials of a cell.
	Sweep workload.Duration `json:"sweep,omitzero"`
	Why   string            `json:"why"`
}

// files are the workload files of a suite, by the kind of their targets.
func files() map[model.Kind]string {
	return map[model.Kind]string{model.Go: "workload.yaml", model.Python: "python.yaml"}
}

// readLabels reads the labels of a suite.
func readLabels(suite string) ([]Label, error) {
	name := filepath.Join(suite, "labels.json")
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var ls []Label
	if err := json.Unmarshal(text, &ls); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return ls, nil
}

// faults returns the limits that a run found wrongly, or failed to find with a
// minus before them. A stalled loop follows from blocking waits; too many in
// flight is a property of a level and not of an op.
func (l Label) faults(found []analyzer.LimitKind) []string {
	var out []string
	if l.Limit != "" && !slices.Contains(found, l.Limit) {
		out = append(out, "-"+string(l.Limit))
	}
	for _, k := range found {
		if k != l.Limit && !slices.Contains(l.May, k) && k != analyzer.LimitOversubscription {
			out = append(out, "+"+string(k))
		}
	}
	return out
}
