package gofunc

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBuildFaults shows the faults of the user's file and code as they are
// reported.
func TestBuildFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: probes are built")
	}
	tests := []struct {
		name    string
		archive string
		env     string
		add     map[string]string // files
		funcs   []Func
		want    string
	}{
		{
			name: "undefined", archive: "internal.txt",
			funcs: []Func{{"./internal/thumb", "rendr", 12}, {"./internal/thumb", "func() { x := 1 }", 14}},
			want: "workload.yaml:12: undefined: rendr" +
				"\nhint: package example.com/tree/internal/thumb has the functions Old, Render, open, render" +
				"\nworkload.yaml:14: declared and not used: x",
		},
		{
			name: "undefined, exported", archive: "internal.txt",
			funcs: []Func{{"./internal/thumb", "Rendr", 12}},
			want: "workload.yaml:12: undefined: thumb.Rendr" +
				"\nhint: package example.com/tree/internal/thumb has the functions Old, Render, open, render",
		},
		{
			name: "undefined, among many", archive: "internal.txt",
			add:   map[string]string{"internal/thumb/many.go": "package thumb\n\nfunc a(){}\nfunc b(){}\nfunc c(){}\nfunc d(){}\nfunc e(){}\nfunc f(){}\nfunc g(){}\nfunc h(){}\nfunc i(){}\n"},
			funcs: []Func{{"./internal/thumb", "opne", 12}},
			want:  "workload.yaml:12: undefined: opne\nhint: did you mean open?",
		},
		{
			name: "function of a test", archive: "internal.txt",
			add:   map[string]string{"internal/thumb/b_test.go": "package thumb\n\nfunc bench() {}\n"},
			funcs: []Func{{"./internal/thumb", "bench", 12}},
			want: "workload.yaml:12: undefined: bench" +
				"\nhint: bench is declared in b_test.go, and tests are no part of the package: move it to another file",
		},
		{
			name: "generic", archive: "generic.txt",
			funcs: []Func{{".", "Sum", 12}},
			want: "workload.yaml:12: cannot use generic function tree.Sum without instantiation" +
				"\nhint: say for which types, as in Sum[string]",
		},
		{
			name: "user's own code", archive: "internal.txt", add: map[string]string{"internal/thumb/bad.go": "package thumb\n\nvar x int = \"a\"\n"},
			funcs: []Func{{"./internal/thumb", "Render", 12}},
			want:  `internal/thumb/bad.go:3:13: cannot use "a" (untyped string constant) as int value in variable declaration`,
		},
		{
			name: "no expression", archive: "internal.txt",
			funcs: []Func{{"./internal/thumb", "func() {", 12}},
			want:  `workload.yaml:12: "func() {" is not a Go expression: expected '}', found 'EOF'`,
		},
		{
			name: "below the first line", archive: "internal.txt",
			funcs: []Func{{"./internal/thumb", "\nfunc() error {\n\treturn nope\n}\n", 12}},
			want: "workload.yaml:14: undefined: nope" +
				"\nhint: package example.com/tree/internal/thumb has the functions Old, Render, open, render",
		},
		{
			name: "no expression, below the first line", archive: "internal.txt",
			funcs: []Func{{"./internal/thumb", "func() {\n) }", 12}},
			want:  `workload.yaml:13: "func() {\n) }" is not a Go expression: expected statement, found ')'`,
		},
		{
			name: "no folder", archive: "internal.txt",
			funcs: []Func{{"./internal/thumb", "Render", 12}, {"./internal/nope", "Render", 13}},
			want:  "workload.yaml:13: package ./internal/nope: stat TREE/internal/nope: directory not found",
		},
		{
			name: "no folder, first", archive: "internal.txt",
			funcs: []Func{{"./internal/nope", "Render", 13}},
			want:  "workload.yaml:13: package ./internal/nope: there is no folder TREE/internal/nope",
		},
		{
			name: "standard library", archive: "internal.txt",
			funcs: []Func{{"strings", "ToUpper", 12}},
			want:  "workload.yaml:12: package strings is in the standard library, not in your module\nhint: " + ownFuncHint,
		},
		{
			name: "dependency", archive: "vendor.txt", env: "GOFLAGS=-trimpath -mod=vendor",
			funcs: []Func{{"example.com/dep", "Shout", 12}},
			want:  "workload.yaml:12: package example.com/dep is in module example.com/dep, not in yours\nhint: " + ownFuncHint,
		},
		{
			name: "sum missing", archive: "vendor.txt", env: "GOFLAGS=-mod=mod",
			funcs: []Func{{"./page", "Shout", 12}},
			want: "workload.yaml:12: build the probe: example.com/dep@v1.0.0: missing go.sum entry for go.mod file; to add it:\n" +
				"\tgo mod download example.com/dep",
		},
		{
			name: "newer Go", archive: "internal.txt", add: map[string]string{"go.mod": "module example.com/tree\n\ngo 1.999\n"},
			funcs: []Func{{"./internal/thumb", "Render", 12}},
			want:  "workload.yaml:12: build the probe: go.mod requires go >= 1.999 (running go VERSION; GOTOOLCHAIN=local)",
		},
		{
			name: "name taken", archive: "internal.txt", add: map[string]string{"zz_concprof_main/x.go": "package x\n"},
			funcs: []Func{{"./internal/thumb", "Render", 12}},
			want: "workload.yaml:12: TREE/zz_concprof_main exists: names that begin with zz_concprof_ are the probe's\n" +
				"hint: rename it",
		},
		{
			name: "ambiguous import", archive: "internal.txt",
			add: map[string]string{
				"t/a.go": "package t\n\nimport \"text/template\"\n\nvar A template.Template\n",
				"t/b.go": "package t\n\nimport \"html/template\"\n\nvar B template.Template\n",
			},
			funcs: []Func{{"./t", "func() error { _, err := template.New(\"\").Parse(\"\"); return err }", 12}},
			want: "workload.yaml:12: template is imported as html/template and text/template by different files of the package: " +
				"declare the function in one of them and name it here",
		},
		{
			name: "only tests", archive: "internal.txt", add: map[string]string{"t/a_test.go": "package t\n"},
			funcs: []Func{{"./t", "A", 12}},
			want:  "workload.yaml:12: package ./t has no Go files besides tests",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := extract(t, tt.archive)
			for name, text := range tt.add {
				name = filepath.Join(tree, name)
				if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Build(context.Background(), Request{
				Dir: tree, File: filepath.Join(tree, "workload.yaml"), Out: t.TempDir(), Env: goEnv(tt.env), Funcs: tt.funcs,
			})
			e, ok := err.(*Error)
			if !ok {
				t.Fatalf("error is %T %v, want faults", err, err)
			}
			got := strings.ReplaceAll(e.Error(), tree+"/workload.yaml", "workload.yaml")
			got = strings.ReplaceAll(got, tree, "TREE")
			got = strings.ReplaceAll(got, strings.TrimPrefix(runtime.Version(), "go"), "VERSION")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildWithoutModule(t *testing.T) {
	_, err := Build(context.Background(), Request{
		Dir: t.TempDir(), File: "workload.yaml", Out: t.TempDir(), Env: goEnv(), Funcs: []Func{{".", "F", 5}},
	})
	if err == nil || !strings.Contains(err.Error(), "workload.yaml:5: ") || !strings.Contains(err.Error(), "is in no Go module") {
		t.Errorf("error is %v", err)
	}
}
