package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// TestAnonymousCanary puts names of people, hosts, folders and packages to
// wherever a result has room for them, and finds none in any report.
func TestAnonymousCanary(t *testing.T) {
	res := withFlames(t, fixture(t, "three"))
	const path = "/home/alice smith/src/secretproj/internal/thumb/render.go"
	res.Run.Dir, res.Run.Command = "/home/alice smith/runs", []string{"concprof", "analyze", path}
	res.Run.Host.CPU, res.Run.Host.Kernel = "Secretproj CPU", "6.1-secretproj"
	for i := range res.Workloads {
		w := &res.Workloads[i]
		w.Target = "./secretproj/internal/thumb.Render"
		w.Dry = &analyzer.Dry{Result: `"secretproj"`}
		w.Evidence = append(w.Evidence, "it waits in git.corp.example/secretproj/thumb.(*R).Do ("+path+":12) on alicehost, at https://alicehost/secretproj")
		w.EvidenceStages = append(w.EvidenceStages, "waits")
		w.Warnings = append(w.Warnings, analyzer.Warning{ID: "x", Message: "secretproj/thumb.Render by alice smith", Remedy: "see " + path})
		w.Limits = append(w.Limits, analyzer.Limit{
			Kind: analyzer.LimitLock, Share: 0.5, Function: "corp/secretproj/lock.Render", File: path, Line: 3,
			Excerpt: &rundir.Excerpt{File: path, Line: 3, First: 3, Lines: []string{"secretproj()"}},
		})
		w.Differences = append(w.Differences, analyzer.Difference{Model: "pool", Concurrency: 2, Compared: 9, Found: true, Sequential: "customer 4711", Returned: "customer 4712"})
		for k := range w.Cells {
			w.Cells[k].Errors = []record.ErrorCount{{Type: "*net.OpError", Message: "dial secretproj", Count: 1}}
			w.Cells[k].Reason = "panic in " + path
		}
		w.Cells[0].Status, w.Cells[0].Reason = record.Failed, "ValueError: customer 4711"
		w.Cells[1].Status, w.Cells[1].Reason = record.Partial, "1 of 9 trials did not count: KeyError: customer 4712"
		w.Warnings = append(w.Warnings, analyzer.Warning{ID: "y", Message: "it failed: KeyError: customer 4712, at Render"})
		w.Race = &analyzer.Race{Skipped: "its trial did not finish: customer 4713"}
		for _, f := range w.Flames {
			for _, fn := range f.Set.CPU.Function {
				fn.Name, fn.Filename = "corp.example/secretproj/"+fn.Name, path
			}
		}
	}
	before, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := Anonymous(res, nil, []string{"alicehost", "alice smith", "alice"})
	for _, f := range All() {
		page := strings.ToLower(string(render(t, f, out, Options{Verbose: true})))
		for _, canary := range []string{"alice", "smith", "secretproj", "corp.example", "/home", "6.1-", "customer"} {
			if at := strings.Index(page, canary); at >= 0 {
				t.Errorf("%s has %q: ...%s...", f, canary, page[max(0, at-80):min(len(page), at+80)])
			}
		}
	}
	if text := string(render(t, Text, out, Options{})); strings.Contains(text, "OpError:") {
		t.Errorf("a colon without what was said:\n%s", text)
	}
	if text := string(render(t, Text, out, Options{})); !strings.Contains(text, "render.go:3") || !strings.Contains(text, "thumb.Render") {
		t.Errorf("the last elements of paths are gone too:\n%s", text)
	}
	if after, err := json.Marshal(res); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the result itself was changed, %v", err)
	}
}

func TestAnonymousText(t *testing.T) {
	a := &anonymiser{}
	for in, want := range map[string]string{
		"I/O-bound, 12 ops/s, 3/4 and/or n/a": "I/O-bound, 12 ops/s, 3/4 and/or n/a",
		"open /home/me/x/y.txt: gone":         "open y.txt: gone",
		"net/http.(*Client).Do (client.go:7)": "http.(*Client).Do (client.go:7)",
		"gopkg.in/yaml.v3.Unmarshal":          "yaml.v3.Unmarshal",
		"get http://me@host:80/a/b?c failed":  "get http://… failed",
		"../up/thumb.Render":                  "thumb.Render",
		"scraper:fetch":                       "scraper:fetch",
		"":                                    "",
	} {
		if got := a.text(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// Without anything to leave out a report keeps its verdicts and numbers.
func TestAnonymousKeepsNumbers(t *testing.T) {
	res := fixture(t, "three")
	out, _ := Anonymous(res, nil, nil)
	for i, w := range res.Workloads {
		o := out.Workloads[i]
		if w.Class != o.Class || w.Demand != o.Demand || !cmp.Equal(w.Recommendation == nil, o.Recommendation == nil) || len(w.Cells) != len(o.Cells) {
			t.Errorf("%s: %v", w.Name, o)
		}
		for k, c := range w.Cells {
			if !cmp.Equal(c.OpsPerSec, o.Cells[k].OpsPerSec) || c.Model != o.Cells[k].Model {
				t.Errorf("%s: %+v became %+v", w.Name, c, o.Cells[k])
			}
		}
	}
}

// TestNoFormatIsCSV holds row 72 of docs/faults.md: a spreadsheet takes a field
// that begins with "=" for a formula. Who adds CSV quotes it, and says so there.
func TestNoFormatIsCSV(t *testing.T) {
	for _, name := range []string{"x.csv", "x.tsv"} {
		if f, err := FromExtension(name); err == nil {
			t.Errorf("%s is %s: see row 72 of docs/faults.md", name, f)
		}
	}
}

// A message is taken out of the sentences that quote it, whatever stands around
// it, and numbers are not taken for one.
func TestAnonymousQuotes(t *testing.T) {
	w := &analyzer.Workload{
		Undecided: "the dry op failed: ValueError: no customer 4711",
		Evidence:  []string{"sequential failed: ValueError: no customer 4711, at f", "p99: 12 ms"},
		Cells: []analyzer.Cell{
			{Status: record.Failed, Reason: "the dry op failed: ValueError: no customer 4711"},
			{Status: record.WrongResult, Reason: "the results of the first 9 ops differ from sequential's (trial t1)"},
			{Status: record.OK, Errors: []record.ErrorCount{{Type: "E", Message: "12", Count: 1}}},
		},
	}
	leaveOut(w)
	want := &analyzer.Workload{
		Undecided: "the dry op failed: left out",
		Evidence:  []string{"sequential failed: left out, at f", "p99: 12 ms"},
		Cells: []analyzer.Cell{
			{Status: record.Failed, Reason: "left out"},
			{Status: record.WrongResult, Reason: "the results of the first 9 ops differ from sequential's (trial t1)"},
			{Status: record.OK, Errors: []record.ErrorCount{{Type: "E", Count: 1}}},
		},
	}
	if diff := cmp.Diff(want, w); diff != "" {
		t.Error(diff)
	}
}
