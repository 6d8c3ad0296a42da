package workload

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFaults holds the messages of faulty files byte for byte, so that a
// change of words is seen and meant.
func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse("workload.yaml", src)
			var faults *Faults
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want faults", err)
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".txt", faults.Error()+"\n")
			lines := splitLines(string(src))
			for _, f := range faults.List {
				if f.Line < 1 || f.Line > len(lines) || f.Column < 1 || f.Message == "" {
					t.Errorf("a fault without a place or message: %+v", f)
				}
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got); -update writes it anew:\n%s", name, d)
	}
}

// TestBytes covers files that are not the text they should be.
func TestBytes(t *testing.T) {
	const good = "version: 1\nworkloads:\n  - {name: a, command: [x]}\n"
	utf16 := []byte{0xff, 0xfe}
	for _, c := range []byte(good) {
		utf16 = append(utf16, c, 0)
	}
	for _, tt := range []struct {
		name string
		src  []byte
		want string // "" for a file that is accepted
	}{
		{"byte order mark", append([]byte("\ufeff"), good...), ""},
		{"CRLF", []byte(strings.ReplaceAll(good, "\n", "\r\n")), ""},
		{"no line end", []byte(strings.TrimSpace(good)), ""},
		{"UTF-16", utf16, "workload.yaml:1:1: the file is UTF-16, not UTF-8"},
		{"Latin-1", []byte("version: 1\n# caf\xe9\n"), "workload.yaml:2:6: byte 0xe9 is not UTF-8"},
		{"NUL", []byte("version: 1\nworkloads: \x00\n"), "workload.yaml:2:12: the file contains a NUL character"},
		{"ESC", []byte("version: 1 # \x1b[2J\n"), "workload.yaml:1:14: the file contains the control character U+001B"},
		{"too large", bytes.Repeat([]byte("#\n"), MaxFileBytes/2+1), "the file has 1048578 bytes; the most is 1MiB"},
		{"fault after CRLF", []byte("version: 1\r\nworkloads: 5\r\n"), "workload.yaml:2:12: workloads: expected a list; got the number 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("workload.yaml", tt.src)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestBombs covers files that are small and want to be large. The bound on
// time is generous: it tells a bomb that went off from one that did not.
func TestBombs(t *testing.T) {
	aliases := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		prev := string(c - 1)
		aliases += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+prev+",", 9), ",") + "]\n"
	}
	deepBlock := ""
	for i := range 3000 {
		deepBlock += strings.Repeat(" ", i) + "a:\n"
		if len(deepBlock) > MaxFileBytes-4000 {
			break
		}
	}
	for _, tt := range []struct{ name, src, want string }{
		{"aliases", aliases, "is not supported"},
		{"an alias of itself", "version: &a [*a]\n", "is not supported"},
		{"an unknown alias", "version: *a\n", ""},
		{"10,001 brackets", strings.Repeat("[", 10_001), "nested more than 32 deep"},
		{"10,001 braces", strings.Repeat("{a: ", 10_001), "nested more than 32 deep"},
		{"deep blocks", deepBlock, "nested more than 32 deep"},
		{"many values", "a: [" + strings.Repeat("[],", 60_000) + "]\n", "more than 50000 values"},
		{"many faults", "version: 1\nworkloads: [" + strings.Repeat("5,", 4_000) + "]\n", "the list has 4000 items"},
		{"many keys", manyKeys(8_000), "and 7952 more"},
		{"a long number", "version: 1" + strings.Repeat("0", 500_000) + "\n", "expected 1"},
		{"a great exponent", "version: 1e999999999\n", "expected 1"},
		{"a long line", "version: 1\n" + strings.Repeat("x", 900_000) + ": 1\n", "unknown key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("workload.yaml", []byte(tt.src))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %.300v, want an error with %q", err, tt.want)
			}
			if n := len(err.Error()); n > 200_000 {
				t.Errorf("the message has %d bytes", n)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v", d)
			} else {
				t.Logf("%v", d)
			}
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

// TestRenderWidth holds that source lines fit, and that the caret stays below
// what it points at.
func TestRenderWidth(t *testing.T) {
	line := strings.Repeat("x", 100) + "HERE" + strings.Repeat("y", 100)
	for _, width := range []int{20, 40, 80, 120, 300} {
		for _, at := range []int{1, 50, 101, 190, 204} {
			f := &Faults{List: []Fault{{File: "w.yaml", Line: 3, Column: at, Length: 4, Message: "m", Source: line}}}
			var b bytes.Buffer
			if err := f.Render(&b, width); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(b.String(), "\n")
			source, caret := lines[1], lines[2]
			if len(source) > max(width, 28) {
				t.Errorf("width %d: the line has %d columns", width, len(source))
			}
			i := strings.Index(caret, "^")
			if i >= len(source) || source[i] != line[at-1] {
				t.Errorf("width %d, column %d: the caret is off:\n%s\n%s", width, at, source, caret)
			}
		}
	}
}

// TestPrintable holds that nothing of a file can steer a terminal.
func TestPrintable(t *testing.T) {
	_, err := Parse("work\x1b]0;load.yaml", []byte("version: 1\n\"\\e[31m\u202e\": 1\n"))
	for _, r := range err.Error() {
		if r != '\n' && printableRune(r) != string(r) {
			t.Errorf("the message contains %q:\n%q", r, err.Error())
		}
	}
}

// TestHostileNames holds that names which are not plain are refused, and that
// saying so steers no terminal, wherever in the file they stand.
func TestHostileNames(t *testing.T) {
	for _, name := range hostile() {
		quoted, _ := json.Marshal(name)
		for _, src := range []string{
			"version: 1\nworkloads:\n  - {name: %s, command: [x]}\n",
			"version: 1\nworkloads:\n  - {name: a, command: [x], env: [%s], %[1]s: 1}\n",
			"version: 1\n%s: 1\n",
			"version: 1\nworkloads:\n  - {name: a, steps: [{http: {server: %s}}]}\n",
		} {
			_, err := Parse("workload.yaml", fmt.Appendf(nil, src, quoted))
			if err == nil {
				t.Errorf("%.60q is accepted in %s", name, src)
				continue
			}
			var b bytes.Buffer
			var faults *Faults
			if errors.As(err, &faults) {
				if err := faults.Render(&b, 80); err != nil {
					t.Fatal(err)
				}
			}
			for _, r := range err.Error() + b.String() {
				if r != '\n' && printableRune(r) != string(r) {
					t.Errorf("%.60q: the message contains %U", name, r)
					break
				}
			}
		}
	}
}

// hostile returns the names of testdata/hostile.txt, which every package that
// shows names of a workload is tested with.
func hostile() []string {
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
