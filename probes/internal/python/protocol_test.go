package python

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const protocolOps = `
import asyncio, time
async def odd_or_number(n):
    await asyncio.sleep(0.02)
    if n % 2: raise ValueError("odd number")
    return n
def step(n): return n
def fails(): raise ValueError("on purpose")
`

// protocolTrials are the trials whose events the golden files hold.
var protocolTrials = []struct {
	name string
	spec harness.Spec
}{
	{"ok", harness.Spec{
		Model: model.EventLoop, Concurrency: 2, Ops: 10, LatencyEvery: 1, Mode: harness.ModeProfile, Inputs: &harness.Inputs{Count: 4},
		Steps: []harness.Step{callable("", "odd_or_number")},
	}},
	{"classify", harness.Spec{
		Model: model.Sequential, Ops: 10, LatencyEvery: 1, Mode: harness.ModeClassify,
		Steps: []harness.Step{callable("step", ""), callable("step", "")},
	}},
	{"dry", harness.Spec{Model: model.Pool, Mode: harness.ModeDry, Ops: 1, Steps: []harness.Step{callable("step", "")}}},
	{"failed", harness.Spec{Model: model.Sequential, Ops: 3, Setup: "fails", Steps: []harness.Step{callable("step", "")}}},
}

// TestProtocol compares the events of trials, under every interpreter, with
// golden files. What differs from run to run is replaced first, and optional
// fields that may or may not be there are left out, as in the harness's test.
// The events were read with all the keys that record knows, and no others.
func TestProtocol(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		for _, tt := range protocolTrials {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				o := trial{spec: tt.spec, files: protocolOps}.start(t, python)
				var got bytes.Buffer
				for _, e := range o.events {
					got.WriteString(normalised(t, e, o.dir))
					got.WriteByte('\n')
				}
				golden := filepath.Join("testdata", "protocol", tt.name+".jsonl")
				if *update && main {
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
	})
}

// TestProtocolVersion holds that a probe refuses to guess.
func TestProtocolVersion(t *testing.T) {
	path, err := Install(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(filepath.Dir(path), "concprof_probe", "main.py"))
	if err != nil || !bytes.Contains(source, []byte("\nVERSION = 1  #")) || record.ProtocolVersion != 1 {
		t.Errorf("the probe does not speak version %d: %v", record.ProtocolVersion, err)
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Join(filepath.Dir(path), "concprof_probe")} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v: want a private folder", info.Mode(), err)
		}
	}
}

// optional are the keys that a record has only if they are not 0, or not of
// every interpreter.
var optional = map[string]bool{
	"children_ns": true, "runnable_ns": true, "voluntary_switches": true, "involuntary_switches": true, "labelled_ns": true,
	"minor_faults": true, "major_faults": true, "threads": true, "missing": true, "idle_ns": true, "free_threaded": true, "cpu_ns": true,
}

// measured matches the keys of other numbers that differ from run to run.
var measured = regexp.MustCompile(`_ns$|_bytes$|^(min|max|sum|samples|buckets|pid|turns|line|steps|count|sampled)$`)

// normalised returns the event as JSON without what differs from run to run.
func normalised(t *testing.T, e record.Event, dir string) string {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte(dir), []byte("DIR"))
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
		if key == "frames" {
			return v[:1] // those below are asyncio's
		}
	case json.Number:
		if measured.MatchString(key) {
			return 1
		}
	case string:
		switch {
		case key == "runtime":
			return strings.Fields(v)[0]
		case key == "version" || key == "build" || key == "prefix":
			return key
		}
	}
	return v
}
