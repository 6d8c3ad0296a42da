// Package faults reads docs/faults.md and runs the tests that it names.
package faults

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Row is one fault of the table.
type Row struct {
	Number   int
	Fault    string // what goes wrong
	Expected string // what concprof does then
	// Tests are the tests and scripts that would fail if it did not.
	Tests []Test
	// Untested says why there are none, or what of the row they leave out; ""
	// if it says nothing.
	Untested string
}

// A Test is a function of a package, or a script.
type Test struct {
	Folder string // of the package, relative to the module
	Name   string // of the function
	Script string // of TestScript, without its extension, else ""
}

// scriptFolder is the package whose TestScript runs the scripts.
const scriptFolder = "cmd/concprof"

func (t Test) String() string {
	if t.Script != "" {
		return "script/" + t.Script
	}
	return t.Folder + "." + t.Name
}

var (
	rowStart = regexp.MustCompile(`^\| (\d+) \|`)
	quoted   = regexp.MustCompile("`([^`]+)`")
)

// Parse reads the rows of the table in a Markdown document. A row that is not
// of five cells, or names what is no test, is an error.
func Parse(text string) ([]Row, error) {
	var rows []Row
	for line := range strings.Lines(text) {
		m := rowStart.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[1]) // digits
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), "|")
		if len(cells) != 6 {
			return nil, fmt.Errorf("row %d has %d cells, want 4", n, len(cells)-2)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(strings.ReplaceAll(cells[i], "\x00", "|"))
		}
		row := Row{Number: n, Fault: cells[2], Expected: cells[3], Untested: strings.Join(strings.Fields(quoted.ReplaceAllString(cells[4], "")), " ")}
		for _, q := range quoted.FindAllStringSubmatch(cells[4], -1) {
			t, err := parseTest(q[1])
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", n, err)
			}
			row.Tests = append(row.Tests, t)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func parseTest(name string) (Test, error) {
	if script, ok := strings.CutPrefix(name, "script/"); ok {
		script, ok = strings.CutSuffix(script, ".txtar")
		if !ok {
			return Test{}, fmt.Errorf("script %q has another extension than .txtar", name)
		}
		return Test{Folder: scriptFolder, Name: "TestScript", Script: script}, nil
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return Test{}, fmt.Errorf("%q is no test: want FOLDER.TestName or script/NAME.txtar", name)
	}
	return Test{Folder: name[:dot], Name: name[dot+1:]}, nil
}
