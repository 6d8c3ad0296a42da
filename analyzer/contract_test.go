package analyzer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// The keys that verdict.json promises. Keys may be added; none of these may
// go. A key with an object below it is written "workloads.cells".
var contract = map[string][]string{
	"":                                 {"schema", "run", "workloads"},
	"run":                              {"id", "dir", "seed", "host", "noise"},
	"run.noise":                        {"floor", "controls_ok"},
	"workloads":                        {"name", "target", "class", "confidence", "demand", "demand_interval", "split", "inner_parallelism", "waits", "limits", "prediction", "recommendation", "cells", "scaling", "profiles", "ops_run", "observer_effect", "warnings"},
	"workloads.split":                  {"on_cpu", "runnable", "blocked"},
	"workloads.waits":                  {"network", "file", "timer", "lock", "channel", "subprocess", "gil", "other"},
	"workloads.limits":                 {"kind", "share"},
	"workloads.prediction":             {"model", "concurrency", "agrees", "why"},
	"workloads.recommendation":         {"model", "concurrency", "speedup", "ties", "why", "code"},
	"workloads.recommendation.speedup": {"value", "low", "high"},
	"workloads.cells":                  {"model", "concurrency", "status", "trials", "ops_per_sec", "latency_ns", "cpu_ns_per_op", "peak_rss_bytes", "threads", "failed_ops"},
	"workloads.cells.ops_per_sec":      {"median", "low", "high"},
	"workloads.cells.latency_ns":       {"p50", "p95", "p99"},
	"workloads.scaling":                {"model", "sigma", "kappa", "r2", "peak_concurrency"},
	"workloads.warnings":               {"id", "message"},
	"workloads.gil":                    {"share", "bound", "wait_share"},
	"workloads.loop":                   {"idle", "busy", "cpu", "stalled", "turns", "longest_turn_ns", "longest_step_ns"},
	"workloads.error_handling":         {"model", "failed_ops", "errors", "notes"},
	"workloads.gate":                   {"condition", "outcome"},
	"workloads.claim":                  {"says", "standing", "condition", "outcome"},
}

func TestVerdictKeepsItsContract(t *testing.T) {
	for name, o := range kinds() {
		run := simulated(t, name, o, 20, goModels)
		var buf bytes.Buffer
		if err := json.NewEncoder(&buf).Encode(judged(t, run)); err != nil {
			t.Fatalf("%s: %v", name, err) // NaN and Inf are no JSON
		}
		var doc map[string]any
		if err := json.Unmarshal(buf.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		if doc["schema"] != "concprof/1" {
			t.Errorf("schema %v", doc["schema"])
		}
		for path, keys := range contract {
			var parts []string
			if path != "" {
				parts = strings.Split(path, ".")
			}
			for _, object := range objects(doc, parts) {
				for _, key := range keys {
					if _, ok := object[key]; !ok {
						t.Errorf("%s: %q has no key %q", name, path, key)
					}
				}
			}
		}
		for _, list := range []string{"limits", "cells", "scaling", "profiles", "warnings"} {
			for _, w := range objects(doc, []string{"workloads"}) {
				if _, ok := w[list].([]any); !ok {
					t.Errorf("%s: %s is %v, want a list", name, list, w[list])
				}
			}
		}
	}
}

// objects returns the objects at a path, in every element of the lists on it.
func objects(v any, path []string) []map[string]any {
	switch v := v.(type) {
	case []any:
		var all []map[string]any
		for _, e := range v {
			all = append(all, objects(e, path)...)
		}
		return all
	case map[string]any:
		if len(path) == 0 {
			return []map[string]any{v}
		}
		return objects(v[path[0]], path[1:])
	}
	return nil
}

// What holds of every verdict, whatever was measured.
func TestVerdictIsCoherent(t *testing.T) {
	for name, o := range kinds() {
		res := judged(t, simulated(t, name, o, 20, goModels))
		for _, w := range res.Workloads {
			if s := w.Split; math.Abs(s.OnCPU+s.Runnable+s.Blocked-1) > 1e-9 || s.OnCPU < 0 || s.Runnable < 0 || s.Blocked < 0 {
				t.Errorf("%s: split %+v does not sum to 1", name, s)
			}
			var waits float64
			for _, k := range record.Waits() {
				waits += w.Waits[k]
			}
			if math.Abs(waits-w.Split.Blocked) > 1e-9 {
				t.Errorf("%s: waits sum to %v, blocked is %v", name, waits, w.Split.Blocked)
			}
			if r := w.Recommendation; r != nil {
				i := slices.IndexFunc(w.Cells, func(c Cell) bool { return c.Model == r.Model && c.Concurrency == r.Concurrency })
				if i < 0 || w.Cells[i].Status != record.OK || w.Cells[i].Trials < DefaultOptions().MinReps {
					t.Errorf("%s: recommends %s at %d, which is not a cell with its trials", name, r.Model, r.Concurrency)
				}
				if r.Model == model.Processes {
					t.Errorf("%s: recommends processes for shared state", name)
				}
			}
			if (w.Recommendation == nil) == (w.Undecided == "") {
				t.Errorf("%s: a recommendation and why there is none, or neither", name)
			}
			ids := make(map[string]int)
			for _, x := range w.Warnings {
				if x.ID == "" || x.Message == "" || strings.ToLower(x.ID) != x.ID || strings.ContainsAny(x.ID, " _") {
					t.Errorf("%s: warning %+v", name, x)
				}
				if ids[x.ID]++; ids[x.ID] > 1 {
					t.Errorf("%s: warning %s twice", name, x.ID)
				}
			}
			for _, c := range w.Cells {
				if c.Status == "" {
					t.Errorf("%s: cell %s at %d has no status", name, c.Model, c.Concurrency)
				}
				if c.Status != record.OK && c.Reason == "" {
					t.Errorf("%s: cell %s at %d is %s, but not why", name, c.Model, c.Concurrency, c.Status)
				}
			}
		}
	}
}

func TestEveryThresholdIsSet(t *testing.T) {
	v := reflect.ValueOf(DefaultOptions())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s has no default", v.Type().Field(i).Name)
		}
	}
}

func TestAnalyzeRefusesARunWithoutAPlan(t *testing.T) {
	if _, err := Analyze(emptyRun(), DefaultOptions()); err == nil || fmt.Sprint(err) != "the run has no plan: its manifest names no workload" {
		t.Errorf("err = %v", err)
	}
}
