package foreign

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t testing.TB, data []byte) *Profile {
	t.Helper()
	p, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Data.CheckValid(); err != nil {
		t.Fatal(err)
	}
	if len(p.Data.Comments) == 0 || p.Data.Comments[0] != p.Note {
		t.Errorf("comments %q do not begin with the note %q", p.Data.Comments, p.Note)
	}
	return p
}

// stacks are the samples as text, root first, with the values of all columns.
func stacks(p *pprof.Profile) map[string][]int64 {
	m := map[string][]int64{}
	for _, s := range p.Sample {
		var names []string
		for i := len(s.Location) - 1; i >= 0; i-- {
			l := s.Location[i].Line[0]
			name := l.Function.Name
			if l.Function.Filename != "" {
				name += "@" + l.Function.Filename + ":" + strconv.FormatInt(l.Line, 10)
			}
			names = append(names, name)
		}
		m[strings.Join(names, ";")] = s.Value
	}
	return m
}

func TestFolded(t *testing.T) {
	p := read(t, file(t, "pyspy.folded"))
	want := map[string][]int64{
		"[no frames]": {1},
		"<module>@app.py:9;main@app.py:8;slow@app.py:5;leaf@app.py:2":                                  {1},
		"<module>@app.py:9;main@app.py:8;slow@app.py:4":                                                {2},
		"<module>@app.py:9;main@app.py:8;slow@app.py:5;leaf@app.py:2;leaf.<locals>.<genexpr>@app.py:2": {3},
	}
	if diff := cmp.Diff(want, stacks(p.Data)); diff != "" || p.Kind != Folded {
		t.Errorf("%s (-want +got):\n%s", p.Kind, diff)
	}
}

func TestFrameOf(t *testing.T) {
	for in, want := range map[string]profile.Frame{
		"main":                          {Function: "main"},
		"f (a/b.py:12)":                 {Function: "f", File: "a/b.py", Line: 12},
		"f (b.py)":                      {Function: "f", File: "b.py"},
		`f (C:\b.py:3)`:                 {Function: "f", File: `C:\b.py`, Line: 3},
		"thread (0x7F00)":               {Function: "thread (0x7F00)"},
		"process 7:\"python a.py (x)\"": {Function: "process 7:\"python a.py (x)\""},
		"operator() (libx.so)":          {Function: "operator()", File: "libx.so"},
	} {
		if got := frameOf(in); got != want {
			t.Errorf("frameOf(%q) = %+v, want %+v", in, got, want)
		}
	}
}

func TestAustin(t *testing.T) {
	p := read(t, file(t, "wall.austin"))
	want := map[string][]int64{
		"P42;T0:1337;<module>@app.py:9;main@app.py:8;slow@app.py:4":                    {10_050_000},
		"P42;T0:1337;<module>@app.py:9;main@app.py:8;slow@app.py:5;leaf@app.py:2;:GC:": {10_011_000},
		"P42;T0:1338": {9_999_000},
	}
	if diff := cmp.Diff(want, stacks(p.Data)); diff != "" || p.Kind != Austin || p.Data.Period != 10_000_000 {
		t.Errorf("%s, period %d (-want +got):\n%s", p.Kind, p.Data.Period, diff)
	}
	p = read(t, file(t, "full.austin"))
	want = map[string][]int64{
		`P42;T7f00a0;main@C:\src\app.py:8;slow@C:\src\app.py:4`: {10_050_000, 0},
		`P42;T7f00a0;main@C:\src\app.py:8;leaf@C:\src\app.py:2`: {10_000_000, 10_000_000},
	}
	if diff := cmp.Diff(want, stacks(p.Data)); diff != "" {
		t.Errorf("full mode (-want +got):\n%s", diff)
	}
}

func TestPprof(t *testing.T) {
	in := read(t, file(t, "pyspy.folded"))
	var b strings.Builder
	if err := in.Data.Write(&b); err != nil {
		t.Fatal(err)
	}
	out := read(t, []byte(b.String()))
	if diff := cmp.Diff(stacks(in.Data), stacks(out.Data)); diff != "" || out.Kind != Pprof {
		t.Errorf("%s (-want +got):\n%s", out.Kind, diff)
	}
}

