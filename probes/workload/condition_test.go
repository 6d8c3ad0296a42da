package workload

import (
	"strings"
	"testing"
)

func TestParseCondition(t *testing.T) {
	tests := []struct{ text, want, err string }{
		{text: "class == io-bound", want: "class == io-bound"},
		{text: "class!=mixed", want: "class != mixed"},
		{text: "limit == gil", want: "limit == gil"},
		{text: "limit == none", want: "limit == none"},
		{text: "recommendation == pool", want: "recommendation == pool"},
		{text: "speedup >= 4", want: "speedup >= 4"},
		{text: " speedup( event-loop ) > 10x ", want: "speedup(event-loop) > 10"},
		{text: "demand < 0.2", want: "demand < 0.2"},
		{text: "p99 <= 50ms", want: "p99 <= 50ms"},
		{text: "rss <= 200MB", want: "rss <= 200MB"},
		{text: "threads < 64", want: "threads < 64"},
		{text: "", err: "expected a condition"},
		{text: "speedup", err: "expected a condition"},
		{text: "speedup => 4", err: "expected a condition"},
		{text: "speedup >= 4 5", err: "expected a condition"},
		{text: "speeedup >= 4", err: "did you mean speedup?"},
		{text: "class == io", err: `unknown class "io"`},
		{text: "class >= io-bound", err: "compare it by == or !="},
		{text: "limit == gill", err: "did you mean gil?"},
		{text: "speedup == 4", err: "no two are equal"},
		{text: "speedup >= fast", err: "not a number"},
		{text: "speedup >= NaN", err: "not a number"},
		{text: "speedup(thread) >= 4", err: `unknown model "thread"`},
		{text: "p99(pool) <= 5ms", err: "only speedup and regression are"},
		{text: "regression <= 5%", want: "regression <= 5%"},
		{text: "regression(pool) < 2.50%", want: "regression(pool) < 2.5%"},
		{text: "regression <= 0.05", err: "want a percentage, such as 5%"},
		{text: "regression <= 101%", err: "want a percentage"},
		{text: "regression <= -1%", err: "want a percentage"},
		{text: "regression <= NaN%", err: "want a percentage"},
		{text: "regression == 5%", err: "no two are equal"},
		{text: "p99 <= 50", err: "p99: "},
	}
	for _, tt := range tests {
		c, err := ParseCondition(tt.text)
		switch {
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%q: error %v, want %q", tt.text, err, tt.err)
		case tt.err == "" && (err != nil || c.String() != tt.want):
			t.Errorf("%q: %q, %v, want %q", tt.text, c, err, tt.want)
		}
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, s := range []string{"class == io-bound", "speedup(pool) >= 4.5x", "p99 <= 1m30s", "rss < 3GiB", "limit != none", "regression(pool) <= 2.75%", "regression < 1e-7%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCondition(s)
		if err != nil {
			return
		}
		again, err := ParseCondition(c.String())
		if err != nil || again.String() != c.String() {
			t.Errorf("%q is written %q, and that is read as %q, %v", s, c, again, err)
		}
	})
}

func TestClaim(t *testing.T) {
	const file = `version: 1
workloads:
  - name: nap
    steps: [{sleep: 1ms}]
    claim: {says: pools help, expect: %s}
`
	f, err := Parse("w.yaml", []byte(strings.Replace(file, "%s", "speedup(pool) >= 1.2", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if c := f.Workloads[0].Claim; c == nil || *c != (Claim{Says: "pools help", Expect: "speedup(pool) >= 1.2"}) {
		t.Errorf("%+v", c)
	}
	_, err = Parse("w.yaml", []byte(strings.Replace(file, "%s", "speedup(pol) >= 1.2", 1)))
	_, regression := Parse("w.yaml", []byte(strings.Replace(file, "%s", "regression <= 5%", 1)))
	if regression == nil || !strings.Contains(regression.Error(), "a claim is about one run") {
		t.Errorf("%v", regression)
	}
	if err == nil || !strings.Contains(err.Error(), `w.yaml:5:39: workloads[0].claim.expect: unknown model "pol"`) {
		t.Errorf("%v", err)
	}
}
