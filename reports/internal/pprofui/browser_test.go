package pprofui

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
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
	if links := evaluate[int](t, ctx, `document.querySelectorAll("a").length`); links != 8 {
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
