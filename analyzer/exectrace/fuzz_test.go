package exectrace

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/record"
)

// FuzzRead looks for traces at which the decoder, or what follows it, fails
// otherwise than by an error: account has no recover.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(names) == 0 {
		f.Fatalf("%d traces, %v", len(names), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 32<<10 { // what is mutated should be small
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := DefaultLimits().account(data)
		if (a == nil) == (err == nil) {
			t.Fatalf("%+v, %v", a, err)
		}
		if err != nil {
			return
		}
		for name, w := range map[string]int64{"direct": total(&a.Direct), "resolved": total(&a.Resolved)} {
			if w != a.Direct.Samples || w <= 0 {
				t.Errorf("%s: the parts add up to %d of %d ns", name, w, a.Direct.Samples)
			}
		}
	})
}

func total(w *profile.WaitShares) int64 {
	sum := w.Running + w.Runnable
	for _, m := range []map[record.Wait]int64{w.Blocked, w.Ambiguous} {
		for _, n := range m {
			sum += n
		}
	}
	return sum
}
