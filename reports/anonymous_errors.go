package reports

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
)

// leftOut stands where a message was.
const leftOut = "left out"

// leaveOut takes what ops returned, what errors said and lines of source out of
// a workload: from the fields that hold them, and from the sentences that quote
// an error behind a colon.
func leaveOut(w *analyzer.Workload) {
	if w.Dry != nil {
		w.Dry.Result = ""
	}
	for i := range w.Differences {
		w.Differences[i].Sequential, w.Differences[i].Returned = "", ""
	}
	for i := range w.Limits {
		w.Limits[i].Excerpt = nil
	}
	var quoted []string
	for i := range w.Cells {
		c := &w.Cells[i]
		quoted = append(quoted, withoutMessages(c.Errors)...)
		before, message := cutMessage(c.Reason)
		switch {
		case c.Status == record.Partial:
			quoted = append(quoted, message)
			c.Reason = before
		case c.Status.Broken() && c.Status != record.WrongResult:
			quoted = append(quoted, c.Reason, message)
			c.Reason = leftOut
		}
	}
	for i := range w.ErrorHandling {
		h := &w.ErrorHandling[i]
		quoted = append(quoted, withoutMessages(h.Errors)...)
		quoted, h.Notes = append(quoted, h.Notes...), []string{}
	}
	if r := w.Race; r != nil {
		before, message := cutMessage(r.Skipped)
		quoted, r.Skipped = append(quoted, message), before
	}
	say := unquote(quoted)
	for _, s := range sentences(w) {
		*s = say.ReplaceAllString(*s, ": "+leftOut+"$1")
	}
}

// leastQuote is the least length of a message that sentences are searched for,
// so that no number of theirs is taken for one.
const leastQuote = 4

// unquote matches any of the messages where a sentence quotes it: between a
// colon and what ends a clause.
func unquote(messages []string) *regexp.Regexp {
	var any []string
	for _, m := range messages {
		if len(m) >= leastQuote {
			any = append(any, regexp.QuoteMeta(m))
		}
	}
	slices.SortFunc(any, func(x, y string) int { return cmp.Or(len(y)-len(x), strings.Compare(x, y)) })
	if any = slices.Compact(any); len(any) == 0 {
		return regexp.MustCompile(`$.^()`) // nothing
	}
	return regexp.MustCompile(`: (?:` + strings.Join(any, "|") + `)($|[,;:)\s])`)
}

// cutMessage returns a reason without what follows its first colon, and that.
func cutMessage(reason string) (without, message string) {
	before, message, found := strings.Cut(reason, ": ")
	if !found {
		return reason, ""
	}
	return before + ": " + leftOut, message
}

// withoutMessages takes the messages from errors and returns them.
func withoutMessages(errors []record.ErrorCount) []string {
	var said []string
	for i := range errors {
		said = append(said, errors[i].Message)
		errors[i].Message = ""
	}
	return said
}

// sentences are the texts of a workload that may quote an error.
func sentences(w *analyzer.Workload) []*string {
	all := []*string{&w.Undecided, &w.Settle}
	for i := range w.Evidence {
		all = append(all, &w.Evidence[i])
	}
	for i := range w.Warnings {
		all = append(all, &w.Warnings[i].Message, &w.Warnings[i].Remedy)
	}
	for i := range w.Gate {
		all = append(all, &w.Gate[i].Why)
	}
	if w.Claim != nil {
		all = append(all, &w.Claim.Why, &w.Claim.Because)
	}
	if w.Recommendation != nil {
		for i := range w.Recommendation.Why {
			all = append(all, &w.Recommendation.Why[i])
		}
	}
	return all
}
