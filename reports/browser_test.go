package reports

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	pagecdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// TestPageInBrowser opens pages in a real browser, in both
// colour schemes and at the widths of a phone, a laptop and a wide screen.
func TestPageInBrowser(t *testing.T) {
	ctx, seen := browser(t)
	// The page called three holds the workloads of io, cpu and mixed.
	for _, name := range []string{"three", "lock", "undecided", "failed", "hostile"} {
		t.Run(name, func(t *testing.T) {
			res := withFlames(t, fixture(t, name))
			if name == "lock" {
				pilots(res)
			}
			file := filepath.Join(t.TempDir(), "report.html")
			if err := os.WriteFile(file, render(t, HTML, res, Options{}), 0o644); err != nil {
				t.Fatal(err)
			}
			address := (&url.URL{Scheme: "file", Path: file}).String()
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int64{400, 800, 1400} {
					seen.clear()
					// The narrow window runs no scripts.
					scripts(t, ctx, width > 400)
					look(t, ctx, scheme, width, address)
					if events := seen.unexpected(address); len(events) > 0 {
						t.Errorf("%s at %d: the page did something: %s", scheme, width, strings.Join(events, "; "))
					}
					if over := evaluate[int](t, ctx, `document.scrollingElement.scrollWidth - innerWidth`); over > 0 {
						t.Errorf("%s at %d: the page is %d pixels wider than the window", scheme, width, over)
					}
					if bad := evaluate[[]string](t, ctx, contrast); len(bad) > 0 {
						t.Errorf("%s at %d: contrast under 4.5:1: %s", scheme, width, strings.Join(bad, "; "))
					}
					if scheme != "light" {
						continue // colours move nothing
					}
					for i := range res.Workloads {
						id := fmt.Sprintf("w%d", i+1)
						checkBars(t, ctx, id, &res.Workloads[i])
						checkChart(t, ctx, id, &res.Workloads[i])
						if width == 400 {
							checkFlames(t, ctx, id, &res.Workloads[i])
						}
					}
				}
			}
		})
	}
}

// pilots takes the trials of the two lowest levels of every model but the
// baseline away, so that a pilot is all that is known of them.
func pilots(res *analyzer.Result) {
	for i := range res.Workloads {
		for j := range res.Workloads[i].Cells {
			if c := &res.Workloads[i].Cells[j]; c.Model != model.Sequential && c.Concurrency <= 2 && counted(c) {
				c.Pilot = c.OpsPerSec.Median
				c.Status, c.Trials, c.OpsPerSec = record.Eliminated, 0, analyzer.Quartile{}
			}
		}
	}
}

// checkBars measures the segments of the first bar, the op alone.
func checkBars(t *testing.T, ctx context.Context, id string, w *analyzer.Workload) {
	t.Helper()
	got := evaluate[[]float64](t, ctx, `(() => {
		const bar = document.querySelector("#`+id+` .bar > svg");
		const whole = bar.getBoundingClientRect().width;
		return [...bar.querySelectorAll(".part > rect:first-of-type")].map(r => r.getBoundingClientRect().width / whole);
	})()`)
	var want []float64
	for _, p := range portions(w) {
		if p.Share >= minPart {
			want = append(want, p.Share)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d segments, want %d", id, len(got), len(want))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 0.005 {
			t.Errorf("%s: segment %d is %.3f of the bar, want %.3f", id, i, got[i], want[i])
		}
	}
}

// placed is a point of a chart where the browser put it.
type placed struct {
	Model string  `json:"model"`
	Shift float64 `json:"shift"` // of its model's line, to the right
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
}

// offCentre is how far the middle of a marker may be from its point: a
// triangle's is.
const offCentre = 1.5

