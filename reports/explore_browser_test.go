package reports

import (
	"context"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
)

// A box is a path of the script's flame graph where the browser put it, in
// shares of the graph's width.
type box struct {
	Text    string  `json:"text"`
	Label   string  `json:"label"`
	Class   string  `json:"class"`
	X       float64 `json:"x"`
	Width   float64 `json:"width"`
	Row     int     `json:"row"`
	Focused bool    `json:"focused"`
	Outline string  `json:"outline"`
	MidX    float64 `json:"mid_x"` // in the window, in pixels
	MidY    float64 `json:"mid_y"`
}

func (b box) name() string { n, _, _ := strings.Cut(b.Label, ": "); return n }

// boxes returns the boxes of a section's graph, row by row from the left.
func boxes(t *testing.T, ctx context.Context, id string) []box {
	t.Helper()
	out := evaluate[[]box](t, ctx, `(() => {
		const tree = document.querySelector("#`+id+` .tree"), at = tree.getBoundingClientRect();
		return [...tree.children].map(e => {
			const r = e.getBoundingClientRect();
			return {text: e.firstChild.textContent, label: e.title, class: e.className, x: (r.left - at.left) / at.width, width: r.width / at.width,
				row: Math.round((r.top - at.top) / 22), focused: document.activeElement === e, outline: getComputedStyle(e).outlineStyle, mid_x: r.left + r.width / 2, mid_y: r.top + r.height / 2};
		});
	})()`)
	slices.SortStableFunc(out, func(a, b box) int {
		if a.Row != b.Row {
			return a.Row - b.Row
		}
		return int(math.Copysign(1, a.X-b.X))
	})
	return out
}

// pick finds a box by its function's name.
func pick(t *testing.T, all []box, name string) box {
	t.Helper()
	for _, b := range all {
		if b.name() == name {
			return b
		}
	}
	t.Fatalf("no box of %s", name)
	return box{}
}

func focused(t *testing.T, all []box) box {
	t.Helper()
	for _, b := range all {
		if b.Focused {
			return b
		}
	}
	t.Fatal("no box has the focus")
	return box{}
}

// shownText returns the text of the first element that a selector finds.
func shownText(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	return evaluate[string](t, ctx, `document.querySelector("`+selector+`").textContent`)
}

// choose sets one of a section's selects as a user does.
func choose(t *testing.T, ctx context.Context, selector, option string) {
	t.Helper()
	if !evaluate[bool](t, ctx, `(() => {
		const s = document.querySelector("`+selector+`"), o = [...s.options].find(o => o.text === "`+option+`");
		if (!o) return false;
		s.value = o.value;
		s.dispatchEvent(new Event("change", {bubbles: true}));
		return true;
	})()`) {
		t.Fatalf("%s has no option %s", selector, option)
	}
}

func do(t *testing.T, ctx context.Context, what ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, what...); err != nil {
		t.Fatal(err)
	}
}

// perOpOf returns the time per op of each path of the first row, in
// nanoseconds.
func perOpOf(tree *profile.Node, ops int64) map[string]float64 {
	out := map[string]float64{}
	for _, c := range tree.Children {
		out[c.Name] += float64(c.Total) / float64(ops)
	}
	return out
}

