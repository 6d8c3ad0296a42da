package workload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

const (
	// MaxFileBytes bounds a workload file.
	MaxFileBytes = 1 << 20
	// maxDepth bounds the nesting of a file; the format itself needs 8.
	maxDepth = 32
	// maxValues bounds the values of a file; 100 workloads of 32 steps need
	// some 20,000.
	maxValues = 50_000
)

// readText checks the bytes of a file before any YAML is read: UTF-8, without
// control characters. It returns the text without a byte order mark, in
// lines, and whether it can be read at all.
func (l *faultList) readText(src []byte) ([]byte, bool) {
	if len(src) > MaxFileBytes {
		l.add(Fault{Message: fmt.Sprintf("the file has %d bytes; the most is %v", len(src), Size(MaxFileBytes))})
		return nil, false
	}
	if bytes.HasPrefix(src, []byte{0xff, 0xfe}) || bytes.HasPrefix(src, []byte{0xfe, 0xff}) {
		l.add(Fault{Message: "the file is UTF-16, not UTF-8", Hint: "save it as UTF-8"})
		return nil, false
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	l.lines = splitLines(strings.ToValidUTF8(string(src), "\ufffd"))
	line, column := 1, 1
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			l.add(Fault{Line: line, Column: column, Message: fmt.Sprintf("byte 0x%02x is not UTF-8", src[i]), Hint: "save the file as UTF-8"})
			return nil, false
		case r == 0:
			l.add(Fault{Line: line, Column: column, Message: "the file contains a NUL character", Hint: "a workload file is UTF-8 text"})
			return nil, false
		case r == '\n' || r == '\r' && (i+1 >= len(src) || src[i+1] != '\n'):
			line, column = line+1, 0
		case r < 0x20 && r != '\t' && r != '\r', r == 0x7f, r >= 0x80 && r < 0xa0, r == '\u2028', r == '\u2029':
			l.add(Fault{Line: line, Column: column, Message: fmt.Sprintf("the file contains the control character %U", r), Hint: `in double quotes it can be written as an escape, such as "\x1b"`})
			return nil, false
		}
		i, column = i+n, column+1
	}
	return src, true
}

func splitLines(s string) []string {
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), "\n")
}

// readYAML returns the file's one document, or false when there is none that
// could be checked further.
func (l *faultList) readYAML(src []byte) (*yaml.Node, bool) {
	tooDeep := errors.New("too deep")
	limits := loaderlimits.New(loaderlimits.DepthFunc(func(depth int, ctx *yaml.DepthContext) error {
		if depth > maxDepth {
			return tooDeep
		}
		return nil
	}))
	loader, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithPlugin(limits), yaml.WithUniqueKeys(false))
	if err != nil {
		l.add(Fault{Message: "cannot read YAML: " + err.Error()})
		return nil, false
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		l.noMapping(1, 1)
		return nil, false
	case err != nil:
		l.yamlError(err)
		return nil, false
	}
	if err := loader.Load(&second); err == nil {
		l.add(Fault{Line: second.Line, Column: second.Column, Message: "a second document begins here; one document per file", Hint: `put all workloads under one "workloads" key and remove the "---"`})
	} else if !errors.Is(err, io.EOF) {
		l.yamlError(err)
		return nil, false
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		l.noMapping(1, 1)
		return nil, false
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		l.noMapping(root.Line, root.Column)
		return nil, false
	}
	return root, true
}

func (l *faultList) noMapping(line, column int) {
	l.add(Fault{Line: line, Column: column, Message: `expected a mapping with "workloads"`, Hint: `"concprof init" writes a file to begin with`})
}

// yamlError tells a syntax error in the words of somebody who reads the file.
// A tab in the indentation is looked for first, because what YAML says of it
// helps nobody.
func (l *faultList) yamlError(err error) {
	tabs := 0
	for i, line := range l.lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if at := strings.IndexByte(indent, '\t'); at >= 0 && strings.TrimSpace(line) != "" {
			l.add(Fault{Line: i + 1, Column: at + 1, Message: "the line is indented with a tab", Hint: "YAML is indented with spaces"})
			tabs++
		}
	}
	if tabs > 0 {
		return
	}
	f := Fault{Message: err.Error()}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		f.Message, f.Line, f.Column = load.Message, load.Mark.Line, load.Mark.Column
		if strings.Contains(f.Message, "too deep") || strings.Contains(f.Message, "depth") {
			f.Message = fmt.Sprintf("nested more than %d deep", maxDepth)
		}
		if load.ContextMark.Line > 0 && f.Line > load.ContextMark.Line && l.blankFrom(f.Line) {
			// What is missing at the end of the file is told where it began.
			f.Line, f.Column = load.ContextMark.Line, load.ContextMark.Column
		}
	}
	f.Message, f.Hint = syntaxWords(f.Message)
	for f.Line = min(max(f.Line, 1), len(l.lines)); f.Line > 1 && l.blankFrom(f.Line); {
		f.Line--
		f.Column = utf8.RuneCountInString(l.lines[f.Line-1]) + 1
	}
	l.add(f)
}

// blankFrom reports whether nothing is written in the line and after it.
func (l *faultList) blankFrom(line int) bool {
	for _, text := range l.lines[min(max(line, 1), len(l.lines)+1)-1:] {
		if strings.TrimSpace(text) != "" {
			return false
		}
	}
	return true
}

// syntaxWords says in plain words what the YAML library's message means.
func syntaxWords(message string) (plain, hint string) {
	for _, w := range []struct{ has, plain, hint string }{
		{"nested more than", message, ""},
		{"mapping values are not allowed", `a ":" is not expected here`, "put text that contains \": \" in quotes, or begin a new line"},
		{"expected ',' or ']'", `the list is not closed with "]"`, ""},
		{"expected ',' or '}'", `the mapping is not closed with "}"`, ""},
		{"unexpected end of stream", "the quoted text does not end", "close the quotes"},
		{"did not find expected node content", "a value is missing here, or a bracket is not closed", ""},
		{"did not find expected key", "a key is expected here", "check the indentation of this line and the lines before"},
		{"did not find expected '-'", `an item that begins with "-" is expected here`, "check the indentation of this line and the lines before"},
		{"could not find expected ':'", `a ":" is missing`, `write "key: value"`},
		{"cannot start any token", "a value cannot begin with this character", "put the text in quotes"},
		{"incompatible YAML document", "the %YAML directive names another version", "remove the line"},
	} {
		if strings.Contains(message, w.has) {
			return w.plain, w.hint
		}
	}
	return "not YAML: " + printable(cut(message)), ""
}
