package op

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// pythonOps are the functions that python.yaml gives each op, as clocks.py
// names them: of two the one for threads, then the coroutine function.
func pythonOps(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../python.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ops := make(map[string][]string)
	entry := regexp.MustCompile(`(?m)^  - name: (\S+)\n    python: \{file: py/(\w+\.py)((?:, (?:sync|async): \w+)+)\}$`)
	for _, m := range entry.FindAllStringSubmatch(string(text), -1) {
		for _, given := range strings.Split(m[3], ", ")[1:] {
			_, function, _ := strings.Cut(given, ": ")
			ops[m[1]] = append(ops[m[1]], m[2]+":"+function)
		}
	}
	return ops
}

// python is an interpreter on PATH, or one that TRUTH_PYTHON names.
func python(t *testing.T) string {
	t.Helper()
	name := os.Getenv("TRUTH_PYTHON")
	if name == "" {
		name = "python3"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("SKIPPED: no %s on PATH: TRUTH_PYTHON names another one", name)
	}
	return path
}

// clocked is what clocks.py prints of an op.
type clocked struct {
	Low, High, Spread, Seconds, Wanted, Gain, Foreign float64
	Ops, Wrong                                        int
}

func (c clocked) observed() observed {
	return observed{low: c.Low, high: c.High, spread: c.Spread, foreign: c.Foreign, ops: c.Ops}
}

// clock runs clocks.py on a function in a process of its own.
func clock(t *testing.T, function string, span time.Duration, trials int) clocked {
	t.Helper()
	cmd := exec.Command(python(t), "-B", "clocks.py", function, fmt.Sprint(span.Seconds()), fmt.Sprint(trials))
	cmd.Dir = "../py"
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", function, err, problems.String())
	}
	var c clocked
	if err := json.Unmarshal(out, &c); err != nil {
		t.Fatalf("%s: %v in %q", function, err, out)
	}
	return c
}

const (
	// turns is how many processors ops that take turns may want: one, and
	// some for what hands over from one to the next.
	turns = 1.3
	// together is how many two ops want at least that compute side by side.
	together = 1.5
	// overlapped and inTurn bound what four in flight gain over one: 4 where
	// waits overlap, 1 where they do not.
	overlapped, inTurn = 2.5, 1.4
)

// contradiction says how the clocks in company contradict a label, or "".
func (c clocked) contradiction(l label, coroutine bool) string {
	alone := slices.Equal(l.Models, []string{"sequential"})
	switch {
	case l.Name == "py-wrong":
		if c.Wrong == 0 {
			return "no result is wrong in company"
		}
		return ""
	case c.Wrong > 0:
		return "results are wrong in company"
	case l.Limit == "gil" && c.Wanted > turns:
		return "limited by the GIL, but two want more than one processor"
	case l.Class == "cpu-bound" && l.Limit != "gil" && l.Wait != "subprocess" && !slices.Contains(l.Models, "sequential") && c.Wanted < together:
		return "two are to compute side by side, but want about one processor"
	case l.Class != "io-bound":
		return ""
	case alone || coroutine && l.Limit == "loop-stall":
		if c.Gain > inTurn {
			return "to go on one at a time, but four gain"
		}
	case c.Gain < overlapped:
		return "to overlap, but four gain little"
	}
	return ""
}

// TestPythonClocks holds the labels of Python ops against clocks: the class
// against what an op does alone, the GIL, locks, stalled loops, overlapping
// waits and wrong results against what it does in company. Nothing of concprof
// is used. Without -measure it is short: an op that contradicts its label is
// then measured longer, and only short ops are.
func TestPythonClocks(t *testing.T) {
	startServers(t)
	functions := pythonOps(t)
	for _, l := range labels(t) {
		if l.Target != "python" || l.Ambiguous {
			continue
		}
		for _, f := range functions[l.Name] {
			t.Run(l.Name+"/"+f, func(t *testing.T) {
				if !*measure && l.Name == "py-sleep-long" {
					t.Skip("SKIPPED: takes a minute, with -measure")
				}
				holdClocks(t, l, f)
			})
		}
	}
}

func holdClocks(t *testing.T, l label, function string) {
	span, n := 50*time.Millisecond, 3
	if *measure {
		span, n = 300*time.Millisecond, trials
	}
	coroutine := l.Name == "py-stall" || l.Name == "py-asleep" || strings.HasSuffix(function, ":afetch")
	for i := 0; ; i, span = i+1, 2*span {
		c := clock(t, function, span, n)
		got := c.observed()
		class, agreed := got.class()
		against := c.contradiction(l, coroutine)
		t.Logf("%v a trial: %v; %.2g s an op; two want %.2f processors, four gain %.2fx, %d results wrong", span, got, c.Seconds, c.Wanted, c.Gain, c.Wrong)
		switch {
		case agreed && class == l.Class && against == "":
			return
		case got.foreign > busyHost:
			t.Skipf("SKIPPED: other programs took %.0f %% of the processors: %v %s", 100*got.foreign, got, against)
		case i >= doublings && agreed && class != l.Class:
			t.Fatalf("the clocks say %s, the label %s: %v", class, l.Class, got)
		case i >= doublings && against != "":
			t.Fatalf("the label says %s: %s", against, got)
		case i >= doublings:
			t.Skipf("SKIPPED: trials of %v do not agree: %v", span, got)
		}
	}
}