// checkChart compares where the points of the throughput chart are with the
// numbers that they stand for, by the chart's own grid.
func checkChart(t *testing.T, ctx context.Context, id string, w *analyzer.Workload) {
	t.Helper()
	type chartGeometry struct {
		Width  float64   `json:"width"`
		Grid   []float64 `json:"grid"`
		Labels []string  `json:"labels"`
		Names  []float64 `json:"names"`
		Points []placed  `json:"points"`
	}
	g := evaluate[chartGeometry](t, ctx, `(() => {
		const f = document.querySelector("#`+id+`-rate");
		if (!f) return {};
		const xy = f.querySelector(".xy");
		return {
			width: xy.getBoundingClientRect().width,
			grid: [...xy.querySelectorAll(".grid")].map(l => l.y1.baseVal.value),
			labels: [...f.querySelectorAll(".ys text")].map(t => t.textContent),
			names: [...f.querySelectorAll(".names text")].map(t => t.y.baseVal[0].value),
			points: [...xy.querySelectorAll("g[data-model]")].flatMap(s =>
				[...s.querySelectorAll("use")].map(p => {
					const r = p.getBoundingClientRect(), at = xy.getBoundingClientRect(), shift = s.transform.baseVal.consolidate().matrix.e;
					return {model: s.dataset.model, shift, x: (r.left + r.right) / 2 - at.left - shift, y: (r.top + r.bottom) / 2 - at.top};
				})),
		};
	})()`)
	c, ok := draw(w, id, throughput())
	if !ok {
		if len(g.Points) > 0 {
			t.Errorf("%s: a chart of one level", id)
		}
		return
	}
	var cells []*analyzer.Cell
	for _, s := range c.Series {
		for _, cell := range ordered(w) {
			if v, _, _, _ := throughput().of(cell); string(cell.Model) == s.Name && v > 0 {
				cells = append(cells, cell)
			}
		}
	}
	if len(cells) != len(g.Points) || len(g.Points) == 0 {
		t.Fatalf("%s: %d points for %d cells", id, len(g.Points), len(cells))
	}
	if len(g.Grid) < 2 || g.Labels[0] != "0" {
		t.Fatalf("%s: grid at %v, labels %v", id, g.Grid, g.Labels)
	}
	var top float64
	if _, err := fmt.Sscan(g.Labels[len(g.Labels)-1], &top); err != nil {
		t.Fatal(err)
	}
	zero, high := g.Grid[0], g.Grid[len(g.Grid)-1]
	first, last := c.XTicks[0].Label, c.XTicks[len(c.XTicks)-1].Label
	var lowest, highest float64
	fmt.Sscan(first, &lowest)
	fmt.Sscan(last, &highest)
	shifts := map[float64]string{} // of the models but the baseline
	for i, p := range g.Points {
		cell := cells[i]
		v, _, _, _ := throughput().of(cell)
		y := zero + (high-zero)*v/top
		x := g.Width * (margin + (100-2*margin)*math.Log2(float64(cell.Concurrency)/lowest)/math.Log2(highest/lowest)) / 100
		if p.Model != string(cell.Model) || math.Abs(p.Y-y) > offCentre || math.Abs(p.X-x) > offCentre {
			t.Errorf("%s: %s at %d (%.1f ops/s) stands at %.1f, %.1f, want %.1f, %.1f", id, cell.Model, cell.Concurrency, v, p.X, p.Y, x, y)
		}
		if at := x + p.Shift; math.Abs(p.Shift) > levelWide/2 || at < 0 || at > g.Width {
			t.Errorf("%s: %s is moved by %.1f pixels, to %.1f of %.1f", id, p.Model, p.Shift, at, g.Width)
		}
		if p.Model == string(model.Sequential) {
			continue
		}
		if other, taken := shifts[p.Shift]; taken && other != p.Model {
			t.Errorf("%s: %s lies on %s", id, p.Model, other)
		}
		shifts[p.Shift] = p.Model
	}
	for i := range g.Names {
		for j := range i {
			if math.Abs(g.Names[i]-g.Names[j]) < 13 {
				t.Errorf("%s: two labels %.0f pixels apart", id, math.Abs(g.Names[i]-g.Names[j]))
			}
		}
	}
}

// checkFlames compares each box's width with its share of the time, and finds
// every box within the one above it.
func checkFlames(t *testing.T, ctx context.Context, id string, w *analyzer.Workload) {
	t.Helper()
	f := chosen(w)
	if f == nil {
		return
	}
	type box struct {
		Title string  `json:"title"`
		X     float64 `json:"x"`
		Y     float64 `json:"y"`
		Width float64 `json:"width"`
	}
	for kind, tree := range map[string]*profile.Node{"on": profile.Tree(f.Set.CPU, "cpu"), "off": profile.Tree(f.Set.OffCPU, "offcpu")} {
		boxes := evaluate[[]box](t, ctx, `(() => {
			const g = document.querySelector("#`+id+"-"+kind+` > svg"), at = g.getBoundingClientRect();
			return [...g.querySelectorAll(":scope > svg")].map(b => {
				const r = b.querySelector("rect").getBoundingClientRect();
				return {title: b.querySelector("title").textContent, x: (r.left - at.left) / at.width, y: r.top - at.top, width: r.width / at.width};
			});
		})()`)
		if len(boxes) == 0 || len(boxes) > densities()[0].frames {
			t.Fatalf("%s %s: %d boxes", id, kind, len(boxes))
		}
		want := map[string]float64{}
		for _, c := range tree.Children {
			want[short(c.Name, 120)] = float64(c.Total) / float64(tree.Total)
		}
		roots := 0
		for i, b := range boxes {
			name, _, _ := strings.Cut(b.Title, ": ")
			if b.Y == 0 {
				roots++
				if share, ok := want[name]; ok && math.Abs(b.Width-share) > 0.002 {
					t.Errorf("%s %s: %s is %.3f wide, want %.3f", id, kind, name, b.Width, share)
				}
				continue
			}
			held := false
			for _, a := range boxes[:i] {
				if math.Abs(b.Y-a.Y-rowHeight) < 0.5 && b.X >= a.X-0.001 && b.X+b.Width <= a.X+a.Width+0.001 {
					held = true
				}
			}
			if !held {
				t.Errorf("%s %s: %s stands on no caller", id, kind, name)
			}
		}
		if roots != len(want) {
			t.Errorf("%s %s: %d boxes in the first row, want %d", id, kind, roots, len(want))
		}
	}
}

