package reports

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
)

// A flameView is one flame graph, its root above.
type flameView struct {
	ID, Title, Desc string
	Kind            string // style class: "on" or "off"
	Total           string // time per op
	Height          int
	Frames          []frameView
	Top             []hotView
	// amount says what a box holds; nil means nanoseconds, told per op.
	amount func(int64) string
}

// A frameView is one box. X and Width are percentages, so that the graph is as
// wide as the page; its text is cut to what fits at flameWidth, and clipped by
// the box on narrower pages.
type frameView struct {
	X, Width string
	Y        int
	Class    string
	Text     string
	Title    string
}

// A hotView is a function and the time spent in itself, wherever it is called.
type hotView struct{ Name, Place, Share, Time string }

// Bounds of a flame graph: a box under minFrame of the width is narrower than
// 4 pixels on a wide page; maxDepth rows fill a screen. How many boxes there
// are at most is the page's density.
const (
	minFrame   = 0.004
	maxDepth   = 30
	rowHeight  = 19
	flameWidth = 1000 // pixels at which texts are cut
	glyphWidth = 6.2  // pixels of a character of a frame's text, on average
	hottest    = 5
	flameBytes = 9500 // of a graph's boxes: two graphs are less than 20 KB
	frameBytes = 125  // of a box without its words
)

// flames returns the graphs of on-CPU and off-CPU time of the recommended
// cell, of its model if that very cell was not profiled, else of the baseline;
// or why there is none. Beside them, where another model is recommended, come
// those of the baseline. No graph has more boxes than most.
func flames(w *analyzer.Workload, id string, most int) (main, base []flameView, problem string) {
	f := chosen(w)
	if f == nil {
		return nil, nil, ""
	}
	if b := profiled(w, model.Sequential, 1); b != nil && b != f {
		base = drawCell(b, id+"-base", most)
	}
	return drawCell(f, id, most), base, plain(f.Set.Problem)
}

// drawCell draws the graphs of one cell.
func drawCell(f *analyzer.Flame, id string, most int) []flameView {
	var out []flameView
	cell := setup(f.Cell.Model, f.Cell.Concurrency)
	for _, k := range flameKinds() {
		tree := opTree(k.of(f.Set), k.sampleType)
		if tree == nil || tree.Total <= 0 {
			continue
		}
		v := flameView{
			ID: id + "-" + k.id, Kind: k.id, Title: k.name + " time, " + cell,
			Total: duration(float64(tree.Total) / float64(max(f.Set.Ops, 1))),
		}
		v.Top = hot(tree, f.Set.Ops)
		v.draw(tree, f.Set.Ops, most)
		names := make([]string, 0, len(v.Top))
		for _, h := range v.Top {
			names = append(names, h.Name+" "+h.Share)
		}
		v.Desc = fmt.Sprintf("%s time of one op, %s, by call path. Most of it in %s.", k.name, v.Total, strings.Join(names, ", "))
		out = append(out, v)
	}
	return out
}

// profiled returns the profiles of a cell, or of its model's highest level if
// that very cell has none, or nil.
func profiled(w *analyzer.Workload, m model.Model, n int) *analyzer.Flame {
	var found *analyzer.Flame
	for i := range w.Flames {
		f := &w.Flames[i]
		if f.Set == nil || f.Cell.Model != m {
			continue
		}
		if f.Cell.Concurrency == n {
			return f
		}
		if found == nil || f.Cell.Concurrency > found.Cell.Concurrency {
			found = f
		}
	}
	return found
}

func chosen(w *analyzer.Workload) *analyzer.Flame {
	if r := w.Recommendation; r != nil {
		if f := profiled(w, r.Model, r.Concurrency); f != nil {
			return f
		}
	}
	return profiled(w, model.Sequential, 1)
}

// draw lays the tree out, with at most so many boxes, and fewer where their
// names are so long that it takes too many bytes.
func (v *flameView) draw(tree *profile.Node, ops int64, most int) {
	for v.lay(tree, ops, most); v.bytes() > flameBytes && most > 8; v.lay(tree, ops, most) {
		most = most * 3 / 4
	}
}

// bytes is about what the boxes take in the page.
func (v *flameView) bytes() int {
	n := 0
	for _, f := range v.Frames {
		n += frameBytes + len(f.Title) + len(f.Text)
	}
	return n
}

