package op

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"testing"
)

var measure = flag.Bool("measure", false, "hold the labels against clocks and counters; takes some minutes")

// ops are the functions by the names of their workloads.
var ops = map[string]any{
	"http-far": GetFar, "http-near": GetNear, "http-narrow": GetNarrow, "http-busy": GetBusy, "tcp-echo": Echo,
	"sleep": Sleep, "sleep-long": SleepLong, "bimodal": Bimodal, "fail-some": FailSome,
	"sha256": Hash, "sha256-tiny": HashTiny, "json": JSON, "sort": Sort, "stream": Stream,
	"allocate": Allocate, "hash-all": HashAll, "warm-up": WarmUp,
	"mix-10": Mix10, "mix-50": Mix50, "mix-90": Mix90,
	"mutex-cpu": ComputeLocked, "mutex-sleep": SleepLocked, "rwmutex-read": ReadLocked, "ping-pong": PingPong,
	"ask-worker": AskWorker, "rate-limit": Limited, "cond": UseToken, "wrong": Forgetful,
	"child-cpu": ComputeInChild, "child-sleep": SleepInChild, "page-cache": ReadCached, "commit": Commit, "flock": SleepFlocked,
}

// A label says what is true of an op.
type label struct {
	Name   string `json:"name"`
	Target string `json:"target"` // the kind: go or python
	Class  string `json:"class"`
	// Ambiguous marks a class that lies between two on some machines.
	Ambiguous bool   `json:"ambiguous"`
	Wait      string `json:"wait"`  // what it mostly waits for
	Limit     string `json:"limit"` // what must be found to limit it
	// May are limits that may be found as well, but need not.
	May    []string `json:"may"`
	Models []string `json:"models"` // the families that suit it
	// Blocking says that its waits would stall a true event loop.
	Blocking bool   `json:"blocking"`
	Why      string `json:"why"`
}

func labels(t *testing.T) []label {
	t.Helper()
	text, err := os.ReadFile("../labels.json")
	if err != nil {
		t.Fatal(err)
	}
	var ls []label
	if err := json.Unmarshal(text, &ls); err != nil {
		t.Fatal(err)
	}
	return ls
}

// call returns an op as a function of its number; an error that is the op's
// own is no error of the call.
func call(fn any) func(n int) error {
	switch f := fn.(type) {
	case func():
		return func(int) error { f(); return nil }
	case func() error:
		return func(int) error { return f() }
	case func() int:
		return func(int) error { f(); return nil }
	case func() bool:
		return func(int) error { f(); return nil }
	case func() uint64:
		return func(int) error { f(); return nil }
	case func() (int, error):
		return func(int) error { _, err := f(); return err }
	case func(int) int:
		return func(n int) error { f(n); return nil }
	case func(int) (int, error):
		return func(n int) error { _, err := f(n); return err }
	case func(context.Context) error:
		return func(int) error { return f(context.Background()) }
	case func(context.Context) (int, error):
		return func(int) error { _, err := f(context.Background()); return err }
	}
	return nil
}

// TestLabels holds the labels, the functions and the workloads to each other,
// without measuring anything.
func TestLabels(t *testing.T) {
	var named []string
	for _, file := range []string{"workload.yaml", "python.yaml"} {
		text, err := os.ReadFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^  - name: (\S+)$`).FindAllSubmatch(text, -1) {
			named = append(named, string(m[1]))
		}
	}
	functions := pythonOps(t)
	classes := []string{"io-bound", "cpu-bound", "mixed"}
	seen := map[string]bool{}
	for _, l := range labels(t) {
		switch {
		case seen[l.Name]:
			t.Errorf("%s has two labels", l.Name)
		case !slices.Contains(named, l.Name):
			t.Errorf("%s is in no workload file", l.Name)
		case !slices.Contains(classes, l.Class), len(l.Models) == 0, l.Why == "":
			t.Errorf("%s: the label is not complete: %+v", l.Name, l)
		case l.Target == "go" && (ops[l.Name] == nil || call(ops[l.Name]) == nil):
			t.Errorf("%s: there is no such function, or it has an unknown shape", l.Name)
		case l.Target == "python" && functions[l.Name] == nil:
			t.Errorf("%s: python.yaml names no function", l.Name)
		}
		seen[l.Name] = true
	}
	for _, name := range named {
		if !seen[name] {
			t.Errorf("%s has no label", name)
		}
	}
}

// TestOps runs each op alone, once.
func TestOps(t *testing.T) {
	startServers(t)
	for name, fn := range ops {
		t.Run(name, func(t *testing.T) {
			if err := call(fn)(1); err != nil {
				t.Error(err)
			}
		})
	}
}
