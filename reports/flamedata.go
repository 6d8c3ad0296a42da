package reports

import (
	"cmp"
	"math"
	"slices"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/record"
)

// flameData is what the page's script draws the flame graphs of all profiled
// cells from. Names are shared by all workloads, which call much the same
// functions of the library.
type flameData struct {
	// Names are the style class of a function, its name and its file, with a
	// tab between them: plain text holds no tab.
	Names []string `json:"names"`
	// Workloads has the flames of each section of the page by its ID.
	Workloads map[string]*flameCells `json:"workloads"`

	index map[string]int
}

// flameCells are the flames of one workload.
type flameCells struct {
	Cells []string     `json:"cells"` // "pool with 16 workers"
	Kinds []*flameKind `json:"kinds"`
}

// A flameKind holds the trees of all cells as one tree, so that a path is the
// same node in each of them and a difference of two is exact: what is too small
// to be drawn was cut off in all of them or in none.
type flameKind struct {
	ID   string `json:"id"` // "on" or "off"
	Name string `json:"name"`
	// PerOp is the time of one op in each cell, in nanoseconds; 0 where the
	// cell has no such profile, and then Why says why.
	PerOp []float64 `json:"per_op"`
	Why   []string  `json:"why"`
	// Nodes are the nodes in preorder. Each takes 3 numbers: its depth, the
	// first row being 0, its name's index, its line; then one for each cell,
	// its share of the cell's time in units of 1/shareUnit.
	Nodes []int `json:"nodes"`
}

// shareUnit is the precision of shares in the page's data: three digits of the
// least share that is drawn.
const shareUnit = 1_000_000

// maxCells is how many profiled cells of a workload the script gets: each
// model has one, and the baseline and the winner may have more.
const maxCells = 12

// newFlameData returns data without any flame.
func newFlameData() *flameData {
	return &flameData{Names: []string{}, Workloads: map[string]*flameCells{}, index: map[string]int{}}
}

// name returns the index of a function's entry among the names.
func (d *flameData) name(function, file string) int {
	entry := frameClass(function, file) + "\t" + short(function, 120) + "\t"
	if file != "" {
		entry += short(tail(file), 60)
	}
	i, known := d.index[entry]
	if !known {
		i = len(d.Names)
		d.index[entry] = i
		d.Names = append(d.Names, entry)
	}
	return i
}

// add adds the flames of a workload, with at most nodes boxes for each kind,
// and returns them; nil where nothing was profiled.
func (d *flameData) add(id string, w *analyzer.Workload, nodes int) *flameCells {
	flames := profiledCells(w)
	all := &flameCells{}
	for _, f := range flames {
		all.Cells = append(all.Cells, plain(setup(f.Cell.Model, f.Cell.Concurrency)))
	}
	for _, k := range flameKinds() {
		kind := &flameKind{ID: k.id, Name: k.name, PerOp: make([]float64, len(flames)), Why: make([]string, len(flames))}
		root := &joint{}
		drawn := false
		for i, f := range flames {
			tree := opTree(k.of(f.Set), k.sampleType)
			if tree == nil || tree.Total <= 0 {
				kind.Why[i] = plain(cmp.Or(f.Set.Problem, "it shows no such time"))
				continue
			}
			drawn = true
			kind.PerOp[i] = float64(tree.Total) / float64(max(f.Set.Ops, 1))
			root.join(tree, float64(tree.Total), i, len(flames), 0)
		}
		if !drawn {
			continue
		}
		root.sort()
		root.encode(root.largest(nodes), -1, d, kind)
		all.Kinds = append(all.Kinds, kind)
	}
	if len(all.Kinds) == 0 {
		return nil
	}
	d.Workloads[id] = all
	return all
}

// profiledCells returns the flames that have profiles, in the order of
// reports.
func profiledCells(w *analyzer.Workload) []*analyzer.Flame {
	var out []*analyzer.Flame
	for i := range w.Flames {
		if f := &w.Flames[i]; f.Set != nil {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b *analyzer.Flame) int {
		return cmp.Or(a.Cell.Model.Rank()-b.Cell.Model.Rank(), strings.Compare(string(a.Cell.Model), string(b.Cell.Model)), a.Cell.Concurrency-b.Cell.Concurrency)
	})
	return out[:min(len(out), maxCells)]
}

// A joint is a call path in the trees of several cells.
type joint struct {
	name, file string
	line       int
	shares     []float64 // of each cell's time
	most       float64   // the largest of them
	children   []*joint
	known      map[[2]string]*joint // the children by name and file
}

