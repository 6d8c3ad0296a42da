package layout

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// lastFault is the number of the last row of docs/faults.md.
const lastFault = 88

var (
	faultRow = regexp.MustCompile(`^\| (\d+) \|`)
	quoted   = regexp.MustCompile("`([^`]+)`")
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(\w+ \*testing\.`)
)

// TestFaultTable holds docs/faults.md to the code: every row once, and every
// test and script that it names exists. A row without a test says "not".
func TestFaultTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for line := range strings.Lines(string(text)) {
		m := faultRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[1])
		if n < 1 || n > lastFault || seen[n] {
			t.Errorf("row %d is there twice, or is none", n)
		}
		seen[n] = true
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "/"), "|")
		if len(cells) != 6 {
			t.Errorf("row %d has %d cells", n, len(cells)-2)
			continue
		}
		names := quoted.FindAllStringSubmatch(cells[4], -1)
		if len(names) == 0 && !strings.HasPrefix(strings.TrimSpace(cells[4]), "not ") {
			t.Errorf("row %d has neither a test nor a reason", n)
		}
		for _, name := range names {
			if !testExists(t, name[1]) {
				t.Errorf("row %d: there is no %s", n, name[1])
			}
		}
	}
	for n := range lastFault {
		if !seen[n+1] {
			t.Errorf("row %d is missing", n+1)
		}
	}
}

// testExists reports whether there is a script "script/NAME" or a test
// "FOLDER.TestName".
func testExists(t *testing.T, name string) bool {
	t.Helper()
	if script, ok := strings.CutPrefix(name, "script/"); ok {
		_, err := os.Stat(filepath.Join(root, "cmd", "concprof", "testdata", "script", script))
		return err == nil
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return false
	}
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(name[:dot]), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(src), -1) {
			if m[1] == name[dot+1:] {
				return true
			}
		}
	}
	return false
}
