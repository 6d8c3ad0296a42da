package foreign

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

const foldedNote = "from folded stacks, as of py-spy's raw format: counts of samples; how much time one stands for is not in the file"

// noFrames stands for a sample whose stack has none.
const noFrames = "[no frames]"

// folded reads stacks as text, a line each: frames, root first, separated by
// semicolons, then a space and how often the stack was seen. py-spy writes a
// frame as "function (file:line)".
func (l Limits) folded(data []byte) (*Profile, error) {
	samples := &pprof.ValueType{Type: "samples", Unit: "count"}
	b := newBuilder(l, samples)
	var frames []profile.Frame
	err := l.lines(Folded, data, func(line string) error {
		if line[0] == '#' {
			return nil
		}
		stack, number, err := lastField(line)
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("%s is no count of samples", quote(number))
		}
		if frames, err = l.frames(stack, frames[:0], frameOf); err != nil {
			return err
		}
		return b.add(frames, n)
	})
	if err != nil {
		return nil, err
	}
	if len(b.order) == 0 {
		return nil, fmt.Errorf("%s file: no stack in it", Folded)
	}
	return marked(Folded, foldedNote, b.profile(samples, 1)), nil
}

// lines calls f for each line of a text that is not empty. What f returns, it
// returns with the line's number.
func (l Limits) lines(kind Kind, data []byte, f func(line string) error) error {
	for n := 1; len(data) > 0; n++ {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		if line = bytes.TrimRight(line, " \r\t"); len(line) == 0 {
			continue
		}
		err := error(nil)
		if len(line) > l.Line {
			err = fmt.Errorf("longer than %d bytes", l.Line)
		} else {
			err = f(string(line))
		}
		if err != nil {
			return &SyntaxError{Kind: kind, Line: n, What: err.Error()}
		}
	}
	return nil
}

// lastField splits a line at its last space.
func lastField(line string) (before, last string, err error) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return "", "", fmt.Errorf("%s is not a stack, a space and a number", quote(line))
	}
	return strings.TrimRight(line[:i], " "), line[i+1:], nil
}

// quote shows a part of a file in an error, cut where it is long.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// frames appends the frames of a stack, leaf first.
func (l Limits) frames(stack string, into []profile.Frame, of func(string) profile.Frame) ([]profile.Frame, error) {
	if n := strings.Count(stack, ";") + 1; n > l.Depth {
		return nil, fmt.Errorf("a stack of %d frames, more than %d", n, l.Depth)
	}
	for rest := stack; rest != ""; {
		i := strings.LastIndexByte(rest, ';')
		name := rest[i+1:]
		rest = rest[:max(i, 0)]
		if name != "" {
			into = append(into, of(name))
		}
	}
	if len(into) == 0 {
		// A thread that py-spy saw before its first call.
		into = append(into, profile.Frame{Function: noFrames})
	}
	return into, nil
}

// frameOf reads a frame of py-spy's: "function (file:line)", where the line
// may be missing. What is not of that form is a name.
func frameOf(s string) profile.Frame {
	open := strings.LastIndex(s, " (")
	if open <= 0 || !strings.HasSuffix(s, ")") {
		return profile.Frame{Function: s}
	}
	file, line := s[open+2:len(s)-1], int64(0)
	if i := strings.LastIndexByte(file, ':'); i > 0 {
		if n, err := strconv.ParseInt(file[i+1:], 10, 32); err == nil && n >= 0 {
			file, line = file[:i], n
		}
	}
	if !strings.ContainsAny(file, "./\\<") { // "thread (0x7F)"
		return profile.Frame{Function: s}
	}
	return profile.Frame{Function: s[:open], File: file, Line: line}
}
