package profile

import (
	"cmp"
	"slices"

	"github.com/google/pprof/profile"
)

// Rest is the name of the node that stands for those which Prune cut off.
const Rest = "(rest)"

// A Node is a function in a flame graph: a call path from the root, not a
// function as such.
type Node struct {
	Name string
	File string
	// Line is the line at which most of the node's time was spent, or from
	// which most of it was called onwards; 0 if unknown.
	Line     int
	Self     int64 // in this function itself
	Total    int64 // with all that it called; Self plus the children's Total
	Children []*Node
}

// Tree returns the call tree of one sample type of p, nil if p is nil or has
// no such type. The root is a node without a name; children are sorted by
// time, the largest first.
func Tree(p *profile.Profile, sampleType string) *Node {
	if p == nil {
		return nil
	}
	col := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == sampleType })
	if col < 0 {
		return nil
	}
	type key struct {
		parent *Node
		name   string
		file   string
	}
	root := &Node{}
	nodes := map[key]*Node{}
	lines := map[*Node]map[int64]int64{}
	var buf []Frame
	for _, s := range p.Sample {
		v := s.Value[col]
		if v == 0 {
			continue
		}
		buf = stack(s, buf)
		at := root
		at.Total += v
		for i := len(buf) - 1; i >= 0; i-- {
			f := buf[i]
			k := key{at, f.Function, f.File}
			n := nodes[k]
			if n == nil {
				n = &Node{Name: f.Function, File: f.File}
				nodes[k], lines[n] = n, map[int64]int64{}
				at.Children = append(at.Children, n)
			}
			n.Total += v
			lines[n][f.Line] += v
			at = n
		}
		at.Self += v
	}
	for n, at := range lines {
		n.Line = heaviest(at)
	}
	root.sort()
	return root
}

// heaviest returns the line with the most time, of equals the first.
func heaviest(lines map[int64]int64) int {
	var line, most int64
	for l, v := range lines {
		if v > most || v == most && l < line {
			line, most = l, v
		}
	}
	return int(line)
}

func (n *Node) sort() {
	slices.SortFunc(n.Children, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Name, b.Name), cmp.Compare(a.File, b.File))
	})
	for _, c := range n.Children {
		c.sort()
	}
}

// Prune returns a copy of the tree without the nodes that hold less than
// minShare of the root's total, and with at most maxNodes nodes beside the
// root: the largest ones, of equals those nearer to the root. 0 for maxNodes
// means no bound. What is cut off below a node is kept as one child of it
// called Rest (these are not counted), so every total stays what it was. n may
// be nil.
func (n *Node) Prune(minShare float64, maxNodes int) *Node {
	if n == nil {
		return nil
	}
	type candidate struct {
		node  *Node
		depth int
	}
	var candidates []candidate
	least := max(int64(minShare*float64(n.Total)), 1)
	var walk func(n *Node, depth int)
	walk = func(n *Node, depth int) {
		for _, c := range n.Children {
			if c.Total >= least {
				candidates = append(candidates, candidate{c, depth})
				walk(c, depth+1)
			}
		}
	}
	walk(n, 1)
	if maxNodes > 0 && len(candidates) > maxNodes {
		// A child holds no more than its parent and is deeper, so a node is
		// never kept without its parent.
		slices.SortStableFunc(candidates, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(b.node.Total, a.node.Total), cmp.Compare(a.depth, b.depth))
		})
		candidates = candidates[:maxNodes]
	}
	keep := make(map[*Node]bool, len(candidates))
	for _, c := range candidates {
		keep[c.node] = true
	}
	return n.prune(keep)
}

func (n *Node) prune(keep map[*Node]bool) *Node {
	m := *n
	m.Children = nil
	rest := &Node{Name: Rest}
	for _, c := range n.Children {
		if keep[c] {
			m.Children = append(m.Children, c.prune(keep))
		} else {
			rest.Self += c.Total
			rest.Total += c.Total
		}
	}
	if rest.Total > 0 {
		m.Children = append(m.Children, rest)
	}
	return &m
}
