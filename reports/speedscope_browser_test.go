package reports

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// speedscopeVersion is the version that .ci/browser installs into the user's
// cache.
const speedscopeVersion = "1.25.0"

// speedscope returns the folder of speedscope's page, or skips the test aloud
// where it was not installed: nothing is fetched by a test.
func speedscope(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("SPEEDSCOPE")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip("SKIPPED: no cache folder to look for speedscope in; set SPEEDSCOPE to the folder of its index.html")
		}
		folder = filepath.Join(cache, "concprof", "speedscope-"+speedscopeVersion, "node_modules", "speedscope", "dist", "release")
	}
	if _, err := os.Stat(filepath.Join(folder, "index.html")); err != nil {
		t.Skipf("SKIPPED: no speedscope, its importer did not read the export; run .ci/browser or set SPEEDSCOPE: %v", err)
	}
	return folder
}

// TestSpeedscope lets speedscope itself import what is exported for it, and the
// time line, whose format it reads too. What it shows is drawn by WebGL, so the
// names of the profile are looked for in its bar, and its canvas by its size.
func TestSpeedscope(t *testing.T) {
	folder := speedscope(t)
	ctx, seen := browser(t)
	run := recordedRun(t)
	_, profiles := exported(t, run, ExportSpeedscope, Selection{})
	_, timeline := exported(t, run, ExportChromeTrace, Selection{})
	for _, tt := range []struct {
		name, file, want string
		content          []byte
	}{
		{"profiles", "run.speedscope.json", "wall time", profiles},
		{"time line", "run.trace.json", "control: cpu (tid 1) (1/8)", timeline},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := http.FileServer(http.Dir(folder))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/"+tt.file {
					files.ServeHTTP(w, r)
					return
				}
				http.ServeContent(w, r, tt.file, time.Time{}, bytes.NewReader(tt.content))
			}))
			defer server.Close()
			if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/#profileURL="+server.URL+"/"+tt.file)); err != nil {
				t.Fatal(err)
			}
			text := ""
			for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && !strings.Contains(text, tt.want); {
				text = evaluate[string](t, ctx, `document.title + " " + document.body.innerText`)
			}
			if !strings.Contains(text, tt.want) {
				t.Fatalf("speedscope shows %q, want %q", text, tt.want)
			}
			if wide := evaluate[bool](t, ctx, `[...document.querySelectorAll("canvas")].some(c => c.offsetWidth > 300 && c.offsetHeight > 100)`); !wide {
				t.Error("speedscope draws nothing")
			}
		})
	}
	_ = seen
}
