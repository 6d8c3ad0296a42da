package harness

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// protocolTrials are the trials whose events the golden files hold. A probe
// in another language is held to the same files.
var protocolTrials = []struct {
	name string
	spec Spec
}{
	{"ok", Spec{
		Model: model.EventLoop, Concurrency: 2, Ops: 10, LatencyEvery: 1, Inputs: &Inputs{Count: 4},
		Steps: []Step{{Name: "odd", Kind: KindGo, Func: "odd-or-number"}},
	}},
	{"failed", Spec{
		Model: model.Sequential, Ops: 3, Setup: "fails",
		Steps: []Step{{Name: "nothing", Kind: KindGo, Func: "nothing"}},
	}},
}

// TestProtocol compares the events of trials with golden files. What differs
// from run to run is replaced first: a measured number by 1, the release of
// Go by "go1". Optional fields that may or may not be there are left out.
func TestProtocol(t *testing.T) {
	for _, tt := range protocolTrials {
		t.Run(tt.name, func(t *testing.T) {
			o := probe(t, tt.spec)
			var got bytes.Buffer
			for _, e := range o.events {
				got.WriteString(normalised(t, e))
				got.WriteByte('\n')
			}
			golden := filepath.Join("testdata", "protocol", tt.name+".jsonl")
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// TestProtocolRead reads the golden files as strictly as they can be read:
// every key is one that record knows.
func TestProtocolRead(t *testing.T) {
	for _, tt := range protocolTrials {
		data, err := os.ReadFile(filepath.Join("testdata", "protocol", tt.name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		var events []record.Event
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		for d.More() {
			var e record.Event
			if err := d.Decode(&e); err != nil {
				t.Fatalf("%s: event %d: %v", tt.name, len(events)+1, err)
			}
			events = append(events, e)
		}
		if len(events) == 0 || events[0].Kind != record.Hello || events[0].Version != record.ProtocolVersion {
			t.Errorf("%s: begins with %+v, want hello of version %d", tt.name, events, record.ProtocolVersion)
		}
		switch last := events[len(events)-1]; tt.name {
		case "ok":
			end := events[len(events)-2]
			if last.Kind != record.Bye || end.Kind != record.End || end.Record.Status != record.OK || end.Record.Ops != 10 {
				t.Errorf("ends with %+v, %+v", end, last)
			}
		case "failed":
			if last.Kind != record.Fatal || last.Stage != record.StageSetup || last.Reason == "" {
				t.Errorf("ends with %+v", last)
			}
		}
	}
}

// optional are the keys that a record has only if they are not 0.
var optional = map[string]bool{
	"children_ns": true, "runnable_ns": true, "voluntary_switches": true, "involuntary_switches": true,
	"minor_faults": true, "major_faults": true, "threads": true, "missing": true, "gc_idle_ns": true,
}

// measured matches the keys of other numbers that differ from run to run.
var measured = regexp.MustCompile(`_ns$|_bytes$|^(min|max|sum|polls|samples|gc_cycles|buckets|goroutines_after|open_files_before|open_files_after|running|runnable|waiting|not_in_go)$`)

// normalised returns the event as JSON without what differs from run to run.
func normalised(t *testing.T, e record.Event) string {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	data, err = json.Marshal(normalise("", doc))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func normalise(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if key == "counts" {
			return map[string]int{"1": 1}
		}
		for k, e := range v {
			if optional[k] {
				delete(v, k)
				continue
			}
			v[k] = normalise(k, e)
		}
	case []any:
		for i := range v {
			v[i] = normalise(key, v[i])
		}
	case json.Number:
		if measured.MatchString(key) {
			return 1
		}
	case string:
		if key == "runtime" && strings.HasPrefix(v, "go1") {
			return "go1"
		}
	}
	return v
}
