package pprofui

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// attack is what a page of another origin tries on the UI: to read it by fetch,
// as a script, an image, in a frame and in a window, and to change something.
// It ends with what it got, a line each.
const attack = `<!doctype html><title>attack</title><script>
const ui = %q, got = [];
const wait = ms => new Promise(done => setTimeout(done, ms));
const loads = (name, e) => new Promise(done => {
	e.onload = () => { got.push(name + " loaded"); done(); };
	e.onerror = () => done();
	e.src = ui + "/ui/render/cpu/pool-8/top";
	document.documentElement.append(e);
	setTimeout(done, 2000);
});
(async () => {
	for (const path of ["/", "/ui/render/cpu/pool-8/top", "/ui/render/cpu/pool-8/download"]) {
		await fetch(ui + path).then(async r => got.push("fetch read " + (await r.text()).length), () => {});
		await fetch(ui + path, {mode: "no-cors"}).then(async r => { if ((await r.text()) !== "") got.push("no-cors read"); }, () => {});
		await fetch(ui + path, {method: "POST", body: "x=1", mode: "no-cors"}).then(() => {}, () => {});
	}
	await loads("script", document.createElement("script"));
	await loads("image", document.createElement("img"));
	const frame = document.createElement("iframe");
	frame.src = ui + "/";
	document.documentElement.append(frame);
	const form = document.createElement("form");
	form.method = "POST"; form.target = "sink"; form.action = ui + "/ui/render/cpu/pool-8/saveconfig?config=evil";
	const sink = document.createElement("iframe");
	sink.name = "sink";
	document.documentElement.append(form, sink);
	form.submit();
	await wait(500);
	for (const f of [frame, sink]) {
		try { const d = f.contentWindow.document; if (d.body && d.URL !== "about:blank") got.push("frame read " + d.URL); } catch (e) {}
		try { got.push("frame at " + f.contentWindow.location.href.replace("about:blank", "")); } catch (e) {}
	}
	document.title = "done";
	window.result = got.filter(g => g !== "frame at ");
})();
</script>`

// TestForeignPage has a page of another origin, on this machine too, try to read
// and to change the UI in a real browser. It gets nothing, and the server
// answers nothing of it with 200.
func TestForeignPage(t *testing.T) {
	ctx := browser(t)
	var mu sync.Mutex
	var answered []string
	asked := 0
	inner := testSite().Handler()
	ui := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := httptest.NewRecorder()
		inner.ServeHTTP(seen, r)
		mu.Lock()
		asked++
		if seen.Code == http.StatusOK && r.Header.Get("Sec-Fetch-Site") != "none" {
			answered = append(answered, r.Method+" "+r.URL.Path)
		}
		mu.Unlock()
		for name, values := range seen.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(seen.Code)
		w.Write(seen.Body.Bytes())
	}))
	defer ui.Close()
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, attack, ui.URL)
	}))
	defer evil.Close()

	// Of another port of the same host, and of another name.
	for _, origin := range []string{evil.URL, strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)} {
		if err := chromedp.Do(ctx, chromedp.Navigate(origin)); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); evaluate[string](t, ctx, `document.title`) != "done"; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the attack did not end")
			}
		}
		if got := evaluate[[]string](t, ctx, `window.result`); len(got) > 0 {
			t.Errorf("a page of %s got %s", origin, strings.Join(got, "; "))
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(answered) > 0 {
		t.Errorf("answered %s", strings.Join(answered, "; "))
	}
	if asked < 10 {
		t.Errorf("only %d requests came: the attack was none", asked)
	}
}
