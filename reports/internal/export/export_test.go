package export

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile/foreign"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (write it with -update, and look at it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}

// sample is a profile with what names and stacks may do: a recursion, an
// inlined call, the format's own punctuation, an escape, no file.
func sample() View {
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: "wall", Unit: "nanoseconds"}},
		PeriodType: &pprof.ValueType{Type: "wall", Unit: "nanoseconds"}, Period: 10_000_000,
	}
	fns := map[string]*pprof.Function{}
	line := func(name, file string, n int64) pprof.Line {
		fn := fns[name]
		if fn == nil {
			fn = &pprof.Function{ID: uint64(len(fns) + 1), Name: name, SystemName: name, Filename: file}
			fns[name] = fn
			p.Function = append(p.Function, fn)
		}
		return pprof.Line{Function: fn, Line: n}
	}
	loc := func(lines ...pprof.Line) *pprof.Location {
		l := &pprof.Location{ID: uint64(len(p.Location) + 1), Line: lines}
		p.Location = append(p.Location, l)
		return l
	}
	op := loc(line("example.com/m.Op", "m/op.go", 12))
	fib, fib2 := loc(line("fib", "m/fib.py", 4)), loc(line("fib", "m/fib.py", 3))
	inlined := loc(line("m.map[go.shape.struct { A int; B int }]", "m/op.go", 40), line("m.outer", "m/op.go", 30))
	bad := loc(line("evil\x1b[31m\n;name 7", "", 0))
	for _, s := range []struct {
		us   int64
		locs []*pprof.Location // leaf first
	}{
		{300, []*pprof.Location{fib, fib, fib2, op}},
		{120, []*pprof.Location{fib2, op}},
		{55, []*pprof.Location{inlined, op}},
		{9, []*pprof.Location{bad, op}},
		{0, []*pprof.Location{op}},
		{30_000_000_000_000, []*pprof.Location{op}}, // more samples than 31 bits hold
	} {
		p.Sample = append(p.Sample, &pprof.Sample{Location: s.locs, Value: []int64{s.us * 1000}})
	}
	return View{Name: "m, pool at 4", Profile: p}
}

func total(v View) int64 {
	var n int64
	for _, s := range v.Profile.Sample {
		n += s.Value[v.Column]
	}
	return n
}

func written(t *testing.T, write func(b *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFolded(t *testing.T) {
	v := sample()
	out := written(t, func(b *bytes.Buffer) error { return Folded(b, v) })
	golden(t, "sample.folded", out)
	var sum int64
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		n, err := strconv.ParseInt(line[strings.LastIndexByte(line, ' ')+1:], 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		sum += n
	}
	if sum != total(v) {
		t.Errorf("the lines sum to %d, the profile to %d", sum, total(v))
	}
	// What it writes is read again as the same stacks.
	p, err := foreign.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	again := written(t, func(b *bytes.Buffer) error { return Folded(b, View{Profile: p.Data}) })
	if diff := cmp.Diff(string(out), string(again)); diff != "" {
		t.Errorf("written, read and written again (-first +second):\n%s", diff)
	}
}

func TestSpeedscope(t *testing.T) {
	v, w := sample(), sample()
	w.Name = "m, sequential"
	w.Profile.SampleType[0].Unit = "count"
	out := written(t, func(b *bytes.Buffer) error { return Speedscope(b, "run", "concprof", []View{v, w}, 1) })
	golden(t, "sample.speedscope.json", out)
	var f speedscopeFile
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatal(err)
	}
	if f.Schema != speedscopeSchema || f.Active != 1 || len(f.Profiles) != 2 {
		t.Errorf("%+v", f)
	}
	for i, p := range f.Profiles {
		if len(p.Samples) != len(p.Weights) || p.Start != 0 || p.Type != "sampled" {
			t.Errorf("profile %d: %d samples, %d weights", i, len(p.Samples), len(p.Weights))
		}
		var sum int64
		for k, s := range p.Samples {
			sum += p.Weights[k]
			for _, at := range s {
				if at < 0 || at >= len(f.Shared.Frames) {
					t.Errorf("profile %d: frame %d of %d", i, at, len(f.Shared.Frames))
				}
			}
		}
		if sum != p.End || sum != total(v) {
			t.Errorf("profile %d: weights sum to %d, the end is %d, the profile has %d", i, sum, p.End, total(v))
		}
	}
	if f.Profiles[0].Unit != "nanoseconds" || f.Profiles[1].Unit != "none" {
		t.Errorf("units %q and %q", f.Profiles[0].Unit, f.Profiles[1].Unit)
	}
}

func TestPstats(t *testing.T) {
	v := sample()
	out := written(t, func(b *bytes.Buffer) error { return Pstats(b, v) })
	// concprof's own reader of such files takes it.
	p, err := foreign.Read(out)
	if err != nil || p.Kind != foreign.CProfile {
		t.Fatalf("read again: %+v, %v", p, err)
	}
	var sum int64
	for _, s := range p.Data.Sample {
		sum += s.Value[1]
	}
	if d := sum - total(v); d < -100 || d > 100 {
		t.Errorf("own times sum to %d, the profile to %d", sum, total(v))
	}
}

// Python's own pstats loads the file and finds the same times in it.
func TestPythonLoadsPstats(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: no python3 found")
	}
	v := sample()
	file := filepath.Join(t.TempDir(), "out.prof")
	out := written(t, func(b *bytes.Buffer) error { return Pstats(b, v) })
	if err := os.WriteFile(file, out, 0o644); err != nil {
		t.Fatal(err)
	}
	const script = `import pstats, sys
s = pstats.Stats(sys.argv[1])
print("%.9f" % s.total_tt)
for (file, line, name), (cc, nc, tt, ct, callers) in sorted(s.stats.items()):
    print(file, line, ascii(name), cc, nc, "%.9f %.9f" % (tt, ct), [(k[2], c[0], "%.9f" % c[3]) for k, c in sorted(callers.items())])
s.sort_stats("cumulative").print_callers()
`
	got, err := exec.CommandContext(t.Context(), python, "-c", script, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	sum, rest, _ := strings.Cut(string(got), "\n")
	if f, err := strconv.ParseFloat(sum, 64); err != nil || math.Abs(f-float64(total(v))/1e9) > 1e-6 {
		t.Errorf("python finds %s s, the profile has %d ns", sum, total(v))
	}
	for _, want := range []string{
		// A recursion counts once, its callers are itself and the op.
		`m/fib.py 3 'fib' 2 2 0.000420000 0.000420000 [('fib', 1, '0.000300000'), ('example.com/m.Op', 2, '0.000420000')]`,
		`~ 0 'evil\\x1b[31m\\x0a;name 7' 1 1 0.000009000 0.000009000`,
		fmt.Sprintf("m/op.go 12 'example.com/m.Op' %d", int64(3_000_000_004)),
	} {
		if !strings.Contains(rest, want) {
			t.Errorf("python does not print\n%s\nbut\n%s", want, rest)
		}
	}
}
