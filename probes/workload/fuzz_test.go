package workload

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzParse holds that no file makes Parse panic, that its errors are faults
// with a place, and that what it accepts is stable: parse, print, parse.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/faults/*.yaml", "testdata/good/*.yaml", "../../testdata/workloads/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := Parse("workload.yaml", src)
		if err == nil {
			roundTrip(t, file)
			return
		}
		var faults *Faults
		if !errors.As(err, &faults) || len(faults.List) == 0 {
			t.Fatalf("not faults: %v", err)
		}
		for _, fault := range faults.List {
			if fault.Line < 1 || fault.Column < 1 || fault.Length < 1 || fault.Message == "" {
				t.Errorf("a fault without a place or message: %+v", fault)
			}
		}
		for _, r := range faults.Error() {
			if r != '\n' && printableRune(r) != string(r) {
				t.Errorf("the message contains %q", r)
			}
		}
	})
}

// FuzzUnits holds that what is read as a quantity is written so that it reads
// back to the same, and that printing is stable.
func FuzzUnits(f *testing.F) {
	for _, s := range []string{"20ms", "1.5s", "1m30s", "2h", "0s", "64KiB", "200MB", "1.5GiB", "0B", "200/s", "30/m", "1/h", "007ms"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDuration(s); err == nil {
			if again, err := ParseDuration(d.String()); err != nil || again != d {
				t.Errorf("%q: %v reads back as %v, %v", s, d, again, err)
			}
		}
		if n, err := ParseSize(s); err == nil {
			if again, err := ParseSize(n.String()); err != nil || again != n {
				t.Errorf("%q: %v reads back as %v, %v", s, n, again, err)
			}
		}
		// A rate beyond 1/h and 10^9/s is refused in files.
		if r, err := ParseRate(s); err == nil && r >= 1.0/3600 && r <= 1e9 {
			if again, err := ParseRate(r.String()); err != nil || again != r {
				t.Errorf("%q: %v reads back as %v, %v", s, r, again, err)
			}
		}
	})
}

// FuzzFromGo holds that whatever is accepted as a reference is a workload
// with a name, a package and a function.
func FuzzFromGo(f *testing.F) {
	for _, s := range []string{"./internal/thumb.Render", "./index.(*Index).Add", ".F", "gopkg.in/yaml.v3.Unmarshal", "./x.Map[int]", "./pkg", "..", "/a/b.C"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		file, err := FromGo(ref)
		if err != nil {
			return
		}
		w := file.Workloads[0]
		if w.Name == "" || w.Go == nil || w.Go.Package == "" || w.Go.Func == "" {
			t.Errorf("%q: %+v", ref, w)
		}
		roundTrip(t, file)
	})
}