// join adds the tree of cell i of n. Paths deeper than maxDepth rows end there.
func (j *joint) join(tree *profile.Node, total float64, i, n, depth int) {
	if depth == maxDepth {
		return
	}
	for _, c := range tree.Children {
		k := [2]string{c.Name, c.File}
		x := j.known[k]
		if x == nil {
			if j.known == nil {
				j.known = make(map[[2]string]*joint)
			}
			x = &joint{name: c.Name, file: c.File, shares: make([]float64, n)}
			j.known[k] = x
			j.children = append(j.children, x)
		}
		x.shares[i] = float64(c.Total) / total
		// The line is that of the cell in which the path weighs most.
		if x.shares[i] > x.most {
			x.most, x.line = x.shares[i], c.Line
		}
		x.join(c, total, i, n, depth+1)
	}
}

// sort puts the children with the most time in all cells together first, the
// same order for every model, so that a path stays where it is from one model
// to the next.
func (j *joint) sort() {
	sum := func(x *joint) float64 {
		s := 0.0
		for _, v := range x.shares {
			s += v
		}
		return s
	}
	slices.SortFunc(j.children, func(a, b *joint) int {
		return cmp.Or(cmp.Compare(sum(b), sum(a)), cmp.Compare(a.name, b.name), cmp.Compare(a.file, b.file))
	})
	for _, c := range j.children {
		c.sort()
	}
}

// largest returns the n paths with the largest share in any cell, of equals
// those nearer to the root. A child holds no more than its parent in any cell,
// so no path is kept without the one above it.
func (j *joint) largest(n int) map[*joint]bool {
	type candidate struct {
		*joint
		depth int
	}
	var all []candidate
	var walk func(j *joint, depth int)
	walk = func(j *joint, depth int) {
		for _, c := range j.children {
			if c.most >= minFrame {
				all = append(all, candidate{c, depth})
				walk(c, depth+1)
			}
		}
	}
	walk(j, 0)
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.most, a.most), cmp.Compare(a.depth, b.depth))
	})
	keep := make(map[*joint]bool, len(all))
	for _, c := range all[:min(len(all), n)] {
		keep[c.joint] = true
	}
	return keep
}

// encode appends the kept nodes in preorder.
func (j *joint) encode(keep map[*joint]bool, depth int, d *flameData, to *flameKind) {
	if depth >= 0 {
		to.Nodes = append(to.Nodes, depth, d.name(j.name, j.file), j.line)
		for _, v := range j.shares {
			to.Nodes = append(to.Nodes, int(math.Round(v*shareUnit)))
		}
	}
	for _, c := range j.children {
		if keep[c] {
			c.encode(keep, depth+1, d, to)
		}
	}
}

// exploreView are the controls of one workload's flame graphs. The page hides
// them until its script runs.
type exploreView struct {
	ID    string
	Cells []optionView
	Kinds []optionView
}

// An optionView is an entry of a select.
type optionView struct {
	Value    int
	Text     string
	Selected bool
}

// explore returns the controls for the flames of a workload.
func explore(id string, w *analyzer.Workload, f *flameCells) *exploreView {
	v := &exploreView{ID: id}
	first := chosen(w)
	for i, c := range profiledCells(w) {
		v.Cells = append(v.Cells, optionView{i, f.Cells[i], c == first})
	}
	longest := 0 // the kind of time that the chosen cell has most of
	for i, k := range f.Kinds {
		for c := range v.Cells {
			if v.Cells[c].Selected && k.PerOp[c] > f.Kinds[longest].PerOp[c] {
				longest = i
			}
		}
		v.Kinds = append(v.Kinds, optionView{i, k.Name, false})
	}
	v.Kinds[longest].Selected = true
	return v
}

// A timeKind is a kind of time that flame graphs show.
type timeKind struct {
	id, name, sampleType string
	of                   func(*profile.Set) *pprof.Profile
}

func flameKinds() []timeKind {
	return []timeKind{
		{"on", "On-CPU", string(record.CPUProfile), func(s *profile.Set) *pprof.Profile { return s.CPU }},
		{"off", "Off-CPU", string(record.OffCPUProfile), func(s *profile.Set) *pprof.Profile { return s.OffCPU }},
	}
}

// opTree returns the call tree of a profile below the frame that every op
// starts in, which says nothing; nil if there is none.
func opTree(p *pprof.Profile, sampleType string) *profile.Node {
	tree := profile.Tree(unwrapped(p), sampleType)
	if tree != nil && len(tree.Children) == 1 && profile.IsAnchor(tree.Children[0].Name) {
		return tree.Children[0]
	}
	return tree
}
