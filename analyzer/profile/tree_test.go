package profile_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/analyzer/profile"
)

func TestTree(t *testing.T) {
	p := synthetic("cpu",
		line{"main.Op:1 main.a:10 main.b:5", 3, ""},
		line{"main.Op:2 main.a:11", 4, ""},
		line{"main.Op:2 main.c:7", 9, ""},
		line{"main.Op:3", 1, ""},
	)
	got := profile.Tree(p, "samples")
	want := &profile.Node{Total: 17, Children: []*profile.Node{
		{Name: "main.Op", File: "f.go", Line: 2, Self: 1, Total: 17, Children: []*profile.Node{
			{Name: "main.c", File: "f.go", Line: 7, Self: 9, Total: 9},
			{Name: "main.a", File: "f.go", Line: 11, Self: 4, Total: 7, Children: []*profile.Node{
				{Name: "main.b", File: "f.go", Line: 5, Self: 3, Total: 3},
			}},
		}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	pruned := got.Prune(0, 3)
	want.Children[0].Children[1].Children = []*profile.Node{{Name: profile.Rest, Self: 3, Total: 3}}
	if diff := cmp.Diff(want, pruned); diff != "" {
		t.Errorf("pruned to 3 nodes, -want +got:\n%s", diff)
	}
	if n := profile.Tree(p, "wall"); n != nil || n.Prune(0, 1) != nil {
		t.Error("a tree of a sample type that is not there")
	}
	if n := profile.Tree(nil, "cpu"); n != nil {
		t.Error("a tree of nothing")
	}
}

// size counts the nodes of a tree, the root and Rest not among them, and
// checks that its totals add up.
func size(t *testing.T, n *profile.Node, root bool) int {
	t.Helper()
	count, sum := 1, n.Self
	if root || n.Name == profile.Rest {
		count = 0
	}
	for _, c := range n.Children {
		count += size(t, c, false)
		sum += c.Total
	}
	if sum != n.Total {
		t.Errorf("%s: self and children sum to %d, total is %d", n.Name, sum, n.Total)
	}
	return count
}

func TestPruneKeepsTotals(t *testing.T) {
	set := profile.Derive(random(rand.New(rand.NewPCG(5, 6)), 3), "")
	full := profile.Tree(set.Merged, profile.TypeWall)
	all := size(t, full, true)
	for nodes := 1; nodes < all+2; nodes++ {
		n := full.Prune(0, nodes)
		if got := size(t, n, true); got != min(nodes, all) {
			t.Errorf("pruned to %d nodes: %d", nodes, got)
		}
		if n.Total != full.Total {
			t.Errorf("total %d became %d", full.Total, n.Total)
		}
	}
	for _, share := range []float64{0, 0.01, 0.1, 0.5, 1} {
		n := full.Prune(share, 0)
		if size(t, n, true); n.Total != full.Total {
			t.Errorf("total %d became %d", full.Total, n.Total)
		}
	}
}
