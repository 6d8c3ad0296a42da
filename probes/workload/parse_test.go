package workload

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

// TestEveryKey reads and prints a file with every key of the schema.
func TestEveryKey(t *testing.T) {
	src, err := os.ReadFile("testdata/good/all.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse("all.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, f)
	text, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/good/all.txt", string(text))
	if d := cmp.Diff([]string{"echo", "-n", "{input}", "010", "true", "~"}, f.Workloads[0].Steps[12].Exec); d != "" {
		t.Errorf("arguments are not taken as they stand:\n%s", d)
	}
	if g := f.Workloads[1].Go; g.Line != 34 {
		t.Errorf("the function is on line %d, want 34", g.Line)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const head = "version: 1\nworkloads:\n  - name: a\n    command: [x]\n    inputs: "
	write("lines.txt", "a\nb\n")
	write("empty.txt", "")
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skipf("SKIPPED: no FIFO can be made here: %v", err)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"inputs that are there", write("1.yaml", head+"lines.txt\n"), ""},
		{"inputs that are not there", write("2.yaml", head+"none.txt\n"), `2.yaml:5:13: workloads[0].inputs: inputs "none.txt": no such file or directory`},
		{"inputs in a mapping", write("3.yaml", head+"{file: none.txt}\n"), `3.yaml:5:20: workloads[0].inputs.file: inputs "none.txt"`},
		{"empty inputs", write("4.yaml", head+"empty.txt\n"), "is empty"},
		{"inputs that are a folder", write("5.yaml", head+".\n"), "is a directory"},
		{"inputs that are a FIFO", write("6.yaml", head+"fifo\n"), "is not a regular file"},
		{"no file", filepath.Join(dir, "none.yaml"), "no such file or directory"},
		{"a folder", dir, "it is a directory"},
		{"a FIFO", fifo, "it is not a regular file"},
		{"a device", "/dev/zero", "it is not a regular file"},
		{"a large file", write("large.yaml", strings.Repeat("#\n", MaxFileBytes)), "the most is 1MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.path)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestFromCommandLine(t *testing.T) {
	for _, tt := range []struct{ ref, name, pkg, fn string }{
		{"./internal/thumb.Render", "thumb.Render", "./internal/thumb", "Render"},
		{"./index.(*Index).Add", "index.Index.Add", "./index", "(*Index).Add"},
		{"./index.Index.Len", "index.Index.Len", "./index", "Index.Len"},
		{".F", "F", ".", "F"},
		{"./.F", "F", ".", "F"},
		{"../x.F", "x.F", "../x", "F"},
		{"example.com/mod/thumb.Render", "thumb.Render", "example.com/mod/thumb", "Render"},
		{"gopkg.in/yaml.v3.Unmarshal", "yaml.v3.Unmarshal", "gopkg.in/yaml.v3", "Unmarshal"},
		{"./x.Map[int]", "x.Map-int", "./x", "Map[int]"},
		{"./x", "", "", ""},
		{"./x.", "", "", ""},
		{"", "", "", ""},
		{"./x.F()", "", "", ""},
		{"./x.1", "", "", ""},
	} {
		f, err := FromGo(tt.ref)
		if tt.name == "" {
			if err == nil {
				t.Errorf("%q is accepted as %+v", tt.ref, f.Workloads[0].Go)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.ref, err)
			continue
		}
		if w := f.Workloads[0]; w.Name != tt.name || w.Go.Package != tt.pkg || w.Go.Func != tt.fn {
			t.Errorf("%q is read as %q, %+v", tt.ref, w.Name, w.Go)
		}
		if f.Path != "" || f.Dir != "." || len(f.Source) == 0 {
			t.Errorf("%q: path %q, dir %q, %d bytes of source", tt.ref, f.Path, f.Dir, len(f.Source))
		}
	}
	argv := []string{"/usr/bin/gzip", "-9", "010", "a: b", "", "*x", "é\n", "true"}
	f, err := FromCommand(argv)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(argv, f.Workloads[0].Command); d != "" {
		t.Error(d)
	}
	if _, err := FromCommand(nil); err == nil {
		t.Error("no command is accepted")
	}
}

// TestNothingIsExpanded: a value of the environment cannot get into a plan or a
// report by way of the file.
func TestNothingIsExpanded(t *testing.T) {
	t.Setenv("SECRET", "value")
	f, err := Parse("w.yaml", []byte(`{version: 1, workloads: [{name: a, command: ["${SECRET}", $SECRET, "%SECRET%"], env: ["X=$SECRET"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	w := f.Workloads[0]
	if d := cmp.Diff([]string{"${SECRET}", "$SECRET", "%SECRET%", "X=$SECRET"}, append(w.Command, w.Env...)); d != "" {
		t.Error(d)
	}
}
