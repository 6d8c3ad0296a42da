package foreign

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// What each supported version of Python writes is read alike: the counts are
// those of the program, the times sum to those of the table.
func TestCProfile(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "cprofile-*.pstats"))
	if err != nil || len(files) < 5 {
		t.Fatalf("fixtures %v, %v", files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			programOf(t, read(t, data))
		})
	}
}

// programOf checks the profile of the program in testdata/make.py.
func programOf(t *testing.T, p *Profile) {
	t.Helper()
	if p.Kind != CProfile {
		t.Fatalf("kind %s", p.Kind)
	}
	calls := map[string]int64{}
	for stack, v := range stacks(p.Data) {
		leaf := stack[strings.LastIndexByte(stack, ';')+1:]
		name, _, _ := strings.Cut(leaf, "@")
		calls[name] += v[0]
	}
	for name, want := range map[string]int64{
		"main": 1, "fast": 6, "slow": 3, "leaf": 9, "fib": 177, "größe": 1, "<built-in method time.sleep>": 3,
	} {
		if calls[name] != want {
			t.Errorf("%s has %d calls, want %d", name, calls[name], want)
		}
	}
	const root = "main@src/app.py:26;"
	for _, stack := range []string{
		root + "slow@src/app.py:13;<built-in method time.sleep>",
		root + "größe@src/app.py:22;fib@src/app.py:18",
		root + "slow@src/app.py:13;fast@src/app.py:9;leaf@src/app.py:5;<built-in method builtins.sum>",
		root + "fast@src/app.py:9;leaf@src/app.py:5;<built-in method builtins.sum>",
	} {
		if stacks(p.Data)[stack] == nil {
			t.Errorf("no stack %s", stack)
		}
	}
	if v := stacks(p.Data)[root+"slow@src/app.py:13;<built-in method time.sleep>"]; len(v) == 2 && v[1] < 6_000_000 {
		t.Errorf("three sleeps of 2 ms took %d ns", v[1])
	}
}

// The sums over a function's own time are those of the table, to the
// nanosecond.
func TestOwnTimesAreExact(t *testing.T) {
	data := file(t, "cprofile-3.11.pstats")
	v, err := DefaultLimits().readMarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	var want float64
	for _, e := range v.(dict) {
		want += e.value.(tuple)[2].(float64)
	}
	var got int64
	for _, s := range read(t, data).Data.Sample {
		got += s.Value[1]
	}
	if math.Abs(want*1e9-float64(got)) > 1 {
		t.Errorf("stacks hold %d ns, the table %.1f ns", got, want*1e9)
	}
}

// A file that this machine's Python writes now is read too: its version may
// be newer than those of the fixtures.
func TestCProfileOfThisPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: no python3 found")
	}
	script, err := filepath.Abs(filepath.Join("testdata", "make.py"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, script, "here")
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: python3 cannot run cProfile: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(cmd.Dir, "cprofile-here.pstats"))
	if err != nil {
		t.Fatal(err)
	}
	programOf(t, read(t, data))
}

// A table in which everyone calls everyone has factorially many paths. It is
// told in a bounded number of stacks, and all of its time.
func TestPathsAreBounded(t *testing.T) {
	const n = 60
	tab := table{limits: DefaultLimits(), index: map[profile.Frame]int{}}
	for i := range n {
		tab.of(profile.Frame{Function: fmt.Sprint("f", i), File: "a.py"})
	}
	order := make([]int, n)
	for i := range n {
		order[i] = i
		tab.functions[i].call = call{calls: n, own: 1, all: 10}
		for k := range n {
			tab.functions[i].callers = append(tab.functions[i].callers, caller{k, call{calls: 1, own: 1.0 / n, all: 10.0 / n}})
		}
	}
	b := newBuilder(tab.limits, &pprof.ValueType{Type: "calls", Unit: "count"}, &pprof.ValueType{Type: "time", Unit: "nanoseconds"})
	if err := tab.paths(order, b); err != nil {
		t.Fatal(err)
	}
	if len(b.order) > tab.limits.Paths+n || math.Abs(float64(b.totals[1])-n*1e9) > 1 || b.totals[0] != n*n {
		t.Errorf("%d stacks of %d ns and %d calls", len(b.order), b.totals[1], b.totals[0])
	}
}
