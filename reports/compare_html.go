package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/concprof/concprof/analyzer/compare"
)

// comparePage is what the page of a comparison shows. Its strings are plain
// text, which the template escapes for where they stand.
type comparePage struct {
	Title   string
	CSS     template.CSS
	CSP     string
	Summary string
	Alpha   string
	// SideBySide says how runs were measured whose trials were interleaved.
	SideBySide string

	Changes, Absent, Differences []string
	Doubts                       []doubt
	Workloads                    []comparedView
	Base, Head                   sourceView
}

type sourceView struct{ Label, Line string }

type comparedView struct {
	ID, Name, Class, Recommendation, Legend string
	Unit                                    string // of what a table has of each run
	BaseLabel, HeadLabel                    string
	Rows                                    []comparedRow
	Gates                                   []gateView
	Only                                    []string
}

type comparedRow struct {
	Model, Level, Base, BaseSpread, Head, HeadSpread string
	Change, Span, P, Trials, Verdict                 string
	Told                                             bool
}

// comparisonPage is a comparison as one self-contained page, under the policy
// of htmlPage: it runs no script and fetches nothing.
func comparisonPage(c *compare.Comparison) ([]byte, error) {
	css := strings.TrimSpace(pageStyle)
	p := comparePageOf(c)
	p.Title = "concprof: " + short(c.Base.Label, 40) + " and " + short(c.Head.Label, 40)
	p.CSS, p.CSP = template.CSS(css), policy(css, "")
	t, err := template.ParseFS(pageFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the page's templates: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "compare.html", p); err != nil {
		return nil, fmt.Errorf("render the page: %w", err)
	}
	return b.Bytes(), nil
}

// comparePageOf is what a page shows of a comparison.
func comparePageOf(c *compare.Comparison) *comparePage {
	p := &comparePage{
		Summary: plain(summary(c)), Alpha: share(c.Alpha), SideBySide: plain(sideBySide(c)),
		Changes: plainAll(turns(c)), Absent: plainAll(absent(c)),
		Base: sourceView{plain(c.Base.Label), plain(sourceLine(&c.Base))},
		Head: sourceView{plain(c.Head.Label), plain(sourceLine(&c.Head))},
	}
	for _, d := range c.Differences {
		p.Differences = append(p.Differences, plain(d.String()))
	}
	for _, w := range c.Warnings {
		if w.ID != compare.WarnForced || len(c.Differences) == 0 { // else said above, with what differs
			p.Doubts = append(p.Doubts, plainDoubt(doubt{Warning: w}))
		}
	}
	for i := range c.Workloads {
		p.Workloads = append(p.Workloads, comparedViewOf(c, i))
	}
	return p
}

func plainAll(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, plain(s))
	}
	return out
}

func comparedViewOf(c *compare.Comparison, i int) comparedView {
	w := &c.Workloads[i]
	v := comparedView{
		ID: fmt.Sprintf("c%d", i+1), Name: plain(w.Name), Legend: plain(compareLegend(c, w)), Gates: gateViews(w.Gate),
		BaseLabel: plain(c.Base.Label), HeadLabel: plain(c.Head.Label),
		Class: plain(fromTo(w.Class)), Recommendation: plain(fromTo(w.Recommendation)),
		Unit: unit(w),
		Only: plainAll(append(untold(w), onlyCells(c, w, true)...)),
	}
	for k := range w.Cells {
		x := &w.Cells[k]
		base, head := readings(x)
		row := comparedRow{
			Model: plain(string(x.Model)), Level: strconv.Itoa(x.Concurrency),
			Base: base.value, BaseSpread: base.spread, Head: head.value, HeadSpread: head.spread,
			Change: changeText(x), Span: changeSpan(x), P: pText(x), Trials: trialsText(x), Verdict: plain(string(x.Verdict)),
			Told: told(x),
		}
		switch {
		case x.Verdict == compare.Untested && x.Load != nil:
			row.Verdict = "not compared"
		case x.Verdict == compare.Untested:
			row.Verdict = "too few trials"
		case x.Verdict == compare.Neither:
			row.Verdict = "does not hold the rate in either"
		case x.Verdict == compare.Behind:
			row.Verdict = "no longer holds the rate"
		case x.Verdict == compare.Keeps:
			row.Verdict = "holds the rate now"
		case x.Verdict == compare.Same && x.Why == compare.BelowFloor:
			row.Verdict = "below the " + plain(x.Why)
		case x.Verdict == compare.Same:
			row.Verdict = "not told apart"
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// fromTo is a change in words, or what has not changed.
func fromTo(c compare.Change) string {
	if !c.Changed {
		return c.Head
	}
	s := c.Head + ", was " + c.Base
	if c.Note != "" {
		s += " (" + c.Note + ")"
	}
	return s
}
