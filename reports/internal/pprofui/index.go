package pprofui

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed index.html
var indexSource string

var indexTemplate = template.Must(template.New("index").Funcs(template.FuncMap{
	"link": link, "kinds": Kinds, "has": has, "explain": explain,
}).Parse(indexSource))

// serveIndex writes the list of profiles and differences.
func (s *Site) serveIndex(w http.ResponseWriter, _ *http.Request) {
	var page bytes.Buffer
	if err := indexTemplate.Execute(&page, s); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", indexPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page.Bytes())
}

// link joins parts of a path, each escaped, to the flame graph below them.
func link(parts ...any) string {
	var b strings.Builder
	for _, p := range append(parts, "flamegraph") {
		b.WriteByte('/')
		switch p := p.(type) {
		case string:
			b.WriteString(url.PathEscape(p))
		case Kind:
			b.WriteString(url.PathEscape(string(p)))
		}
	}
	return b.String()
}

// has reports whether a cell has a profile of a kind.
func has(c Cell, k Kind) bool { return c.Profiles[k] != nil }

// Comparable reports whether two cells of w have a profile of a kind.
func (w Workload) Comparable(k Kind) bool {
	n := 0
	for _, c := range w.Cells {
		if c.PerOp[k] != nil {
			n++
		}
	}
	return n > 1
}

// explain says what a kind of profile shows.
func explain(k Kind) string {
	switch k {
	case CPU:
		return "where ops computed (the CPU profile)"
	case Wall:
		return "where ops were, computing or waiting (fgprof)"
	case OffCPU:
		return "where ops waited: wall less CPU"
	case Merged:
		return "wall, cpu and offcpu in one; choose under Sample"
	}
	return ""
}
