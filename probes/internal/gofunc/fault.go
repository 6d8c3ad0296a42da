package gofunc

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A Fault is something in the user's file or code that keeps the probe from
// being built.
type Fault struct {
	File    string // "" if the fault has no place
	Line    int    // 0 if unknown
	Column  int    // 0 if unknown
	Message string
	Hint    string // what to do, or ""
}

func (f Fault) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
			if f.Column > 0 {
				fmt.Fprintf(&b, ":%d", f.Column)
			}
		}
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Error is why a probe could not be built: faults of the user's file or code.
// Nothing has been run.
type Error struct {
	Faults []Fault
	// Output is what the go command printed, with paths made relative;
	// "" if it was not the compiler that found the faults.
	Output string
}

func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Faults))
	for _, f := range e.Faults {
		s := f.String()
		if f.Hint != "" {
			s += "\nhint: " + f.Hint
		}
		lines = append(lines, s)
	}
	return strings.Join(lines, "\n")
}

// fault returns an *Error of one fault at fn.
func (r *Request) fault(fn Func, hint, format string, args ...any) error {
	return &Error{Faults: []Fault{{File: r.File, Line: fn.Line, Message: fmt.Sprintf(format, args...), Hint: hint}}}
}

// position matches the places in what the compiler prints: a file, a line
// and perhaps a column, then the message.
var position = regexp.MustCompile(`^(.+?):([0-9]+)(?::([0-9]+))?: (.*)$`)

// goFault turns what the go command printed into faults: those with a place,
// or else one with the whole text at fn.
func (r *Request) goFault(fn Func, g *gocmd, failed *goError) *Error {
	e := &Error{Output: strings.TrimSpace(r.relative(failed.output, g.dir))}
	for _, line := range strings.Split(e.Output, "\n") {
		m := position.FindStringSubmatch(line)
		switch {
		case m != nil:
			f := Fault{File: m[1], Message: m[4]}
			f.Line, _ = strconv.Atoi(m[2])
			f.Column, _ = strconv.Atoi(m[3])
			e.Faults = append(e.Faults, f)
		case strings.HasPrefix(line, "\t") && len(e.Faults) > 0:
			last := &e.Faults[len(e.Faults)-1]
			last.Message += "\n" + line
		}
	}
	if len(e.Faults) == 0 {
		e.Faults = []Fault{{File: r.File, Line: fn.Line, Message: "build the probe: " + strings.TrimPrefix(e.Output, "go: ")}}
	}
	return e
}

// relative rewrites the paths at the beginning of each line of the go
// command's output: the user's file as it was given, other files relative to
// the folder of the workload file. dir is the folder that the command ran in.
func (r *Request) relative(output, dir string) string {
	var lines []string
	for _, line := range strings.Split(output, "\n") {
		if strings.HasPrefix(line, "# ") {
			continue // the package that the lines below are of
		}
		if m := position.FindStringSubmatch(line); m != nil {
			line = r.display(m[1], dir) + line[len(m[1]):]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// display names a file for the user.
func (r *Request) display(file, dir string) string {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	if file == r.linePath() {
		if r.File == "" {
			return strings.TrimPrefix(commandLine, "/")
		}
		return r.File
	}
	base, err := filepath.Abs(r.Dir)
	if err != nil {
		return file
	}
	if real, err := filepath.EvalSymlinks(base); err == nil {
		base = real
	}
	rel, err := filepath.Rel(base, file)
	if err != nil || strings.HasPrefix(rel, ".."+string(filepath.Separator)+"..") {
		return file
	}
	return rel
}
