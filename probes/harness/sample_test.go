package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// TestSamplerSpread holds that one op in k is chosen, of the whole and of
// every residue class: inputs that are cycled are all timed alike.
func TestSamplerSpread(t *testing.T) {
	const ops = 1 << 18
	for _, k := range []int64{1, 2, 3, 16, 100, 337} {
		var s sampler
		s.fix(k)
		for _, cycle := range []int64{1, 2, 16, 100} {
			chosen := make([]int, cycle)
			for op := int64(0); op < ops; op++ {
				if s.chosen(op) {
					chosen[op%cycle]++
				}
			}
			for input, n := range chosen {
				want := float64(ops) / float64(k*cycle)
				if math.Abs(float64(n)-want) > 3+want/10 {
					t.Errorf("k %d: of input %d of %d, %d ops are timed, want about %.0f", k, input, cycle, n, want)
				}
			}
		}
		if !s.chosen(0) {
			t.Errorf("k %d: op 0 is not timed", k)
		}
	}
}

func TestSamplerChooses(t *testing.T) {
	for _, tt := range []struct{ op, cost, want time.Duration }{
		{op: time.Millisecond, cost: 100, want: 1},
		{op: 10 * time.Microsecond, cost: 100, want: 1},
		{op: time.Microsecond, cost: 100, want: 10},
		{op: 0, cost: 100, want: 10_000},
		{op: 0, cost: time.Second, want: maxEvery},
	} {
		var s sampler
		s.fix(0)
		for i := range pilotOps {
			if !s.chosen(int64(i)) {
				t.Fatalf("op %d of the pilot is not timed", i)
			}
			d := tt.op
			if i == 0 {
				d = time.Second // the first op opens connections
			}
			s.note(d, tt.cost, clockShare)
		}
		got := time.Duration(s.every.Load())
		if !s.decided.Load() || got < tt.want*9/10 || got > tt.want*11/10 {
			t.Errorf("op of %v, clock of %v: every %d, want %d", tt.op, tt.cost, got, tt.want)
		}
	}
}

func TestFailuresBounded(t *testing.T) {
	var f failures
	for i := range 100 {
		f.add(fmt.Errorf("attempt %d: %w", i, fs.ErrNotExist))
	}
	f.add(&kindError{kind: "exit status 3", message: "x"})
	var sum int64
	for _, e := range f.list() {
		sum += e.Count
	}
	if len(f.kinds) != record.MaxErrors || sum != 101 || f.count != 101 {
		t.Errorf("%d kinds, %d of %d counted", len(f.kinds), sum, f.count)
	}
	for i := 1; i < len(f.kinds); i++ {
		if f.kinds[i-1].Count < f.kinds[i].Count {
			t.Errorf("kinds are not the most frequent first: %+v", f.kinds)
		}
	}
}

func TestFailureType(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New("x"), "*errors.errorString"},
		{fmt.Errorf("a: %w", fmt.Errorf("b: %w", &fs.PathError{Err: fs.ErrExist})), "*fs.PathError"},
		{fmt.Errorf("a: %w", &kindError{kind: "exit status 3"}), "exit status 3"},
	} {
		if got := failureType(tt.err); got != tt.want {
			t.Errorf("%v is of type %s, want %s", tt.err, got, tt.want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		s    string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aäb", 2, "a"}, {"ä", 1, ""}} {
		if got := clip(tt.s, tt.n); got != tt.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
}
