package reports

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/perf/benchfmt"
)

// TestBenchfmtReads reads the export with the reader that benchstat uses, and
// counts the lines under the keys by which `benchstat -col /model` groups.
func TestBenchfmtReads(t *testing.T) {
	for _, name := range fixtures(t) {
		res := fixture(t, name)
		r := benchfmt.NewReader(bytes.NewReader(render(t, Benchfmt, res, Options{})), name)
		got := map[string]int{}
		for r.Scan() {
			switch rec := r.Result().(type) {
			case *benchfmt.SyntaxError:
				t.Errorf("%s: %v", name, rec)
			case *benchfmt.UnitMetadata:
				if rec.Key != "better" {
					t.Errorf("%s: unit metadata %+v", name, rec)
				}
			case *benchfmt.Result:
				base, parts := rec.Name.Parts()
				if string(base) != "Concprof" || len(parts) != 4 {
					t.Errorf("%s: benchmark %q", name, rec.Name)
					continue
				}
				keys := make([]string, 0, 3)
				for i, k := range []string{"/workload=", "/model=", "/conc="} {
					v, ok := strings.CutPrefix(string(parts[i]), k)
					if !ok {
						t.Errorf("%s: %q lacks the key %q that -col and -row take", name, rec.Name, k)
					}
					keys = append(keys, v)
				}
				v, ok := rec.Value("op/s")
				if !ok || v <= 0 {
					t.Errorf("%s: %s has %v op/s", name, rec.Name, v)
				}
				if sec, ok := rec.Value("sec/op"); !ok || sec*v < 0.999 || sec*v > 1.001 {
					t.Errorf("%s: %s: %v sec/op at %v op/s", name, rec.Name, sec, v)
				}
				got[strings.Join(keys, " ")]++
			}
		}
		if err := r.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := map[string]int{}
		for i := range res.Workloads {
			w := &res.Workloads[i]
			for _, c := range ordered(w) {
				if counted(c) {
					want[strings.Join([]string{nameValue(w.Name), string(c.Model), strconv.Itoa(c.Concurrency)}, " ")] = max(len(c.Samples), 1)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: lines by cell (-want +got):\n%s", name, diff)
		}
	}
}
