package reports

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/concprof/concprof/analyzer"
)

// axeVersion is the version that .ci/browser installs into the user's cache.
const axeVersion = "4.14.1"

// axe returns the source of axe-core, or skips the test aloud where it was not
// installed: nothing is fetched by a test.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("AXE")
	if path == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip("SKIPPED: no cache folder to look for axe-core in; set AXE to the path of axe.min.js")
		}
		path = filepath.Join(cache, "concprof", "axe-core-"+axeVersion, "node_modules", "axe-core", "axe.min.js")
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("SKIPPED: no axe-core, accessibility was not looked at; run .ci/browser or set AXE: %v", err)
	}
	return string(source)
}

// violations runs axe-core on the page that is open and returns what it finds,
// an element each.
func violations(t *testing.T, ctx context.Context, source string) []string {
	t.Helper()
	// The page's own policy stops nothing that the browser itself evaluates.
	evaluate[bool](t, ctx, source+"; true")
	v, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`axe.run({resultTypes: ["violations"]}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + ": " + n.html.slice(0, 160) + " " + (n.any[0]?.message ?? ""))))`,
		func(p *runtime.EvaluateParams) { wait := true; p.AwaitPromise = &wait }))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestAccessible finds nothing that axe-core calls a violation, with scripts
// and without, in both colour schemes, and in what the script draws.
func TestAccessible(t *testing.T) {
	source := axe(t)
	ctx, _ := browser(t)
	for _, name := range []string{"three", "lock", "undecided", "failed", "hostile"} {
		t.Run(name, func(t *testing.T) {
			res := withFlames(t, fixture(t, name))
			if name == "three" {
				res.Workloads = res.Workloads[1:] // two are several, and take a third less
			}
			address := openPage(t, ctx, res)
			for _, state := range []struct {
				scheme string
				width  int64
				script bool
			}{{"light", 1400, true}, {"dark", 1400, true}, {"light", 400, true}, {"light", 1400, false}} {
				if name != "three" && state.scheme+fmt.Sprint(state.width, state.script) != "light1400true" {
					continue // what differs between pages does so in one state
				}
				scripts(t, ctx, state.script)
				look(t, ctx, state.scheme, state.width, address)
				if state.script && name == "three" {
					choose(t, ctx, "#w2 .b", "sequential")
				}
				scripts(t, ctx, true) // axe-core itself
				if found := violations(t, ctx, source); len(found) > 0 {
					t.Errorf("%+v:\n%s", state, strings.Join(found, "\n"))
				}
			}
		})
	}
}

// TestSinceAccessible looks at what a page shows of another revision.
func TestSinceAccessible(t *testing.T) {
	source := axe(t)
	ctx, _ := browser(t)
	file := filepath.Join(t.TempDir(), "report.html")
	c := sideBySideRuns()
	c.Workloads[0].Gate = []analyzer.Answer{{Condition: "regression <= 5%", Outcome: analyzer.Undecided, Why: "too few trials"}}
	if err := os.WriteFile(file, render(t, HTML, fixture(t, "mixed"), Options{Against: c}), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1400, 400} {
			look(t, ctx, scheme, width, "file://"+file)
			if found := violations(t, ctx, source); len(found) > 0 {
				t.Errorf("%s, %d wide:\n%s", scheme, width, strings.Join(found, "\n"))
			}
		}
	}
}
