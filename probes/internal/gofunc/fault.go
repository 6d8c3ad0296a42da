package gofunc

import (
	"fmt"
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
