package bench

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

const suite = "../../../../testdata/truth"

func TestChoose(t *testing.T) {
	all, err := readLabels(suite)
	if err != nil {
		t.Fatal(err)
	}
	of := func(kind model.Kind) int {
		some, err := Options{Target: string(kind)}.choose(all)
		if err != nil {
			t.Fatal(err)
		}
		return len(some)
	}
	if of(model.Go) < 25 || of(model.Python) < 15 {
		t.Fatalf("%d labels of Go and %d of Python, want at least 25 and 15", of(model.Go), of(model.Python))
	}
	some, err := Options{Sample: 4, Seed: 7}.choose(all)
	if err != nil || len(some) != 4 {
		t.Fatalf("%v, %v", some, err)
	}
	again, _ := Options{Sample: 4, Seed: 7}.choose(all)
	if !slices.EqualFunc(some, again, func(a, b Label) bool { return a.Name == b.Name }) {
		t.Error("the same seed draws another sample")
	}
	if _, err := (Options{Ops: "nosuch"}).choose(all); err == nil {
		t.Error("an op that is not there is chosen")
	}
	two, err := Options{Ops: "sleep,sha256"}.choose(all)
	if err != nil || len(two) != 2 {
		t.Errorf("%v, %v", two, err)
	}
}

func TestFaults(t *testing.T) {
	l := Label{Limit: analyzer.LimitLock, May: []analyzer.LimitKind{analyzer.LimitLoopStall}}
	tests := []struct {
		name  string
		found []analyzer.LimitKind
		want  string
	}{
		{"found", []analyzer.LimitKind{analyzer.LimitLock}, ""},
		{"missing", nil, "-lock"},
		{"one more that may be", []analyzer.LimitKind{analyzer.LimitLock, analyzer.LimitLoopStall}, ""},
		{"one too many", []analyzer.LimitKind{analyzer.LimitLock, analyzer.LimitGC}, "+gc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(l.faults(tt.found), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWorth(t *testing.T) {
	cell := func(m model.Model, n int, status record.Status, base float64) SweptCell {
		c := SweptCell{Setup{m, n}, status, nil}
		for i := range 8 {
			c.Samples = append(c.Samples, base*(1+0.001*float64(i)))
		}
		return c
	}
	s := Sweep{Cells: []SweptCell{
		cell(model.Sequential, 1, record.OK, 100),
		cell(model.Pool, 8, record.OK, 200),
		cell(model.Pool, 16, record.OK, 150),
		cell(model.Threads, 8, record.WrongResult, 1000),
		cell(model.Processes, 2, record.OK, 900),
		cell(model.EventLoop, 8, record.OK, 400),
	}}
	tests := []struct {
		name     string
		blocking bool
		of       Setup
		want     float64
	}{
		{"the best", true, Setup{model.Pool, 8}, 1},
		{"half of it", true, Setup{model.Sequential, 1}, 0.5},
		{"a level that was added, between", true, Setup{model.Pool, 12}, 0.75},
		{"a level that was added, above", true, Setup{model.Pool, 128}, 0.75},
		{"a level that was added, below", true, Setup{model.Pool, 4}, 1},
		{"a loop that does not stall is a rival", false, Setup{model.Pool, 8}, 0.5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, ok := s.worth(Label{Blocking: tt.blocking}, tt.of)
			if !ok || math.Abs(w.value-tt.want) > 0.01 || w.low > w.value || w.high < w.value {
				t.Errorf("%+v, %v; want %.2f", w, ok, tt.want)
			}
		})
	}
	if _, ok := s.worth(Label{}, Setup{model.Hybrid, 64}); ok {
		t.Error("a cell that was not swept has a worth")
	}
}

// A store finds what it kept, the last of a key, also behind a line that was
// cut off.
func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.jsonl")
	s, err := openStore[int](path)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range []string{"a", "b", "a"} {
		if err := s.put(key, i); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"key":"c","va`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if s, err = openStore[int](path); err != nil || len(s.values) != 2 || s.values["a"] != 2 {
		t.Fatalf("%v, %v", s.values, err)
	}
	if err := s.put("d", 4); err != nil {
		t.Fatal(err)
	}
	if s, err = openStore[int](path); err != nil || s.values["d"] != 4 {
		t.Fatalf("%v, %v", s.values, err)
	}
}

func TestScore(t *testing.T) {
	var s score
	right := Outcome{Class: analyzer.IOBound, Wait: record.Timer, Recommended: &Setup{model.Pool, 8}, Agrees: true, Observer: 1.02}
	l := Label{Class: analyzer.IOBound, Wait: record.Timer, Models: []model.Model{model.Pool}}
	s.add(l, right)
	unsure := right
	unsure.Class, unsure.Recommended = analyzer.Inconclusive, nil
	s.add(l, unsure)
	wrong := right
	wrong.Class = analyzer.CPUBound
	s.add(l, wrong)
	if s.notWrong != (tally{1, 2}) || s.decided != (tally{2, 3}) || s.families != (tally{2, 2}) || s.recommended != (tally{2, 3}) {
		t.Errorf("%+v", s)
	}
	rows := s.rows()
	if rows[0].verdict != "not met" || rows[2].verdict != "met" || rows[6].verdict != "no data" {
		t.Errorf("%+v", rows)
	}
}

// A hog computes until its input ends.
func TestHog(t *testing.T) {
	if Hog(func(string) string { return "" }, nil) {
		t.Error("a process that was not asked to is a hog")
	}
	if !Hog(func(string) string { return "1" }, strings.NewReader("")) {
		t.Error("a hog does not end")
	}
}
