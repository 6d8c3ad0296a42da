package reports

import (
	"slices"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// TestMerged makes one text of several, and keeps apart what differs in more
// than its numbers.
func TestMerged(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		want  string
	}{
		{"one", []string{"after 6 trials"}, "after 6 trials"},
		{"the same", []string{"exit 0", "exit 0"}, "exit 0"},
		{"a range", []string{"reached 25 % of the best one's, pool at 16", "reached 7 % of the best one's, pool at 16"}, "reached 7-25 % of the best one's, pool at 16"},
		{"as numbers", []string{"after 10 s", "after 9 s"}, "after 9-10 s"},
		{"units", []string{"budget of 10s", "budget of 20s"}, "budget of 10-20s"},
		{"trials", []string{"trial t0115: 1.5 x", "trial t0113: 0.5 x"}, "trial t0113-0115: 0.5-1.5 x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, s := range c.texts {
				if skeleton(s) != skeleton(c.texts[0]) {
					t.Errorf("%q and %q have different skeletons", s, c.texts[0])
				}
			}
			if got := merged(c.texts); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	for _, pair := range [][2]string{
		{"panic at evil.go:5", "panic at evil.go:10"},
		{"budget of 10s", "budget of 10ms"},
		{"exit 0", "exit 0 early"},
	} {
		if skeleton(pair[0]) == skeleton(pair[1]) {
			t.Errorf("%q and %q have one skeleton", pair[0], pair[1])
		}
	}
}

// TestTogether makes one warning of those that say the same of other cells.
func TestTogether(t *testing.T) {
	res := &analyzer.Result{Workloads: []analyzer.Workload{
		{Name: "a", Warnings: []analyzer.Warning{
			{ID: "blind", Message: "pool at 16: missed 31 %"}, {ID: "blind", Message: "threads at 4: missed 34 %"}, {ID: "few", Message: "rests on 9 trials"},
		}},
		{Name: "b", Warnings: []analyzer.Warning{{ID: "blind", Message: "pool at 8: missed 33 %"}, {ID: "few", Message: "rests on 7 trials", Remedy: "another"}}},
	}}
	var got []string
	for _, d := range doubts(res) {
		got = append(got, d.Workload+"|"+d.Message)
	}
	want := []string{"|a pool at 16, threads at 4; b pool at 8: missed 31-34 %", "a|rests on 9 trials", "b|rests on 7 trials"}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	if ds := workloadDoubts(&res.Workloads[0]); len(ds) != 2 || ds[0].Workload != "a" || ds[0].Message != "pool at 16, threads at 4: missed 31-34 %" {
		t.Errorf("of one workload: %+v", ds)
	}
}

// TestGaps groups cells by what became of them and names models together.
func TestGaps(t *testing.T) {
	w := &analyzer.Workload{}
	for _, m := range []model.Model{model.Pool, model.Threads, model.EventLoop} {
		for i, n := range []int{1, 2, 4, 8} {
			c := analyzer.Cell{Model: m, Concurrency: n, Status: record.Eliminated, Reason: "its pilot reached " + []string{"7", "9", "20", "30"}[i] + " % of the best one's"}
			if n == 8 && m != model.EventLoop {
				c.Status, c.Reason, c.Output = record.Failed, "panic at x.go:5", "trials/"+string(m)
			}
			w.Cells = append(w.Cells, c)
		}
	}
	var got []string
	for _, g := range gaps(w) {
		got = append(got, g.String()+"|"+g.where())
	}
	want := []string{
		"pool, threads at 1, 2, 4; event-loop at every level: eliminated, its pilot reached 7-30 % of the best one's|",
		"pool, threads at 8: failed, panic at x.go:5|trials/pool and 1 more",
	}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

// TestAdditions groups the levels that were added by why.
func TestAdditions(t *testing.T) {
	w := &analyzer.Workload{}
	for _, m := range []model.Model{model.Pool, model.Goroutines} {
		for _, n := range []int{32, 48, 64, 128} {
			c := analyzer.Cell{Model: m, Concurrency: n, Status: record.OK}
			switch {
			case n == 128:
				c.Added = "it still gained 1.9x from 32 to 64 in flight"
			case n == 48 && m == model.Pool:
				c.Added = "at 32 in flight it reached 70 % of the best, at 64 100 %"
			}
			w.Cells = append(w.Cells, c)
		}
	}
	var got []string
	for _, g := range additions(w) {
		got = append(got, g.String())
	}
	want := []string{
		"pool at 48: added, at 32 in flight it reached 70 % of the best, at 64 100 %",
		"pool, goroutines at 128: added, it still gained 1.9x from 32 to 64 in flight",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDryResult shows a result on one line of at most maxDry columns.
func TestDryResult(t *testing.T) {
	long := "a result that goes on for longer than a line of a report has room for it"
	for in, want := range map[string]string{
		"42":                                "42",
		"two\nlines":                        "two lines",
		long:                                long[:maxDry-1] + "…",
		"\xff\xd8\xff\xe0\x00\x10":          "binary data",
		"1.2 kB, begins ff d8 ff":           "1.2 kB, begins ff d8 ff",
		"red \x1b[31m is escaped in a text": `red \x1b[31m is escaped in a text`,
	} {
		if got := dryResult(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
