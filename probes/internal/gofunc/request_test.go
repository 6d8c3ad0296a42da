package gofunc

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/workload"
)

const requestFile = `version: 1
workloads:
  - name: a
    go: {package: ./one, func: Do}
    setup: open
  - name: b
    go: {package: ./one, func: Do, tags: [y, x]}
  - name: c
    steps:
      - sleep: 1ms
      - go: {package: ./one, func: Fetch, tags: [x]}
      - go:
          package: ./one
          tags: [y]
          func: |
            func(s string) error {
              return nil
            }
  - name: d
    go: {package: ./two/deep, func: Do}
  - name: e
    steps: [{sleep: 1ms}]
  - name: f
    go: {package: example.com/one/one, func: Do}
`

func TestRequests(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "one/one.go", "two/go.mod", "two/deep/deep.go"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "workload.yaml")
	f, err := workload.Parse(path, []byte(requestFile))
	if err != nil {
		t.Fatal(err)
	}
	block := "func(s string) error {\n  return nil\n}\n"
	want := []Request{
		{
			Workloads: []string{"a", "f"}, Dir: dir, File: path,
			Funcs: []Func{{"./one", "Do", 4}, {"./one", "open", 3}, {"example.com/one/one", "Do", 24}},
		},
		{
			Workloads: []string{"b", "c"}, Dir: dir, File: path, Tags: []string{"x", "y"},
			Funcs: []Func{{"./one", "Do", 7}, {"./one", "Fetch", 11}, {"./one", block, 16}},
		},
		{Workloads: []string{"d"}, Dir: dir, File: path, Funcs: []Func{{"./two/deep", "Do", 20}}},
	}
	if diff := cmp.Diff(want, Requests(f)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestScrubFlags(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"none", "", ""},
		{"kept", "-mod=vendor -tags=a,b", "-mod=vendor -tags=a,b"},
		{"toolexec", "-mod=vendor -toolexec=/bin/spy --toolexec=x", "-mod=vendor"},
		{"writes go.mod", "-mod=mod -v", "-v"},
		{"quoted", `'-toolexec=/bin/spy -v' "-ldflags=-X a=b"`, `"-ldflags=-X a=b"`},
		{"open quote", `'-toolexec=spy`, ""},
		{"overlay, output", "-overlay=o.json -o=x -race", "-race"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := scrubFlags(tt.in); got != tt.want {
				t.Errorf("scrubFlags(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestImportsOf(t *testing.T) {
	s := &scope{
		declared: map[string]bool{"index": true, "json": true},
		imports:  map[string][]string{"yaml": {"go.yaml.in/yaml/v4"}, "x": {"a.com/x"}, "template": {"text/template", "html/template"}},
	}
	tests := []struct {
		expr string
		want map[string]string // nil: an error
	}{
		{"Render", map[string]string{}},
		{"index.Add", map[string]string{}},
		{"json.Marshal", map[string]string{}}, // the package's own
		{"func(s string) error { var v any; return yaml.Unmarshal([]byte(s), &v) }", map[string]string{"yaml": "go.yaml.in/yaml/v4"}},
		{"func(ctx context.Context) error { return http.ErrAbortHandler }", map[string]string{"context": "context", "http": "net/http"}},
		{"func(x T) error { return x.Do() }", map[string]string{}},
		{"func() { for x, y := range m { x.Do(y.Z) } }", map[string]string{}},
		{"func() { strings := New(); strings.Do() }", map[string]string{}},
		{"nowhere.Do", map[string]string{}},
		{"template.Must", nil},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			got, err := s.importsOf(tt.expr)
			if (err != nil) != (tt.want == nil) {
				t.Fatalf("error is %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("imports (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGuessName(t *testing.T) {
	for path, want := range map[string]string{
		"fmt": "fmt", "net/http": "http", "gopkg.in/yaml.v3": "yaml", "github.com/a/go-lib": "lib", "github.com/a/lib-go": "lib",
		"github.com/a/lib/v2": "lib", "v2": "v2", "github.com/mattn/go-sqlite3": "sqlite3",
	} {
		if got := guessName(path); got != want {
			t.Errorf("guessName(%s) = %s, want %s", path, got, want)
		}
	}
}

func TestParentOfInternal(t *testing.T) {
	for path, want := range map[string]string{
		"a.com/m/internal/x": "a.com/m", "a.com/m/internal": "a.com/m", "a.com/m/internal/x/internal/y": "a.com/m/internal/x",
		"a.com/m/x": "-", "a.com/m/internals/x": "-", "internal/x": "",
	} {
		got, ok := parentOfInternal(path)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("parentOfInternal(%s) = %q, want %q", path, got, want)
		}
	}
}

func TestPGOProfile(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		want  string
	}{
		{"none", []string{"go.mod"}, ""},
		{"of the target", []string{"cmd/a/default.pgo", "default.pgo", "pkg/default.pgo"}, "pkg/default.pgo"},
		{"of the root", []string{"cmd/a/default.pgo", "default.pgo"}, "default.pgo"},
		{"of the only command", []string{"cmd/a/default.pgo"}, "cmd/a/default.pgo"},
		{"of one of two commands", []string{"cmd/a/default.pgo", "cmd/b/default.pgo"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range tt.files {
				name = filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, nil, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want := tt.want
			if want != "" {
				want = filepath.Join(dir, want)
			}
			if got := pgoProfile([]*pkg{{Dir: filepath.Join(dir, "pkg")}}, &module{Dir: dir}); got != want {
				t.Errorf("profile is %q, want %q", got, want)
			}
		})
	}
}