// TestFlamesByHand goes through the flame graphs of a workload as a reader
// does, by mouse and by keyboard, and measures what the browser shows.
func TestFlamesByHand(t *testing.T) {
	ctx, seen := browser(t)
	res := withFlames(t, fixture(t, "three"))
	w := &res.Workloads[2] // fetch-then-resize
	address := openPage(t, ctx, res)
	const id, fetch, resize = "w3", "github.com/example/thumbs/internal/thumb.Fetch", "github.com/example/thumbs/internal/thumb.Resize"

	if n := evaluate[int](t, ctx, `[...document.querySelectorAll(".still")].filter(e => e.getClientRects().length).length`); n > 0 {
		t.Errorf("%d graphs that the script replaces are shown too", n)
	}
	choose(t, ctx, "#"+id+" .kind", "On-CPU")
	at := func(m model.Model, n int) (tree *profile.Node, ops int64) {
		f := profiled(w, m, n)
		return opTree(f.Set.CPU, "cpu"), f.Set.Ops
	}
	tree, _ := at(w.Recommendation.Model, w.Recommendation.Concurrency)
	all := boxes(t, ctx, id)
	for _, c := range tree.Children {
		if want := float64(c.Total) / float64(tree.Total); want > minFrame {
			if b := pick(t, all, c.Name); math.Abs(b.Width-want) > 0.002 || b.Row != 0 {
				t.Errorf("%s is %.3f wide in row %d, want %.3f in row 0", c.Name, b.Width, b.Row, want)
			}
		}
	}
	nested(t, all)

	t.Run("every model", func(t *testing.T) {
		for _, f := range profiledCells(w) {
			choose(t, ctx, "#"+id+" .a", setup(f.Cell.Model, f.Cell.Concurrency))
			tree := opTree(f.Set.CPU, "cpu")
			for name, want := range perOpOf(tree, f.Set.Ops) {
				want /= float64(tree.Total) / float64(f.Set.Ops)
				if b := pick(t, boxes(t, ctx, id), name); math.Abs(b.Width-want) > 0.002 {
					t.Errorf("%s: %s is %.3f wide, want %.3f", f.Cell.Model, name, b.Width, want)
				}
			}
		}
		choose(t, ctx, "#"+id+" .a", setup(w.Recommendation.Model, w.Recommendation.Concurrency))
	})

	t.Run("zoom by mouse", func(t *testing.T) {
		scrollTo(t, ctx, id)
		b := pick(t, boxes(t, ctx, id), "image/jpeg.Decode")
		do(t, ctx, chromedp.MouseClickXY(b.MidX, b.MidY))
		all := boxes(t, ctx, id)
		if b := pick(t, all, "image/jpeg.Decode"); b.Width < 0.999 || !b.Focused {
			t.Errorf("the box that was clicked is %.3f wide, focused %v", b.Width, b.Focused)
		}
		if b := pick(t, all, resize); b.Width < 0.999 || !strings.Contains(b.Class, "above") {
			t.Errorf("its caller is %.3f wide, of class %s", b.Width, b.Class)
		}
		for _, b := range all {
			if strings.HasPrefix(b.name(), "image/png") {
				t.Errorf("%s is shown beside it", b.name())
			}
		}
		nested(t, all)
		do(t, ctx, chromedp.Click("#"+id+" .out"))
		if b := pick(t, boxes(t, ctx, id), "image/jpeg.Decode"); b.Width > 0.9 {
			t.Errorf("after Whole graph it is %.3f wide", b.Width)
		}
	})

	t.Run("zoom by keyboard", func(t *testing.T) {
		evaluate[bool](t, ctx, `(document.querySelector("#`+id+` .tree [tabindex='0']").focus(), true)`)
		do(t, ctx, chromedp.KeyEvent(kb.Home))
		first := focused(t, boxes(t, ctx, id))
		if first.Row != 0 || first.Outline != "solid" {
			t.Errorf("Home goes to row %d, outline %s", first.Row, first.Outline)
		}
		do(t, ctx, chromedp.KeyEvent(kb.ArrowDown))
		if b := focused(t, boxes(t, ctx, id)); b.Row != 1 {
			t.Errorf("down goes to row %d", b.Row)
		}
		do(t, ctx, chromedp.KeyEvent(kb.ArrowRight))
		second := focused(t, boxes(t, ctx, id))
		if second.Row != 1 || second.X <= first.X {
			t.Errorf("right goes to row %d at %.3f", second.Row, second.X)
		}
		do(t, ctx, chromedp.KeyEvent(kb.Enter))
		if b := focused(t, boxes(t, ctx, id)); b.name() != second.name() || b.Width < 0.999 {
			t.Errorf("Enter on %s: %s is %.3f wide", second.name(), b.name(), b.Width)
		}
		do(t, ctx, chromedp.KeyEvent(kb.ArrowUp))
		if b := focused(t, boxes(t, ctx, id)); b.Row != 0 {
			t.Errorf("up goes to row %d", b.Row)
		}
		do(t, ctx, chromedp.KeyEvent(kb.Escape))
		if b := pick(t, boxes(t, ctx, id), second.name()); math.Abs(b.Width-second.Width) > 0.001 || !b.Focused {
			t.Errorf("after Escape it is %.3f wide, want %.3f, focused %v", b.Width, second.Width, b.Focused)
		}
	})

	t.Run("search", func(t *testing.T) {
		do(t, ctx, chromedp.SendKeys("#"+id+" .find", "PNG"))
		tree, ops := at(w.Recommendation.Model, w.Recommendation.Concurrency)
		var ns int64
		var walk func(*profile.Node)
		walk = func(n *profile.Node) {
			if strings.Contains(n.Name, "png") {
				ns += n.Total
				return
			}
			for _, c := range n.Children {
				walk(c)
			}
		}
		walk(tree)
		want := percent(float64(ns)/float64(tree.Total)) + " of "
		per := duration(float64(ns)/float64(ops)) + " per op"
		if got := shownText(t, ctx, "#"+id+" .found"); !strings.Contains(got, per) || !strings.Contains(got, strings.SplitN(want, ".", 2)[0]) {
			t.Errorf("found %q, want %s(%s)", got, want, per)
		}
		for _, b := range boxes(t, ctx, id) {
			if hit := strings.Contains(b.Class, "hit"); hit != strings.Contains(b.name(), "png") {
				t.Errorf("%s is of class %s", b.name(), b.Class)
			}
		}
		do(t, ctx, chromedp.SendKeys("#"+id+" .find", kb.Escape))
		if got := shownText(t, ctx, "#"+id+" .found"); got != "" {
			t.Errorf("after Escape it still says %q", got)
		}
	})

	t.Run("difference", func(t *testing.T) {
		choose(t, ctx, "#"+id+" .b", "sequential")
		tree, ops := at(w.Recommendation.Model, w.Recommendation.Concurrency)
		base, baseOps := at(model.Sequential, 1)
		a, b := perOpOf(tree, ops), perOpOf(base, baseOps)
		whole := float64(tree.Total)/float64(ops) + float64(base.Total)/float64(baseOps)
		all := boxes(t, ctx, id)
		for _, name := range []string{fetch, resize} {
			got := pick(t, all, name)
			if want := (a[name] + b[name]) / whole; math.Abs(got.Width-want) > 0.002 {
				t.Errorf("%s is %.3f wide, want %.3f", name, got.Width, want)
			}
			sign := "+"
			if a[name] < b[name] {
				sign = "−"
			}
			if !strings.Contains(got.Label, duration(a[name])+" against "+duration(b[name])+" per op, "+sign) {
				t.Errorf("%s: %s; want %s against %s, %s", name, got.Label, duration(a[name]), duration(b[name]), sign)
			}
		}
		for _, b := range all {
			if strings.Contains(b.Label, "only here") && !strings.Contains(b.Class, "longer") || strings.Contains(b.Label, "only there") && !strings.Contains(b.Class, "shorter") {
				t.Errorf("%s is of class %s", b.Label, b.Class)
			}
		}
		if got := shownText(t, ctx, "#"+id+" .most"); !strings.Contains(got, "+") {
			t.Errorf("no difference is listed: %q", got)
		}
		nested(t, all)
	})

	t.Run("withheld", func(t *testing.T) {
		choose(t, ctx, "#"+id+" .b", "nothing")
		choose(t, ctx, "#"+id+" .kind", "Off-CPU")
		f := profiled(w, model.Processes, 0)
		choose(t, ctx, "#"+id+" .a", setup(f.Cell.Model, f.Cell.Concurrency))
		if got := shownText(t, ctx, "#"+id+" .told"); !strings.Contains(got, f.Set.Problem) {
			t.Errorf("it does not say why nothing is drawn: %q", got)
		}
		if n := len(boxes(t, ctx, id)); n > 0 {
			t.Errorf("%d boxes of what was withheld", n)
		}
		choose(t, ctx, "#"+id+" .a", "sequential")
		choose(t, ctx, "#"+id+" .b", setup(f.Cell.Model, f.Cell.Concurrency))
		for _, b := range boxes(t, ctx, id) {
			if strings.Contains(b.Label, "only") || strings.Contains(b.Label, "against") {
				t.Errorf("a difference to what was withheld: %s", b.Label)
			}
		}
		if got := shownText(t, ctx, "#"+id+" .told"); !strings.Contains(got, f.Set.Problem) || !strings.Contains(got, "no difference") {
			t.Errorf("it does not say why no difference is drawn: %q", got)
		}
	})
	if events := seen.unexpected(address); len(events) > 0 {
		t.Errorf("the page did something: %s", strings.Join(events, "; "))
	}
}

// nested finds every box of a row within one of the row above.
func nested(t *testing.T, all []box) {
	t.Helper()
	for _, b := range all {
		held := b.Row == 0
		for _, a := range all {
			held = held || a.Row == b.Row-1 && b.X >= a.X-0.001 && b.X+b.Width <= a.X+a.Width+0.001
		}
		if !held {
			t.Errorf("%s stands on no caller, at %.4f, %.4f wide, row %d", b.name(), b.X, b.Width, b.Row)
		}
	}
}

// openPage renders a result and opens it with scripts, in a window of a
// laptop.
func openPage(t *testing.T, ctx context.Context, res *analyzer.Result) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, render(t, HTML, res, Options{}), 0o644); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: file}).String()
	scripts(t, ctx, true)
	look(t, ctx, "light", 1400, address)
	return address
}

func scrollTo(t *testing.T, ctx context.Context, id string) {
	t.Helper()
	evaluate[bool](t, ctx, `(document.querySelector("#`+id+` .tree").scrollIntoView({block: "center"}), true)`)
}
