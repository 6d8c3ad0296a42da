package reports

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
)

// TestPageSize holds the page of three workloads under what a reviewer
// downloads without noticing.
func TestPageSize(t *testing.T) {
	const most = 300_000
	if n := len(render(t, HTML, withFlames(t, fixture(t, "three")), Options{})); n > most {
		t.Errorf("a page of three workloads has %d bytes, want at most %d", n, most)
	}
}

// TestSameBytes renders twice: maps have no order, reports do.
func TestSameBytes(t *testing.T) {
	for _, f := range All() {
		for _, name := range fixtures(t) {
			first := render(t, f, withFlames(t, fixture(t, name)), Options{})
			for range 5 {
				if !bytes.Equal(first, render(t, f, withFlames(t, fixture(t, name)), Options{})) {
					t.Errorf("%s of %s differs from one time to the next", f, name)
				}
			}
		}
	}
}

// TestMarkdownFits cuts by whole sections: what is left is well formed, every
// workload's verdict is in it, and the cut is said.
func TestMarkdownFits(t *testing.T) {
	res := fixture(t, "three")
	var many []analyzer.Workload
	for i := range 120 {
		w := res.Workloads[i%3]
		w.Name = fmt.Sprintf("w%03d", i)
		many = append(many, w)
	}
	res.Workloads = many
	out := string(render(t, Markdown, res, Options{}))
	if len(out) > MarkdownLimit {
		t.Fatalf("%d bytes, want at most %d", len(out), MarkdownLimit)
	}
	for _, w := range many {
		if !strings.Contains(out, "- `"+w.Name+"` is **") {
			t.Errorf("the verdict of %s was cut off", w.Name)
		}
	}
	if !strings.Contains(out, "sections left out") {
		t.Error("the cut is not said")
	}
	for _, pair := range [][2]string{{"<details>", "</details>"}, {"<sub>", "</sub>"}} {
		if o, c := strings.Count(out, pair[0]), strings.Count(out, pair[1]); o != c {
			t.Errorf("%d %s but %d %s", o, pair[0], c, pair[1])
		}
	}
	if strings.Count(out, "\n```")%2 != 0 {
		t.Error("a fence is open")
	}
}

// TestFurtherWorkloads holds each workload after the third to what a page may
// grow by, and the flame graphs that need no script to 20 KB.
func TestFurtherWorkloads(t *testing.T) {
	for _, n := range []int{3, 4, 10, 100} {
		page := string(render(t, HTML, manyWorkloads(t, n), Options{}))
		if limit := pageLimit(n); len(page) > limit {
			t.Errorf("a page of %d workloads has %d bytes, want at most %d", n, len(page), limit)
		}
		sections := strings.Split(page, `<section class="workload"`)[1:]
		if len(sections) != n {
			t.Errorf("%d sections of %d workloads", len(sections), n)
		}
		for _, s := range sections {
			if drawn := drawnBytes(s); drawn > 20_000 || drawn < 1000 {
				t.Errorf("%d bytes of flame graphs in a section", drawn)
			}
		}
	}
}

// manyWorkloads is the result of three workloads over and over.
func manyWorkloads(t testing.TB, n int) *analyzer.Result {
	t.Helper()
	res := withFlames(t, fixture(t, "three"))
	var many []analyzer.Workload
	for i := range n {
		many = append(many, res.Workloads[i%3])
	}
	res.Workloads = many
	return res
}

// drawnBytes is what the flame graphs of a section's recommended cell take,
// less those of the baseline.
func drawnBytes(section string) int {
	n := 0
	for _, f := range strings.Split(section, `<figure class="flame`)[1:] {
		f, _, _ = strings.Cut(f, "</figure>")
		if id, _, _ := strings.Cut(f, ">"); !strings.Contains(id, "-base-") {
			n += len(f)
		}
	}
	return n
}

// BenchmarkPage renders the pages of runs of many workloads: a page of a
// hundred takes some ten times as long as one of ten, and no more than fills its
// bytes.
func BenchmarkPage(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprintf("workloads=%d", n), func(b *testing.B) {
			res := manyWorkloads(b, n)
			b.ReportAllocs()
			bytes := 0
			for b.Loop() {
				bytes = len(render(b, HTML, res, Options{}))
			}
			b.ReportMetric(float64(bytes)/float64(n), "B/workload")
			b.ReportMetric(float64(bytes)/float64(pageLimit(n)), "of-limit")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/workload")
		})
	}
}