// An error says what was wrong, and where.
func TestErrors(t *testing.T) {
	prof := file(t, "cprofile-3.12.pstats")
	for _, tt := range []struct {
		name, in, want string
	}{
		{"empty", "", "the file is empty"},
		{"other", "\x7fELF\x02\x01\x01\x00\x00", "neither a pprof nor"},
		{"austin's binary", "MOJ\x03\x01", "mojo2austin"},
		{"no number", "main;f 1\nmain;g x\n", `folded file: line 2: "x" is no count of samples`},
		{"no space", "main;f", `folded file: line 1: "main;f" is not a stack, a space and a number`},
		{"negative", "main -1", "line 1: \"-1\" is no count"},
		{"sum", "f 36028797018963967\ng 36028797018963967", "line 2: 36028797018963967 samples: the sum does not fit"},
		{"escape", "main \x1b[31m", "neither"},
		{"deep", strings.Repeat("f;", 10_000) + "f 1", "line 1: a stack of 10001 frames, more than 10000"},
		{"only comments", "# nothing\n", "folded file: no stack in it"},
		{"memory", "# austin: 3.7.0\n# mode: memory\n", "austin file: line 2: a file of memory mode"},
		{"two numbers", "P1;T1;a.py:f:1 1,2", "austin file: line 1: 2 numbers, where one or three are"},
		{"a mixture", "P1;T1;a.py:f:1 1\nP1;T1;a.py:f:1 1,0,0", "line 2: 3 numbers, but 1 on the lines before"},
		{"no thread", "P1;T1;a.py:f:1 1\nmain 3", `line 2: "main 3" does not begin with a process and a thread`},
		{"cut", string(prof[:100]), "cprofile file: byte "},
		{"empty table", "{0", "a table without a function"},
		{"list", "{(\x01\x00\x00\x00[\x00\x00\x00\x000", `cprofile file: byte 6: a value of type '['`},
		{"number for a key", "{)\x01i\x01\x00\x00\x00N0", "a key that is not (file, line, function)"},
		{"reference to itself", "{)\x01r\x00\x00\x00\x00N0", "a reference to object 0"},
		{"large tuple", "{(\xff\xff\xff\x7f", "a tuple of 2147483647 items"},
		{"nested", "{" + strings.Repeat(")\x01", 40), "containers more than 5 deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if p, err := Read([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Read = %v, %v, want an error with %q", p, err, tt.want)
			}
		})
	}
	if _, err := Read([]byte("\x00\x01")); !errors.Is(err, ErrUnknown) {
		t.Errorf("of bytes: %v, want ErrUnknown", err)
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".py") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("{(\x01\x00\x00\x00r\x00\x00\x00\x000"))
	f.Add([]byte("P1;T1;a:f:1 1,0,0\n"))
	f.Fuzz(func(t *testing.T, data []byte) { check(t, Limits.Read, data) })
}

// The readers are also fuzzed one by one, past the choice between them.
func FuzzCProfile(f *testing.F) {
	for _, name := range []string{"3.9", "3.13"} {
		f.Add(file(f, "cprofile-"+name+".pstats"))
	}
	f.Fuzz(func(t *testing.T, data []byte) { check(t, Limits.cprofile, data) })
}

func FuzzFolded(f *testing.F) {
	f.Add(file(f, "pyspy.folded"))
	f.Fuzz(func(t *testing.T, data []byte) { check(t, Limits.folded, data) })
}

func FuzzAustin(f *testing.F) {
	f.Add(file(f, "wall.austin"))
	f.Add(file(f, "full.austin"))
	f.Fuzz(func(t *testing.T, data []byte) { check(t, Limits.austin, data) })
}

// check holds that what is read is a valid profile that can be written and
// read again.
func check(t *testing.T, read func(Limits, []byte) (*Profile, error), data []byte) {
	l := DefaultLimits()
	l.Objects, l.Paths = 100_000, 2000
	p, err := read(l, data)
	if err != nil {
		return
	}
	if err := p.Data.CheckValid(); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Data.Sample {
		for _, v := range s.Value {
			if v < 0 && p.Kind != Pprof {
				t.Fatalf("a negative value: %v", s.Value)
			}
		}
	}
	var b strings.Builder
	if err := p.Data.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := readPprof([]byte(b.String()))
	if err != nil {
		t.Fatalf("what was read cannot be read again: %v", err)
	}
	if p.Kind != Pprof && len(again.Data.Sample) != len(p.Data.Sample) {
		t.Errorf("%d samples, %d when read again", len(p.Data.Sample), len(again.Data.Sample))
	}
}
