package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/harness"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"tool": 0o755, "data": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	tool := filepath.Join(dir, "tool")
	path := "relative:/nonexistent:" + dir
	tests := []struct{ argv0, want, fault string }{
		{"tool", tool, ""},
		{"./tool", tool, ""},
		{tool, tool, ""},
		{"missing", "", `command "missing": not found in PATH (` + path + ")"},
		{"data", "", "not found in PATH"},
		{"sub", "", "not found in PATH"},
		{"./data", "", "is not executable"},
		{"./sub", "", "is a folder"},
		{"./missing", "", "no such file"},
		{"", "", "no name"},
	}
	for _, tt := range tests {
		t.Run(tt.argv0, func(t *testing.T) {
			got, err := Find(tt.argv0, dir, path)
			if got != tt.want || (err != nil) != (tt.fault != "") {
				t.Fatalf("found %q, %v", got, err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("error %v, want %q", err, tt.fault)
			}
		})
	}
}

func TestStep(t *testing.T) {
	base := harness.Step{Name: "s", Kind: harness.KindExec, Dir: "/home"}
	tests := []struct {
		name   string
		argv   []string
		inputs bool
		stdin  string
	}{
		{"no inputs", []string{"gzip", "-9"}, false, ""},
		{"an argument", []string{"gzip", "{input}"}, true, ""},
		{"in an argument", []string{"gzip", "--file={input}.txt"}, true, ""},
		{"standard input", []string{"gzip", "-9"}, true, "input"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := base
			want.Argv, want.Stdin = append([]string{"/bin/gzip"}, tt.argv[1:]...), tt.stdin
			if diff := cmp.Diff(want, Step("s", "/bin/gzip", tt.argv, "/home", tt.inputs)); diff != "" {
				t.Errorf("step (-want +got):\n%s", diff)
			}
		})
	}
}
