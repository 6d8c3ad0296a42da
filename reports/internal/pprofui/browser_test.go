package pprofui

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	pagecdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/pprof/profile"
)

// TestBrowser opens the flame graph in a real browser: pprof draws it with
// scripts, which the content policy must let run.
func TestBrowser(t *testing.T) {
	ctx := browser(t)
	server := httptest.NewServer(testSite().Handler())
	defer server.Close()

	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	if links := evaluate[int](t, ctx, `document.querySelectorAll("td a").length`); links != 8 {
		t.Errorf("the index has %d links, want 8", links)
	}
	if heading := evaluate[string](t, ctx, `document.querySelector("h1").innerText`); heading != "profiles <of> a run" {
		t.Errorf("the index's heading is %q", heading)
	}
	for _, page := range []string{"/ui/render/cpu/pool-8/", "/diff/render/wall/pool-8/sequential-1/"} {
		if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+page), chromedp.WaitVisible(chromedp.CSS("#stack-chart .boxbg"))); err != nil {
			t.Fatalf("%s: %v", page, err)
		}
		// root, runOp, Render, hash and fetch.
		boxes := evaluate[int](t, ctx, `[...document.querySelectorAll("#stack-chart .boxbg")].filter(b => b.offsetWidth > 0).length`)
		if boxes < 5 {
			t.Errorf("%s: %d boxes, want at least 5", page, boxes)
		}
	}
}

// TestBrowserTwoRuns walks from the index of two runs to a difference between
// them as a user does, and finds everything where it can be seen.
func TestBrowserTwoRuns(t *testing.T) {
	ctx := browser(t)
	server := httptest.NewServer(twoRuns().Handler())
	defer server.Close()
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	// A cell of the table between the runs is on the first screen, stands below
	// the heading of its column, and no page is wider than its window.
	for script, want := range map[string]bool{
		`(() => { const a = document.querySelector("table.runs td a").getBoundingClientRect(); return a.width > 20 && a.height > 8 && a.bottom < innerHeight; })()`: true,
		`(() => { const t = document.querySelector("table.runs"), a = t.querySelector('a[href*="/wall/"]').getBoundingClientRect(),
			h = [...t.querySelectorAll("th")].find(h => h.innerText === "wall").getBoundingClientRect(); return a.left >= h.left && a.right <= h.right && a.top >= h.bottom; })()`: true,
		`document.documentElement.scrollWidth > innerWidth`:                                                 false,
		`[...document.querySelectorAll("table.matrix td a")].filter(a => a.checkVisibility()).length === 6`: true, // that of CPU is open
	} {
		if got := evaluate[bool](t, ctx, script); got != want {
			t.Errorf("%s is %v", script, got)
		}
	}
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`table.runs a[href*="/cpu/"]`)), chromedp.WaitVisible(chromedp.CSS("#stack-chart .boxbg"))); err != nil {
		t.Fatal(err)
	}
	if title := evaluate[string](t, ctx, `document.title`); !strings.HasPrefix(title, "render pool-8 of pull-7 less pool-8 of main, cpu per op") {
		t.Errorf("the difference is called %q", title)
	}
	// hash became faster: the box is there, as wide as it must be to be seen.
	if width := evaluate[float64](t, ctx, `Math.max(...[...document.querySelectorAll("#stack-chart .boxbg")].map(b => b.offsetWidth))`); width < 300 {
		t.Errorf("the widest box is %v wide", width)
	}
}

// TestHostileNames opens every page of a profile whose functions, labels and
// workload are called what they should not be: in a browser nothing happens,
// and pages get no element that they do not have with plain names.
func TestHostileNames(t *testing.T) {
	site := testSite()
	for _, w := range site.Workloads {
		for _, c := range w.Cells {
			p := c.Profiles[CPU]
			for i, name := range hostile() {
				f := &profile.Function{ID: uint64(len(p.Function) + 1), Name: name + strconv.Itoa(i), SystemName: name, Filename: name}
				l := &profile.Location{ID: uint64(len(p.Location) + 1), Line: []profile.Line{{Function: f, Line: 1}}}
				p.Function, p.Location = append(p.Function, f), append(p.Location, l)
				p.Sample = append(p.Sample, &profile.Sample{
					Location: []*profile.Location{l}, Value: []int64{1e9}, Label: map[string][]string{"model": {name}, name: {name}},
				})
			}
		}
	}
	hostileTitle := strings.Join(hostile()[:40], " ")
	site.Title, site.Workloads[0].Target, site.Workloads[0].Verdict, site.Workloads[0].Cells[0].Title = hostileTitle, hostileTitle, hostileTitle, hostileTitle
	h := site.Handler()
	pages := []string{"/", "/ui/render/cpu/pool-8/top", "/ui/render/cpu/pool-8/flamegraph", "/ui/render/cpu/pool-8/peek?f=", "/diff/render/cpu/pool-8/sequential-1/flamegraph"}
	plainly := testSite().Handler()
	for _, page := range pages {
		known := elements(get(plainly, "GET", page).Body.String())
		for e := range elements(get(h, "GET", page).Body.String()) {
			if !known[e] {
				t.Errorf("%s has an element %s", page, e)
			}
		}
	}

	ctx := browser(t)
	server := httptest.NewServer(h)
	defer server.Close()
	var mu sync.Mutex
	var events []string
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, server.URL+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
				events = append(events, "request "+e.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			events = append(events, "exception "+e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			events = append(events, "console "+string(e.Type))
		case *cdplog.EventEntryAdded:
			// Chromium asks every site for an icon by itself.
			if !strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
				events = append(events, "log "+e.Entry.Text)
			}
		case *pagecdp.EventJavascriptDialogOpening:
			events = append(events, "dialog "+e.Message)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+page)); err != nil {
			t.Fatalf("%s: %v", page, err)
		}
		evaluate[int](t, ctx, `document.querySelectorAll("*").length`)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(events) > 0 {
		t.Errorf("the pages did something: %s", strings.Join(events, "; "))
	}
}

// elements returns the elements of a page with the names of their attributes.
func elements(page string) map[string]bool {
	found := map[string]bool{}
	for _, tag := range regexp.MustCompile(`<[a-zA-Z!/][^>]*>`).FindAllString(page, -1) {
		found[regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, "")] = true
	}
	return found
}

// hostile returns the names of testdata/hostile.txt, which every package that
// shows names of a workload is tested with.
func hostile() []string {
	data, err := os.ReadFile("../../../testdata/hostile.txt")
	if err != nil {
		panic(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			names = append(names, name)
		} else if line[0] != '#' {
			panic(line)
		}
	}
	return names
}

func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// browser starts Chromium, or skips the test where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path == "" {
			path, _ = exec.LookPath(name)
		}
	}
	if path == "" {
		t.Skip("SKIPPED: no Chromium here, the flame graph was not looked at; install chromium or set CHROMIUM")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path)}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	ctx, stop := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(options...))
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(stop)
	return ctx
}
