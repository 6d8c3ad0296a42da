package reports

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// checkPlanes compares where the points of throughput against CPU per op are
// with their numbers, and finds no label of the front on another.
func checkPlanes(t *testing.T, ctx context.Context, id string, w *analyzer.Workload) {
	t.Helper()
	type geometry struct {
		Width  float64     `json:"width"`
		Grid   []float64   `json:"grid"`
		Points []placed    `json:"points"`
		Labels [][]float64 `json:"labels"` // left, top, right, bottom
	}
	g := evaluate[geometry](t, ctx, `(() => {
		const f = document.querySelector("#`+id+`-cpu");
		if (!f) return {};
		const xy = f.querySelector(".xy");
		return {
			width: xy.getBoundingClientRect().width,
			grid: [...xy.querySelectorAll(".grid")].map(l => l.y1.baseVal.value),
			points: [...xy.querySelectorAll("use")].map(p => {
				const r = p.getBoundingClientRect(), at = xy.getBoundingClientRect();
				return {model: p.parentElement.getAttribute("class"), x: (r.left + r.right) / 2 - at.left, y: (r.top + r.bottom) / 2 - at.top};
			}),
			labels: [...xy.querySelectorAll("text")].map(t => { const r = t.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; }),
		};
	})()`)
	p, ok := drawPlane(w, id, costs()[0], anchors{}, true)
	if !ok {
		if len(g.Points) > 0 {
			t.Errorf("%s: a plane of fewer than %d cells", id, minCells)
		}
		return
	}
	top, highest := 0.0, 0.0
	for i := range w.Cells {
		if c := &w.Cells[i]; counted(c) {
			top, highest = max(top, c.OpsPerSec.Median), max(highest, c.CPUNsPerOp)
		}
	}
	ax, ay := newAxis(top, top, false, rate), newAxis(highest, highest, false, duration)
	i := 0
	for _, s := range p.Series {
		for _, c := range ordered(w) {
			if string(c.Model) != s.Model || !counted(c) {
				continue
			}
			if i >= len(g.Points) {
				t.Fatalf("%s: only %d points", id, len(g.Points))
			}
			at := g.Points[i]
			i++
			zero, high := g.Grid[0], g.Grid[len(g.Grid)-1]
			x := g.Width * (margin + (100-2*margin)*c.OpsPerSec.Median/ax.high) / 100
			y := zero + (high-zero)*c.CPUNsPerOp/ay.high
			if at.Model != "m-"+s.Model || math.Abs(at.X-x) > offCentre || math.Abs(at.Y-y) > offCentre {
				t.Errorf("%s: %s at %d stands at %.1f, %.1f, want %.1f, %.1f", id, c.Model, c.Concurrency, at.X, at.Y, x, y)
			}
		}
	}
	if i != len(g.Points) {
		t.Errorf("%s: %d points for %d cells", id, len(g.Points), i)
	}
	for i, a := range g.Labels {
		for _, b := range g.Labels[:i] {
			// Digits are lower than the boxes that they stand in.
			if a[0] < b[2] && b[0] < a[2] && a[1]+3 < b[3]-3 && b[1]+3 < a[3]-3 {
				t.Errorf("%s: two labels of the front overlap at %.0f, %.0f", id, a[0], a[1])
			}
		}
	}
}

// TestPlanesInBrowser looks at planes of many cells, at the width of a phone
// and of a wide screen.
func TestPlanesInBrowser(t *testing.T) {
	ctx, _ := browser(t)
	res := fixture(t, "three")
	crowd := &res.Workloads[1]
	crowd.Cells = nil
	for i, m := range model.All() {
		for k, n := range []int{1, 2, 4, 8} {
			if m == model.Sequential && n > 1 {
				continue
			}
			crowd.Cells = append(crowd.Cells, costly(m, n, 100+float64(20*k+i), 1e6*(1+0.02*float64(20*k+i))))
		}
	}
	address := openPage(t, ctx, res)
	for _, width := range []int64{400, 1400} {
		look(t, ctx, "light", width, address)
		for i := range res.Workloads {
			checkPlanes(t, ctx, fmt.Sprintf("w%d", i+1), &res.Workloads[i])
		}
	}
}

// TestPrinted finds on paper the flame graphs that need no script, no control,
// and no code that is cut off.
func TestPrinted(t *testing.T) {
	ctx, _ := browser(t)
	openPage(t, ctx, withFlames(t, fixture(t, "lock")))
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(700, 1000)); err != nil { // A4 less its margins
		t.Fatal(err)
	}
	for what, script := range map[string]string{
		"controls on paper":        `[...document.querySelectorAll(".explore, select, input")].filter(e => e.getClientRects().length).map(e => e.tagName)`,
		"flame graphs not printed": `[...document.querySelectorAll("figure.flame")].filter(e => e.getBoundingClientRect().height < 30).map(e => e.id)`,
		"code cut off":             `[...document.querySelectorAll("pre, .scroll")].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.tagName + " " + e.className + " " + e.textContent.slice(0, 40))`,
	} {
		if bad := evaluate[[]string](t, ctx, script); len(bad) > 0 {
			t.Errorf("%s: %s", what, strings.Join(bad, "; "))
		}
	}
	if n := evaluate[int](t, ctx, `document.querySelectorAll("figure.flame").length`); n < 4 {
		t.Errorf("%d flame graphs, want those of the recommended cell and of the baseline", n)
	}
}
