package pprofui

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/pprof/profile"
)

// get asks a handler as a browser on this machine would.
func get(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	if !strings.HasPrefix(target, "http:") {
		target = "http://127.0.0.1:8080" + target
	}
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	h := testSite().Handler()
	one, diff := "/ui/render/cpu/pool-8/", "/diff/render/cpu/pool-8/sequential-1/"
	tests := []struct {
		name, method, target string
		headers              []string
		code                 int
		body                 string
	}{
		{"index", "GET", "/", nil, 200, "profiles &lt;of&gt; a run"},
		{"index without a body", "HEAD", "/", nil, 200, ""},
		{"mount starts at the flame graph", "GET", one, nil, 307, ""},
		{"flame graph", "GET", one + "flamegraph", nil, 200, "app.hash"},
		{"title", "GET", one + "flamegraph", nil, 200, "<title>render pool-8, cpu"},
		{"top", "GET", one + "top", nil, 200, "app.fetch"},
		{"peek", "GET", one + "peek?f=hash", nil, 200, "app.hash"},
		{"wall", "GET", "/ui/render/wall/sequential-1/flamegraph", nil, 200, "app.Render"},
		{"difference", "GET", diff + "flamegraph", nil, 200, "render pool-8 less sequential-1"},
		{"difference with itself", "GET", "/diff/render/cpu/pool-8/pool-8/flamegraph", nil, 404, ""},
		{"kind that is missing", "GET", "/ui/render/offcpu/pool-8/flamegraph", nil, 404, ""},
		{"unknown kind", "GET", "/ui/render/heap/pool-8/flamegraph", nil, 404, ""},
		{"unknown workload", "GET", "/ui/other/cpu/pool-8/flamegraph", nil, 404, ""},
		{"settings are not written", "GET", one + "saveconfig?config=x", nil, 404, ""},
		{"settings are not deleted", "GET", one + "deleteconfig?config=x", nil, 404, ""},
		{"no source", "GET", one + "source?f=hash", nil, 404, ""},
		{"no disassembler", "GET", one + "disasm?f=hash", nil, 404, ""},
		{"no default mux", "GET", "/debug/pprof/", nil, 404, ""},
		{"no default mux below a mount", "GET", one + "debug/vars", nil, 404, ""},

		{"localhost", "GET", "/", []string{"Host", "localhost:9"}, 200, ""},
		{"LOCALHOST without a port", "GET", "/", []string{"Host", "LOCALHOST"}, 200, ""},
		{"IPv6 loopback", "GET", "/", []string{"Host", "[::1]:9"}, 200, ""},
		{"rebound name", "GET", "/", []string{"Host", "evil.example:8080"}, 421, ""},
		{"rebound name that looks local", "GET", "/", []string{"Host", "localhost.evil.example"}, 421, ""},
		{"address of a network", "GET", "/", []string{"Host", "10.0.0.1:8080"}, 421, ""},
		{"empty host", "GET", "/", []string{"Host", ""}, 421, ""},
		{"post", "POST", "/", nil, 405, ""},
		{"delete", "DELETE", one + "flamegraph", nil, 405, ""},
		{"made by another site", "GET", "/", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"made by another port", "GET", "/", []string{"Sec-Fetch-Site", "same-site"}, 403, ""},
		{"made by itself", "GET", "/", []string{"Sec-Fetch-Site", "same-origin"}, 200, ""},
		{"typed", "GET", "/", []string{"Sec-Fetch-Site", "none"}, 200, ""},
		{"foreign origin", "GET", "/", []string{"Origin", "http://evil.example"}, 403, ""},
		{"no origin", "GET", "/", []string{"Origin", "null"}, 403, ""},
		{"address in the request line", "GET", "http://evil.example/", nil, 421, ""},
		{"path that climbs", "GET", one + "../../../../../etc/passwd", nil, 307, ""},
		{"path that climbs, escaped", "GET", one + "..%2f..%2f..%2fetc%2fpasswd", nil, 404, ""},
		{"own origin", "GET", "/", []string{"Origin", "http://127.0.0.1:8080"}, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := get(h, tt.method, tt.target, tt.headers...)
			if w.Code != tt.code {
				t.Fatalf("%s %s = %d, want %d\n%s", tt.method, tt.target, w.Code, tt.code, w.Body)
			}
			if !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("%s has no %q:\n%.2000s", tt.target, tt.body, w.Body)
			}
			for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options"} {
				if w.Header().Get(name) == "" {
					t.Errorf("%s without %s", tt.target, name)
				}
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
				t.Errorf("policy %q allows by default", csp)
			}
		})
	}
}

// TestIndexLinks follows every link of the index.
func TestIndexLinks(t *testing.T) {
	followIndex(t, testSite())
}

