// Package reports tells people and programs what a run found: as text for a
// terminal, JSON, Markdown for a pull request, one self-contained HTML page,
// and Go's benchmark format.
//
// Every writer is a pure function of the Result and its Options: no clock, no
// file, no network. The same input gives the same bytes. Any byte that came
// from a workload, a profile or a path is text wherever it is shown; escape.go
// holds one function per kind of output.
package reports

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
)

// Format names a kind of report.
type Format string

// The formats.
const (
	Text     Format = "text"
	JSON     Format = "json"
	Markdown Format = "markdown"
	HTML     Format = "html"
	Benchfmt Format = "benchfmt"
)

// All returns every format, the one for people at a terminal first.
func All() []Format { return []Format{Text, JSON, Markdown, HTML, Benchfmt} }

// Parse returns the format of that name.
func Parse(s string) (Format, error) {
	names := make([]string, 0, len(All()))
	for _, f := range All() {
		if string(f) == s {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("unknown format %q: want one of %s", s, strings.Join(names, ", "))
}

// Extensions returns the file name extensions that stand for f, the usual one
// first.
func (f Format) Extensions() []string {
	switch f {
	case Text:
		return []string{".txt"}
	case JSON:
		return []string{".json"}
	case Markdown:
		return []string{".md", ".markdown"}
	case HTML:
		return []string{".html", ".htm"}
	case Benchfmt:
		return []string{".bench"}
	}
	return nil
}

// FromExtension returns the format that the extension of a file name stands
// for, whatever its case.
func FromExtension(name string) (Format, error) {
	ext := strings.ToLower(filepath.Ext(name))
	var known []string
	for _, f := range All() {
		for _, e := range f.Extensions() {
			if e == ext {
				return f, nil
			}
			known = append(known, e)
		}
	}
	return "", fmt.Errorf("no format for the extension of %q: want one of %s", name, strings.Join(known, ", "))
}

// Options say how a report is laid out. The zero value gives plain text of
// DefaultWidth columns.
type Options struct {
	// Width is the number of columns of the terminal; 0 means DefaultWidth.
	// Only text uses it.
	Width int
	// Color lets text use ANSI colours. The caller decides: a terminal, no
	// NO_COLOR, --color. No meaning is carried by colour alone.
	Color bool
	// Verbose shows every cell and the scaling fits where text otherwise
	// shows the best level of each model.
	Verbose bool
	// Against is what changed since the revision that the run was measured
	// against, nil if there is none.
	Against *compare.Comparison
}

// DefaultWidth is the number of columns when none is given, and MinWidth the
// least that text is laid out for.
const (
	DefaultWidth = 80
	MinWidth     = 40
)

func (o Options) width() int {
	switch {
	case o.Width <= 0:
		return DefaultWidth
	case o.Width < MinWidth:
		return MinWidth
	}
	return o.Width
}

// Write writes a report of res to w. An error is that of w, or tells of a
// number that the format has no text for, such as NaN in JSON; in the latter
// case nothing is written.
func Write(w io.Writer, format Format, res *analyzer.Result, o Options) error {
	if res == nil {
		return fmt.Errorf("no result to report")
	}
	var out []byte
	var err error
	switch format {
	case Text:
		out = text(res, o)
	case JSON:
		out, err = jsonDocument(res, o.Against)
	case Markdown:
		out = markdown(res, o.Against)
	case HTML:
		out, err = htmlPage(res, o.Against)
	case Benchfmt:
		out = benchmarks(res)
	default:
		_, err = Parse(string(format))
	}
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}
