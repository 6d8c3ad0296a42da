package pyread

import (
	"io"
	"os"
	"strings"
)

// The bounds of source files that are read.
const (
	maxSourceBytes = 4 << 20
	maxSources     = 256
)

// sources are the source files that calls at leaves stand in, by name; nil
// lines for those that cannot be read. They are only read.
type sources map[string][]string

// lines returns the lines of a file.
func (s sources) lines(name string) []string {
	lines, ok := s[name]
	if !ok && len(s) < maxSources {
		lines = readLines(name)
		s[name] = lines
	}
	return lines
}

func readLines(name string) []string {
	if !strings.HasPrefix(name, "/") {
		return nil // "<string>", or relative to a directory that is not known
	}
	// A name that is no regular file, such as a pipe, must not be opened.
	if fi, err := os.Stat(name); err != nil || !fi.Mode().IsRegular() || fi.Size() > maxSourceBytes {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSourceBytes))
	if err != nil {
		return nil
	}
	return strings.Split(string(data), "\n")
}

// maxCallLines bounds the lines of a call that is looked at.
const maxCallLines = 50

// text returns what stands at a place in a file, "" if that is not known.
func (s sources) text(name string, at span) string {
	if at.line <= 0 || at.col < 0 || at.endCol < 0 || at.endLine < at.line || at.endLine-at.line > maxCallLines {
		return ""
	}
	lines := s.lines(name)
	if at.endLine > len(lines) {
		return ""
	}
	picked := lines[at.line-1 : at.endLine]
	last := picked[len(picked)-1]
	if at.endCol > len(last) || at.col > len(picked[0]) {
		return ""
	}
	if len(picked) == 1 {
		if at.col > at.endCol {
			return ""
		}
		return last[at.col:at.endCol]
	}
	var b strings.Builder
	b.WriteString(picked[0][at.col:])
	for _, line := range picked[1 : len(picked)-1] {
		b.WriteString("\n" + line)
	}
	b.WriteString("\n" + last[:at.endCol])
	return b.String()
}
