package workload

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadQuickstart(t *testing.T) {
	f, err := Load("../../testdata/workloads/quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Workloads) != 4 || f.Workloads[0].Line != 8 || len(f.Servers) != 2 || len(f.Models) != 4 {
		t.Errorf("unexpected content: %+v", f)
	}
	roundTrip(t, f)
}

// roundTrip holds that parse, print, parse is stable.
func roundTrip(t *testing.T, f *File) {
	t.Helper()
	text, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(f.Path, text)
	if err != nil {
		t.Fatalf("printed text does not parse: %v\n%s", err, text)
	}
	text2, err := Encode(again)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, text2) {
		t.Errorf("printing again differs:\n%s", cmp.Diff(string(text), string(text2)))
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool {
		last := p.Last().String()
		return last == ".Line" || last == ".Source"
	}, cmp.Ignore())
	if d := cmp.Diff(f, again, ignore); d != "" {
		t.Errorf("read back differs:\n%s\n%s", d, text)
	}
}