// lay lays the tree out. A call path's box is as wide as its share.
func (v *flameView) lay(tree *profile.Node, ops int64, most int) {
	v.Frames = nil
	total := float64(tree.Total)
	depth := 0
	var walk func(n *profile.Node, at int64, row int)
	walk = func(n *profile.Node, at int64, row int) {
		if row >= maxDepth {
			return
		}
		depth = max(depth, row+1)
		part := float64(n.Total) / total
		name := plain(n.Name)
		f := frameView{
			X: trimmed(100*float64(at)/total) + "%", Width: trimmed(100*part) + "%", Y: row * rowHeight,
			Class: frameClass(n.Name, n.File), Text: fitName(name, part*flameWidth-8),
			Title: short(name, 120) + ": " + duration(float64(n.Total)/float64(max(ops, 1))) + " per op, " + percent(part),
		}
		if v.amount != nil {
			f.Title = short(name, 120) + ": " + plain(v.amount(n.Total)) + ", " + percent(part)
		}
		if n.File != "" && n.Line > 0 {
			f.Title += "; " + short(place(analyzer.Limit{File: tail(n.File), Line: n.Line}), 60)
		}
		v.Frames = append(v.Frames, f)
		for _, c := range n.Children {
			// What was cut off is a gap: it has no name to show.
			if c.Name != profile.Rest {
				walk(c, at, row+1)
			}
			at += c.Total
		}
	}
	at := int64(0)
	for _, c := range tree.Prune(minFrame, most).Children {
		if c.Name != profile.Rest {
			walk(c, at, 0)
		}
		at += c.Total
	}
	v.Height = depth * rowHeight
}

func trimmed(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
}

// tail is a path's last two elements: enough to find a file, without the
// folders of the machine.
func tail(file string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	return path.Join(path.Base(path.Dir(file)), path.Base(file))
}

// frameClass sets the code that people can change apart from the library's
// and the runtime's.
func frameClass(name, file string) string {
	if f := (profile.Frame{Function: name, File: file}); profile.PythonFrame(f) {
		switch {
		case profile.UserCode(f):
			return "u"
		case profile.StandardPython(file), strings.HasPrefix(name, "<call> "):
			return "r"
		}
		return "s"
	}
	first, _, nested := strings.Cut(name, "/")
	if !nested {
		first, _, _ = strings.Cut(name, ".")
	}
	switch {
	case first == "main" || strings.Contains(first, "."):
		return "u"
	case first == "runtime" || first == "syscall" || strings.HasPrefix(name, "internal/"):
		return "r"
	}
	return "s"
}

// fitName shortens a function's name to a width in pixels: first without the
// folders of its package, then without the package, then cut; nothing where
// not even three characters fit.
func fitName(name string, width float64) string {
	n := int(width / glyphWidth)
	if n < 3 {
		return ""
	}
	if columns(name) <= n {
		return name
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	if columns(name) <= n {
		return name
	}
	if i := strings.IndexByte(name, '.'); i >= 0 && i < len(name)-1 {
		name = name[i+1:]
	}
	if columns(name) <= n {
		return name
	}
	return fit(name, n-1) + "…"
}

// hot returns the functions with the most time of their own.
func hot(tree *profile.Node, ops int64) []hotView {
	type key struct{ name, file string }
	self := map[key]int64{}
	line := map[key]*profile.Node{}
	var walk func(n *profile.Node)
	walk = func(n *profile.Node) {
		if n.Self > 0 {
			k := key{n.Name, n.File}
			self[k] += n.Self
			if l := line[k]; l == nil || n.Self > l.Self {
				line[k] = n
			}
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	for _, c := range tree.Children {
		walk(c)
	}
	keys := make([]key, 0, len(self))
	for k := range self {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(self[b], self[a]), cmp.Compare(a.name, b.name), cmp.Compare(a.file, b.file))
	})
	var out []hotView
	for i, k := range keys {
		if i == hottest {
			break
		}
		h := hotView{
			Name: short(k.name, 90), Share: share(float64(self[k]) / float64(tree.Total)),
			Time: duration(float64(self[k]) / float64(max(ops, 1))),
		}
		if k.file != "" && line[k].Line > 0 {
			h.Place = plain(place(analyzer.Limit{File: tail(k.file), Line: line[k].Line}))
		}
		out = append(out, h)
	}
	return out
}
