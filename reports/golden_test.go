package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/analyzer"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixture reads a hand-made result of testdata.
func fixture(t testing.TB, name string) *analyzer.Result {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.DisallowUnknownFields()
	res := new(analyzer.Result)
	if err := dec.Decode(res); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return res
}

// fixtures are the names of all of them.
func fixtures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) < 7 {
		t.Fatalf("fixtures: %v, %v", files, err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return names
}

// golden compares got with a file of testdata/golden.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update, and look at it)", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func render(t testing.TB, f Format, res *analyzer.Result, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, res, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTextGolden(t *testing.T) {
	for _, name := range fixtures(t) {
		for _, v := range []struct {
			suffix string
			o      Options
		}{{"80", Options{Width: 80}}, {"200", Options{Width: 200, Verbose: true}}, {"color", Options{Width: 120, Color: true}}} {
			t.Run(name+"/"+v.suffix, func(t *testing.T) {
				got := render(t, Text, fixture(t, name), v.o)
				golden(t, name+"."+v.suffix+".txt", got)
			})
		}
	}
}

func TestGolden(t *testing.T) {
	for _, f := range []struct {
		format Format
		ext    string
	}{{JSON, ".out.json"}, {Markdown, ".md"}, {Benchfmt, ".bench"}} {
		for _, name := range fixtures(t) {
			t.Run(string(f.format)+"/"+name, func(t *testing.T) {
				golden(t, name+f.ext, render(t, f.format, fixture(t, name), Options{}))
			})
		}
	}
}

func TestHTMLGolden(t *testing.T) {
	for _, name := range []string{"mixed", "undecided", "failed", "hostile", "python", "load"} {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".html", render(t, HTML, withFlames(t, fixture(t, name)), Options{}))
		})
	}
}
