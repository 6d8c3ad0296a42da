package reports

import (
	"fmt"

	"github.com/concprof/concprof/analyzer"
)

// claimLine is what becomes of a claim, with the numbers: "“…” is refuted here:
// speedup(threads) >= 1.2, found 0.83x (0.81x to 0.85x)".
func claimLine(c *analyzer.Claim) string {
	standing := string(c.Standing) + " here"
	switch c.Standing {
	case analyzer.Supported, analyzer.Refuted:
	default:
		standing = "undecided here"
	}
	return fmt.Sprintf("“%s” is %s: %s%s", c.Says, standing, c.Condition, found(&c.Answer))
}

// claimWhy is claimLine with the verdict's reason.
func claimWhy(c *analyzer.Claim) string {
	s := claimLine(c)
	if c.Because != "" {
		s += "; " + c.Because
	}
	return s
}

// found says what was found for a condition, and why it is undecided.
func found(a *analyzer.Answer) string {
	s := ""
	if a.Found != "" {
		s += ", found " + a.Found
	}
	if a.Why != "" {
		s += ", " + a.Why
	}
	return s
}

// outcome is the outcome of a gate in words.
func outcome(a *analyzer.Answer) string {
	switch a.Outcome {
	case analyzer.Met:
		return "met"
	case analyzer.NotMet:
		return "NOT MET"
	}
	return "UNDECIDED"
}

func gateLine(a *analyzer.Answer) string { return a.Condition + ": " + outcome(a) + found(a) }

// A gateView is an answer on the page; Class is a style class.
type gateView struct{ Condition, Outcome, Found, Class string }

// A claimView is a claim on the page.
type claimView struct{ Says, Standing, Class, Numbers, Because string }

func gateViews(answers []analyzer.Answer) []gateView {
	var out []gateView
	for i := range answers {
		a := &answers[i]
		out = append(out, gateView{plain(a.Condition), outcome(a), plain(found(a)), answerClass(a.Outcome)})
	}
	return out
}

func claimOf(w *analyzer.Workload) *claimView {
	c := w.Claim
	if c == nil {
		return nil
	}
	standing := "undecided"
	switch c.Standing {
	case analyzer.Supported, analyzer.Refuted:
		standing = string(c.Standing)
	}
	return &claimView{plain(c.Says), standing, answerClass(c.Outcome), plain(c.Condition + found(&c.Answer)), plain(c.Because)}
}

// answerClass is the style class of an outcome.
func answerClass(o analyzer.Outcome) string {
	switch o {
	case analyzer.Met:
		return "good"
	case analyzer.NotMet:
		return "bad"
	}
	return "doubt"
}
