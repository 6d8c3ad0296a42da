package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMedianInterval(t *testing.T) {
	tests := []struct {
		name      string
		n         int
		low, high float64 // of the values 1 to n
		level     float64
	}{
		{"one value has no interval", 1, 1, 1, 0},
		{"two", 2, 1, 2, 0.5},
		{"five cannot reach 0.95", 5, 1, 5, 0.9375},
		{"six can", 6, 1, 6, 0.96875},
		{"eight", 8, 1, 8, 0.9921875},
		{"nine leave the extremes out", 9, 2, 8, 0.9609375},
		{"ten achieve 97.9 %", 10, 2, 9, 0.978515625},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var xs []float64
			for i := range tt.n {
				xs = append(xs, float64(tt.n-i))
			}
			in := MedianInterval(xs, 0.95)
			if in.Low != tt.low || in.High != tt.high || math.Abs(in.Level-tt.level) > 1e-9 || in.N != tt.n {
				t.Errorf("MedianInterval = %+v, want [%v, %v] at %v", in, tt.low, tt.high, tt.level)
			}
		})
	}
	if in := MedianInterval(nil, 0.95); in != (Interval{}) {
		t.Errorf("of nothing: %+v", in)
	}
}

func TestMinValues(t *testing.T) {
	if n := MinValues(0.95); n != 6 {
		t.Errorf("MinValues(0.95) = %d, want 6", n)
	}
}

// The intervals must cover the truth at least as often as they claim. The
// distribution is skewed, as times are.
func TestCoverage(t *testing.T) {
	const runs = 1500
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(n int, scale float64) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = scale * math.Exp(0.1*r.NormFloat64())
		}
		return xs
	}
	for _, n := range []int{6, 10} {
		median, ratio := 0, 0
		var claimed float64
		for i := range runs {
			a, b := draw(n, 2), draw(n, 1)
			in := MedianInterval(a, 0.95)
			claimed = in.Level
			if in.Low <= 2 && 2 <= in.High {
				median++
			}
			q := Bootstrap{Seed: uint64(i), Resamples: 100, Level: 0.95}.Ratio(a, b)
			if q.Low <= 2 && 2 <= q.High {
				ratio++
			}
		}
		// Three standard deviations of a share counted over so many runs.
		slack := 3 * math.Sqrt(0.05*0.95/runs)
		if got := float64(median) / runs; got < claimed-slack {
			t.Errorf("n = %d: the median's interval covers %.3f, claims %.3f", n, got, claimed)
		}
		if got := float64(ratio) / runs; got < 0.95-slack {
			t.Errorf("n = %d: the ratio's interval covers %.3f, claims 0.95", n, got)
		}
		t.Logf("n = %d: median %.3f of %.3f, ratio %.3f", n, float64(median)/runs, claimed, float64(ratio)/runs)
	}
}

func TestRatioIsDeterministicAndOrderFree(t *testing.T) {
	a, b := []float64{3, 1, 2, 5, 4, 6}, []float64{1, 1.2, 0.9, 1.1, 1, 0.8}
	o := Bootstrap{Seed: 7, Resamples: 500, Level: 0.95}
	want := o.Ratio(a, b)
	slices.Reverse(a)
	slices.Reverse(b)
	if got := o.Ratio(a, b); got != want {
		t.Errorf("in another order %+v, want %+v", got, want)
	}
	if a[0] != 6 || b[0] != 0.8 {
		t.Error("Ratio changed its arguments")
	}
	for _, in := range []Interval{o.Ratio(nil, b), o.Ratio(a, nil), o.Ratio(a, []float64{0, 0})} {
		if in != (Interval{}) {
			t.Errorf("of nothing: %+v", in)
		}
	}
}

// An interval of so few values that it would not hold as often as it says claims
// no level.
func TestRatioOfFewClaimsNothing(t *testing.T) {
	b := []float64{1, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98}
	for n := 1; n <= len(b); n++ {
		want := 0.0
		if n >= 6 {
			want = 0.95
		}
		in := Bootstrap{Seed: 1, Resamples: 100, Level: 0.95}.Ratio(b[:n], b)
		if in.Level != want || in.N != n || in.Low > in.Value || in.Value > in.High {
			t.Errorf("of %d values: %+v, want level %v", n, in, want)
		}
	}
}

// A thing compared with itself must stay within its own noise floor.
func TestSelfDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	beyond := 0
	const runs = 1000
	for i := range runs {
		a, b := make([]float64, 10), make([]float64, 10)
		for k := range a {
			a[k], b[k] = math.Exp(0.05*r.NormFloat64()), math.Exp(0.05*r.NormFloat64())
		}
		x, y := Median(a), Median(b)
		if max(x, y)/min(x, y)-1 > SelfDifference(a, uint64(i), 200, 0.99) {
			beyond++
		}
	}
	share := float64(beyond) / runs
	t.Logf("%.3f of A-A comparisons exceed the floor", share)
	if share > 0.05+3*math.Sqrt(0.05*0.95/runs) {
		t.Errorf("%.3f of A-A comparisons exceed the floor, want at most 0.05", share)
	}
	if d := SelfDifference([]float64{1, 1.5, 1.2}, 1, 100, 0.95); d != 0.5 {
		t.Errorf("three values: %v, want their range 0.5", d)
	}
	if d := SelfDifference([]float64{5, 5, 5, 5, 5, 5}, 1, 100, 0.95); d != 0 {
		t.Errorf("equal values differ by %v", d)
	}
}
