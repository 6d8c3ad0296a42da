package profile

import (
	"go/build"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// TestLibraries finds rows that can never apply because an earlier one takes
// all that they are about, and rows without a reason.
func TestLibraries(t *testing.T) {
	for i, l := range libraries {
		if l.why == "" || l.prefix == "" || l.raw == 0 {
			t.Errorf("row %d, %q, lacks a reason, a prefix or parks", i, l.prefix)
		}
		if l.wait == "" && l.raw&^(rawSyscall|rawCgo) != 0 {
			t.Errorf("row %d, %q, takes parked goroutines for running ones", i, l.prefix)
		}
		for _, before := range libraries[:i] {
			if strings.HasPrefix(l.prefix, before.prefix) && l.raw&^before.raw == 0 {
				t.Errorf("row %d, %q, stands behind %q", i, l.prefix, before.prefix)
			}
		}
	}
}

// TestStandard compares the table of standard packages with those of the Go
// that runs the test.
func TestStandard(t *testing.T) {
	src := filepath.Join(build.Default.GOROOT, "src")
	dirs, err := os.ReadDir(src)
	if err != nil {
		t.Skipf("SKIPPED: the sources of Go are not here: %v", err)
	}
	found := 0
	for _, d := range dirs {
		if !d.IsDir() || d.Name() == "testdata" || d.Name() == "cmd" || d.Name() == "builtin" {
			continue
		}
		if found++; !standard[d.Name()] {
			t.Errorf("%s is not in the table", d.Name())
		}
	}
	if found < 40 {
		t.Errorf("%d packages in %s", found, src)
	}
}

func TestCleanLabel(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"event-loop", "event-loop"},
		{"a.b:c/d e_f-9", "a.b:c/d e_f-9"},
		{`"><script>`, "___script_"},
		{"é\x00\xff", "___"},
		{strings.Repeat("x", 500), strings.Repeat("x", maxLabelRunes)},
	} {
		if got := CleanLabel(tt.in); got != tt.want || CleanLabel(got) != got {
			t.Errorf("CleanLabel(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCleanName(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"main.f", "main.f"},
		{"main.(*T[...]).größe", "main.(*T[...]).größe"},
		{"a\x1b[2Jb", `a\x1b[2Jb`},
		{"a\x7f\u0085\u202eb\u200b", `a\x7f\u0085\u202eb\u200b`},
		{"bad\xff\xfe", `bad\xff\xfe`},
		{"\uFFFD", "\uFFFD"},
		{strings.Repeat("ü", 300), strings.Repeat("ü", maxNameRunes) + "…"},
	} {
		if got := CleanName(tt.in); got != tt.want {
			t.Errorf("CleanName(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestCleanHostile: labels are drawn unescaped by pprof's graph, names printed
// raw by its lists.
func TestCleanHostile(t *testing.T) {
	for _, s := range hostileNames() {
		if got := CleanLabel(s); strings.ContainsFunc(got, func(r rune) bool { return r >= 0x80 || !labelByte(byte(r)) }) || len(got) > maxLabelRunes {
			t.Errorf("CleanLabel(%.40q) = %q", s, got)
		}
		got := CleanName(s)
		if len([]rune(got)) > 6*maxNameRunes+1 {
			t.Errorf("CleanName(%.40q) has %d runes", s, len([]rune(got)))
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Errorf("CleanName(%.40q) = %q holds %U", s, got, r)
			}
		}
	}
}

// hostileNames returns the names of testdata/hostile.txt, which every package that
// shows names of a workload is tested with.
func hostileNames() []string {
	data, err := os.ReadFile("../../testdata/hostile.txt")
	if err != nil {
		panic(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			names = append(names, name)
		} else if line[0] != '#' {
			panic(line)
		}
	}
	return names
}