func followIndex(t *testing.T, s *Site) {
	h := s.Handler()
	index := get(h, "GET", "/").Body.String()
	if strings.Contains(index, "<script") {
		t.Error("the index has a script")
	}
	links := regexp.MustCompile(`href="(/[^"]+)"`).FindAllStringSubmatch(index, -1)
	// 2 cells of 2 kinds, and 2 differences of each kind.
	if len(links) != 8 {
		t.Errorf("%d links, want 8:\n%s", len(links), index)
	}
	for _, l := range links {
		if w := get(h, "GET", l[1]); w.Code != 200 || !strings.Contains(w.Body.String(), "app.Render") {
			t.Errorf("%s: %d", l[1], w.Code)
		}
	}
}

// TestDifference holds the sign and the total of a difference.
func TestDifference(t *testing.T) {
	h := testSite().Handler()
	w := get(h, "GET", "/diff/render/cpu/pool-8/sequential-1/download")
	p, err := profile.ParseData(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, s := range p.Sample {
		got[s.Location[0].Line[0].Function.Name] += s.Value[0] / 1e6
	}
	if got["app.hash"] != 60-80 || got["app.fetch"] != 140-20 {
		t.Errorf("difference = %v", got)
	}
}

// TestProfilesAreNotChanged: pprof changes what it is given, and one profile
// is part of many mounts.
func TestProfilesAreNotChanged(t *testing.T) {
	s := testSite()
	before := s.Workloads[0].Cells[0].Profiles[CPU].String()
	followIndex(t, s)
	if after := s.Workloads[0].Cells[0].Profiles[CPU].String(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestLabelsAreSanitised: pprof writes labels into its graph unescaped.
func TestLabelsAreSanitised(t *testing.T) {
	w := get(testSite().Handler(), "GET", "/ui/render/cpu/pool-8/download")
	p, err := profile.ParseData(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Sample {
		for _, v := range s.Label["model"] {
			if strings.ContainsAny(v, `"<>=`) {
				t.Errorf("label %q", v)
			}
		}
	}
}

// TestWithoutHome: pprof has no UI without a folder for its settings.
func TestWithoutHome(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	if w := get(testSite().Handler(), "GET", "/ui/render/cpu/pool-8/flamegraph"); w.Code != 200 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if home, set := os.LookupEnv("HOME"); set {
		t.Errorf("HOME stays %q", home)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestNothingIsSaved: pprof saves remote profiles and settings under HOME.
func TestNothingIsSaved(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("PPROF_TMPDIR", home)
	h := testSite().Handler()
	get(h, "GET", "/ui/render/cpu/pool-8/flamegraph")
	get(h, "GET", "/ui/render/cpu/pool-8/saveconfig?config=x")
	get(h, "GET", "/diff/render/cpu/pool-8/sequential-1/top")
	if left, _ := filepath.Glob(filepath.Join(home, "*")); len(left) > 0 {
		t.Errorf("saved: %v", left)
	}
}

// TestConcurrentVisits opens many mounts at once; the race detector watches
// pprof's package variables.
func TestConcurrentVisits(t *testing.T) {
	h := testSite().Handler()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			target := []string{"/ui/render/cpu/pool-8/", "/ui/render/wall/pool-8/", "/diff/render/cpu/pool-8/sequential-1/", "/diff/render/wall/sequential-1/pool-8/"}[i%4]
			page := []string{"flamegraph", "top", "peek?f=hash", "flamegraph?f=hash"}[i/4]
			if w := get(h, "GET", target+page); w.Code != 200 {
				t.Errorf("%s%s: %d", target, page, w.Code)
			}
		})
	}
	wg.Wait()
}

func TestServe(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- testSite().Serve(ctx, ln) }()
	resp, err := http.Get("http://" + ln.Addr().String() + "/ui/render/cpu/pool-8/")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || !strings.Contains(string(body), "app.hash") {
		t.Errorf("%d: %.500s", resp.StatusCode, body)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if _, err := http.Get("http://" + ln.Addr().String()); err == nil {
		t.Error("the server still answers")
	}
}

func TestServeRefusesOtherAddresses(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Skipf("SKIPPED: no listener on all addresses: %v", err)
	}
	if err := testSite().Serve(t.Context(), ln); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("Serve = %v", err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("the listener is open")
	}
}

// TestServeEndsByItself: after the last visit, and not before.
func TestServeEndsByItself(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := testSite()
	s.idle = 300 * time.Millisecond
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context(), ln) }()
	last := began
	for time.Since(began) < s.idle {
		if resp, err := http.Get("http://" + ln.Addr().String()); err == nil {
			last = time.Now()
			resp.Body.Close()
		}
		time.Sleep(s.idle / 10)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if time.Since(began) < s.idle || last == began {
		t.Errorf("ended %v after its start", time.Since(began))
	}
}

// TestManyRequests: one more than may be is refused, and room is made again.
func TestManyRequests(t *testing.T) {
	begun, may := make(chan struct{}), make(chan struct{})
	h := limit(2, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-may
	}))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { get(h, "GET", "/") })
		<-begun
	}
	if w := get(h, "GET", "/"); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("the third: %d, %v", w.Code, w.Header())
	}
	close(may)
	wg.Wait()
	wg.Go(func() { <-begun })
	if w := get(h, "GET", "/"); w.Code != 200 {
		t.Errorf("after the others: %d", w.Code)
	}
	wg.Wait()
}

