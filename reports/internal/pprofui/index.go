package pprofui

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"
)

//go:embed index.html
var indexSource string

var indexTemplate = template.Must(template.New("index").Funcs(template.FuncMap{
	"link": link, "kinds": Kinds, "has": has, "explain": explain, "both": both, "perop": perOp, "change": change,
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

// Each returns the workloads of s, and Each of a workload its cells, as the
// page walks over them: by reference.
func (s *Site) Each() []*Workload { return references(s.Workloads) }

// Each returns the cells of w.
func (w *Workload) Each() []*Cell { return references(w.Cells) }

func references[T any](values []T) []*T {
	all := make([]*T, len(values))
	for i := range values {
		all[i] = &values[i]
	}
	return all
}

// has reports whether a cell has a profile of a kind.
func has(c *Cell, k Kind) bool { return c.Profiles[k] != nil }

// Comparable returns the cells of w that have a profile of a kind to compare,
// none if there are not two of them.
func (w *Workload) Comparable(k Kind) []*Cell {
	var cells []*Cell
	for i := range w.Cells {
		if c := &w.Cells[i]; c.PerOp[k] != nil {
			cells = append(cells, c)
		}
	}
	if len(cells) < 2 {
		return nil
	}
	return cells
}

// A Pair is one cell in two runs.
type Pair struct {
	Title      string
	Base, Head *Cell
}

// Pairs returns the cells of w that two runs have, in the order of the second.
func (s *Site) Pairs(w *Workload) []Pair {
	if len(s.Runs) != 2 {
		return nil
	}
	var pairs []Pair
	for i := range w.Cells {
		head := &w.Cells[i]
		if head.Run != s.Runs[1] {
			continue
		}
		for j := range w.Cells {
			if base := &w.Cells[j]; base.Run == s.Runs[0] && base.Name == head.Name {
				pairs = append(pairs, Pair{head.Title, base, head})
			}
		}
	}
	return pairs
}

// Only returns the label of the run that alone has cells of w, "" if both have.
func (s *Site) Only(w *Workload) string {
	if len(s.Runs) != 2 {
		return ""
	}
	for _, c := range w.Cells {
		if c.Run != w.Cells[0].Run {
			return ""
		}
	}
	return w.Cells[0].Run
}

// both reports whether two cells have a profile of a kind to compare.
func both(a, b *Cell, k Kind) bool { return a.PerOp[k] != nil && b.PerOp[k] != nil }

// perOp returns the time of a kind that an op of a cell took, "" if that is
// not known or no time.
func perOp(c *Cell, k Kind) string {
	ns, ok := total(c.PerOp[k])
	if !ok {
		return ""
	}
	return amount(ns)
}

// change returns by how much the time an op of c took differs from that of
// base, with its sign.
func change(c, base *Cell, k Kind) string {
	a, known := total(c.PerOp[k])
	b, alsoKnown := total(base.PerOp[k])
	switch {
	case !known || !alsoKnown:
		return "difference"
	case a >= b:
		return "+" + amount(a-b)
	}
	return "\u2212" + amount(b-a) // a minus as wide as the plus
}

// total sums a profile of times over its samples, by the sample type that
// pprof shows first.
func total(p *profile.Profile) (ns int64, ok bool) {
	if p == nil || len(p.SampleType) == 0 {
		return 0, false
	}
	at := len(p.SampleType) - 1 // pprof's own choice
	for i, t := range p.SampleType {
		if t.Type == p.DefaultSampleType {
			at = i
		}
	}
	if p.SampleType[at].Unit != "nanoseconds" {
		return 0, false
	}
	for _, s := range p.Sample {
		ns += s.Value[at]
	}
	return ns, true
}

// amount is a time with three digits and its unit.
func amount(ns int64) string {
	v, unit := float64(ns), "ns"
	for _, u := range []string{"µs", "ms", "s"} {
		if v < 1000 {
			break
		}
		v, unit = v/1000, u
	}
	if unit == "ns" {
		return fmt.Sprintf("%d ns", ns)
	}
	digits := 2
	if v >= 100 {
		digits = 0
	} else if v >= 10 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + unit
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
