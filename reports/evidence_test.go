package reports

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// TestEvidenceLinks finds the cells that each sentence of the chain names or
// rests on.
func TestEvidenceLinks(t *testing.T) {
	rows := anchors{{model.Sequential, 1}: "w1-sequential-1", {model.Pool, 16}: "w1-pool-16", {model.EventLoop, 4}: "w1-event-loop-4"}
	w := &analyzer.Workload{
		Evidence:       []string{"its demand is 0.03", "with 8 in flight ops wait", "measured, the one to use by throughput is pool at 16; pool at 64 is not; event-loop at 4 neither"},
		EvidenceStages: []string{"class", "limits", "measurement"},
		Recommendation: &analyzer.Recommendation{Model: model.Pool, Concurrency: 16, Why: []string{"it reaches 15x the throughput of sequential"}},
	}
	want := []string{
		"its demand is 0.03 <sequential>",
		"with 8 in flight ops wait",
		"measured, the one to use by throughput is [pool at 16]; pool at 64 is not; [event-loop at 4] neither",
		"it reaches 15x the throughput of [sequential] <pool at 16>",
	}
	for i, s := range evidence(w, rows) {
		var b strings.Builder
		for _, p := range s.Parts {
			if p.Row != "" {
				p.Text = "[" + p.Text + "]"
			}
			b.WriteString(p.Text)
		}
		for _, p := range s.From {
			b.WriteString(" <" + p.Text + ">")
		}
		if b.String() != want[i] {
			t.Errorf("%s\nwant %s", b.String(), want[i])
		}
	}
	for _, m := range model.All() {
		if got := namedCell.FindString("so " + string(m) + " at 3 it is"); got != string(m)+" at 3" {
			t.Errorf("%s at 3 reads %q", m, got)
		}
	}
}

// TestLinksLead finds the target of every link of a page in it.
func TestLinksLead(t *testing.T) {
	for _, name := range fixtures(t) {
		page := string(render(t, HTML, withFlames(t, fixture(t, name)), Options{}))
		parts := strings.Split(page, `href="#`)
		for _, p := range parts[1:] {
			id, _, _ := strings.Cut(p, `"`)
			if n := strings.Count(page, `id="`+id+`"`); n != 1 {
				t.Errorf("%s: %d elements have the ID %q of a link", name, n, id)
			}
		}
	}
}
