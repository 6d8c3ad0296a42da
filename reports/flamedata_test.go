package reports

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
)

// dataOf returns the JSON that a page's script reads.
func dataOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="flames">`)
	if !ok {
		t.Fatal("the page has no data")
	}
	data, _, _ := strings.Cut(rest, "</script>")
	return data
}

// profiledAs returns a result whose one workload has the stacks as its CPU
// profile.
func profiledAs(folded ...string) *analyzer.Result {
	w := analyzer.Workload{Name: "w"}
	for _, m := range []model.Model{model.Sequential, model.Pool} {
		w.Flames = append(w.Flames, analyzer.Flame{
			Cell: plan.Cell{Workload: "w", Model: m, Concurrency: 1},
			Set:  &profile.Set{CPU: stacks("cpu", folded), Ops: 100},
		})
	}
	return &analyzer.Result{Workloads: []analyzer.Workload{w}}
}

// TestFlameDataIsText holds hostile function names to text within the page's
// data: whole JSON, no markup, no control character.
func TestFlameDataIsText(t *testing.T) {
	names := []string{"</script><script>alert(1)</script>", "<!--<script>", "a\u2028b\u2029c", "\x1b]0;owned\x07", "\xff\xfe", "a\tb\tc", `"];alert(1)//`, strings.Repeat("long", 1000)}
	page := string(render(t, HTML, profiledAs(strings.Join(names, ",")+" 10", names[0]+" 10", strings.Join(names[1:4], "|")+" 10"), Options{}))
	raw := dataOf(t, page)
	if i := strings.IndexAny(raw, "<>\u2028\u2029\x00\x1b\t"); i >= 0 {
		t.Errorf("a character that is not text at %q", raw[max(i-20, 0):min(i+20, len(raw))])
	}
	var d flameData
	if err := json.Unmarshal([]byte(raw), &d); err != nil {
		t.Fatal(err)
	}
	for _, n := range d.Names {
		if strings.Count(n, "\t") != 2 || len(n) > 700 {
			t.Errorf("the entry %q", n)
		}
	}
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("%d scripts, want the data and the page's own", n)
	}
}

// TestFlameDataBounds renders profiles that are wide, deep, or both, and finds
// the largest boxes of them and the page within its bytes.
func TestFlameDataBounds(t *testing.T) {
	var wide []string
	for i := range 5000 {
		wide = append(wide, fmt.Sprintf("main.f%d;main.g%d %d", i, i, 1+i/10))
	}
	deep := strings.Repeat("main.down;", 500) + "main.end 100"
	var long []string
	for i := range 200 {
		long = append(long, fmt.Sprintf("example.com/%s/f%d.%s 10", strings.Repeat("long", 30), i, strings.Repeat("Longer", 30)))
	}
	for name, folded := range map[string][]string{"wide": wide, "deep": {deep}, "both": append(wide, deep), "long": long} {
		page := string(render(t, HTML, profiledAs(folded...), Options{}))
		if len(page) > 120_000 {
			t.Errorf("%s: %d bytes", name, len(page))
		}
		if n := drawnBytes(page); n > 20_000 || n < 200 {
			t.Errorf("%s: %d bytes of flame graphs", name, n)
		}
		var d flameData
		if err := json.Unmarshal([]byte(dataOf(t, page)), &d); err != nil {
			t.Fatal(err)
		}
		k := d.Workloads["w1"].Kinds[0]
		stride := 3 + len(d.Workloads["w1"].Cells)
		if n := len(k.Nodes) / stride; n > densities()[0].nodes || n == 0 && name == "deep" {
			t.Errorf("%s: %d boxes", name, n)
		}
		depth := -1
		for i := 0; i < len(k.Nodes); i += stride {
			if k.Nodes[i] > depth+1 || k.Nodes[i] >= maxDepth || k.Nodes[i+1] >= len(d.Names) {
				t.Fatalf("%s: node %d is at depth %d after %d", name, i/stride, k.Nodes[i], depth)
			}
			depth = k.Nodes[i]
		}
	}
}

// TestNoFlamesNoScript holds a page without profiles to no script at all, and
// its policy to none.
func TestNoFlamesNoScript(t *testing.T) {
	page := string(render(t, HTML, fixture(t, "io"), Options{}))
	if strings.Contains(page, "<script") || strings.Contains(page, "script-src") {
		t.Error("a page with nothing to draw has a script")
	}
}