// TestSlowVisitors: who never ends a request keeps nobody out.
func TestSlowVisitors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- testSite().Serve(ctx, ln) }()
	for range 2 * maxRequests {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: local"); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.Get("http://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("%d", resp.StatusCode)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// twoRuns is testSite beside another run of the same, in which the pool hashes
// faster and sequential was not profiled on the CPU.
func twoRuns() *Site {
	s := testSite()
	s.Runs = []string{"main", "pull-7"}
	w := &s.Workloads[0]
	head := testSite().Workloads[0].Cells
	hashes := map[string]int64{"app.hash": 10, "app.fetch": 140}
	head[1].PerOp[CPU] = stacks("cpu", hashes, []string{"harness.runOp", "app.Render", "app.hash"}, []string{"harness.runOp", "app.Render", "app.fetch"})
	delete(head[0].Profiles, CPU)
	delete(head[0].PerOp, CPU)
	for i := range w.Cells {
		w.Cells[i].Run = "main"
	}
	for i := range head {
		head[i].Run = "pull-7"
	}
	w.Cells = append(w.Cells, head...)
	s.Workloads[1].Cells = []Cell{{Name: "pool-8", Title: "pool-8", Run: "main"}}
	return s
}

func TestTwoRuns(t *testing.T) {
	s := twoRuns()
	s.Doubt = []string{"main and pull-7 were measured differently:", "<budget>"}
	h := s.Handler()
	index := get(h, "GET", "/").Body.String()
	for _, want := range []string{
		"<p class=\"dim\">Only main has profiles of it.</p>",
		"pull-7 less main: what changed between the runs",
		"<b>Doubt these differences.</b> main and pull-7 were measured differently:<br>&lt;budget&gt;",
		`<a href="/diff/render/cpu/pull-7:pool-8/main:pool-8/flamegraph" aria-label="cpu of pool-8, pull-7 less main: −50.0 ms an op">−50.0 ms</a>`,
		`<a href="/diff/render/wall/pull-7:pool-8/main:pool-8/flamegraph" aria-label="wall of pool-8, pull-7 less main: &#43;0 ns an op">&#43;0 ns</a>`,
		`<a href="/diff/render/wall/main:pool-8/pull-7:sequential-1/flamegraph"`,
	} {
		if !strings.Contains(index, want) {
			t.Errorf("the index has no %s", want)
		}
	}
	if strings.Contains(index, "/diff/render/cpu/pull-7:sequential-1/") {
		t.Error("the index has a difference of a profile that is missing")
	}
	links := regexp.MustCompile(`href="(/[^"]+)"`).FindAllStringSubmatch(index, -1)
	// Between the runs 1 of CPU and 2 of wall; 3 and 4 profiles; 3x2 and 4x3 differences.
	if len(links) != 3+7+6+12 {
		t.Errorf("%d links", len(links))
	}
	for _, l := range links {
		if w := get(h, "GET", l[1]); w.Code != 200 {
			t.Errorf("%s: %d", l[1], w.Code)
		}
	}
	w := get(h, "GET", "/diff/render/cpu/pull-7:pool-8/main:pool-8/flamegraph").Body.String()
	if !strings.Contains(w, "<title>render pool-8 of pull-7 less pool-8 of main, cpu per op") {
		t.Errorf("the title does not say what is compared:\n%.600s", w)
	}
	if w := get(h, "GET", "/ui/render/cpu/pool-8/flamegraph"); w.Code != 404 {
		t.Errorf("a cell of no run: %d", w.Code)
	}
}

func TestAmount(t *testing.T) {
	for ns, want := range map[int64]string{0: "0 ns", 999: "999 ns", 1234: "1.23 µs", 45_600_000: "45.6 ms", 456_000_000: "456 ms", 12_340_000_000_000: "12340 s"} {
		if got := amount(ns); got != want {
			t.Errorf("%d: %q, want %q", ns, got, want)
		}
	}
}