// contrast lists the texts whose contrast with what is behind them is below
// 4.5:1 (WCAG 2.2, 1.4.3, level AA).
const contrast = `(() => {
	const parse = s => { const m = s.match(/[\d.]+/g).map(Number); return s.startsWith("color(") ? [m[0]*255, m[1]*255, m[2]*255, m[3] ?? 1] : [m[0], m[1], m[2], m[3] ?? 1]; };
	const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
	const lum = c => [0.2126, 0.7152, 0.0722].reduce((s, k, i) => { const v = c[i] / 255; return s + k * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
	const behind = e => {
		const layers = [];
		for (let n = e; n; n = n.parentElement) {
			const c = parse(getComputedStyle(n).backgroundColor);
			if (c[3] > 0) layers.push(c);
			if (c[3] === 1) break;
		}
		return layers.reverse().reduce((b, c) => over(c, b), parse(getComputedStyle(document.documentElement).backgroundColor)[3] ? parse(getComputedStyle(document.documentElement).backgroundColor) : parse(getComputedStyle(document.body).backgroundColor));
	};
	const bad = new Set();
	for (const e of document.body.querySelectorAll("*")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.closest(".only, title")) continue;
		const style = getComputedStyle(e);
		let ink, paper;
		if (e.ownerSVGElement) {
			ink = parse(style.fill === "currentcolor" ? style.color : style.fill);
			const rect = e.closest(".part, .flame svg svg")?.querySelector("rect");
			paper = rect ? parse(getComputedStyle(rect).fill) : behind(e);
		} else {
			ink = parse(style.color);
			paper = behind(e);
		}
		const [hi, lo] = [lum(over(ink, paper)), lum(paper)].sort((a, b) => b - a);
		const ratio = (hi + 0.05) / (lo + 0.05);
		if (ratio < 4.5) bad.add((e.className.baseVal ?? e.className) + " " + e.tagName + " " + e.textContent.slice(0, 20) + " " + ratio.toFixed(2));
	}
	return [...bad];
})()`

// watcher keeps what the browser reports.
type watcher struct {
	mu     sync.Mutex
	events []string
}

func (w *watcher) add(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, fmt.Sprintf(format, args...))
}

func (w *watcher) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = nil
}

// unexpected returns everything but the one request for the page itself, and
// says so when that is missing: then nothing was watched.
func (w *watcher) unexpected(address string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	pages := 0
	for _, e := range w.events {
		if e == "request "+address {
			pages++
		} else {
			out = append(out, e)
		}
	}
	if pages != 1 {
		out = append(out, fmt.Sprintf("the page was requested %d times", pages))
	}
	return out
}

func (w *watcher) listen(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.add("request %s", e.Request.URL)
	case *log.EventEntryAdded:
		w.add("log %s: %s", e.Entry.Level, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		w.add("console %s", e.Type)
	case *runtime.EventExceptionThrown:
		w.add("exception %s", e.ExceptionDetails.Text)
	case *pagecdp.EventJavascriptDialogOpening:
		w.add("dialog %q", e.Message)
	}
}

func look(t *testing.T, ctx context.Context, scheme string, width int64, address string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err == nil {
		err = chromedp.Do(ctx, chromedp.EmulateViewport(width, 1000), chromedp.Navigate(address))
	}
	if err != nil {
		t.Fatal(err)
	}
	light := evaluate[float64](t, ctx, `getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)[0]`)
	if (scheme == "light") != (light > 128) {
		t.Errorf("the page is not %s: its background begins with %v", scheme, light)
	}
}

// scripts lets the pages that are opened from now on run their scripts, or not.
// What the test itself evaluates runs in any case.
func scripts(t *testing.T, ctx context.Context, on bool) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%v in %s", err, script)
	}
	return v
}

// browser starts Chromium with a watcher, or skips the test aloud where there
// is none.
func browser(t *testing.T) (context.Context, *watcher) {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path == "" {
			path, _ = exec.LookPath(name)
		}
	}
	if path == "" {
		t.Skip("SKIPPED: no Chromium here, the page was not looked at; install chromium or set CHROMIUM")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path)}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	ctx, stop := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(options...))
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	seen := &watcher{}
	if err := chromedp.Listen(ctx, seen.listen); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	ctx, stop = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(stop)
	return ctx, seen
}
