package faults

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// The verdicts on a row.
const (
	passed   = "pass"
	skipped  = "skipped"
	untested = "untested"
	failed   = "FAIL"
)

// judge says what was seen of a row, with details a line each.
func judge(r Row, s seen) (verdict string, details []string) {
	verdict = passed
	if len(r.Tests) == 0 {
		if !strings.HasPrefix(r.Untested, "not ") {
			return failed, []string{"neither a test nor a reason"}
		}
		return untested, []string{r.Untested}
	}
	ran := 0
	for _, t := range r.Tests {
		end := s[t]
		switch {
		case end == nil || end.Action == "":
			verdict = failed
			details = append(details, fmt.Sprintf("%v did not run", t))
		case end.Action == "fail":
			verdict = failed
			details = append(details, fmt.Sprintf("%v failed", t))
		case end.Action == "pass":
			ran++
		}
		if end != nil {
			why := slices.Clone(end.Skips)
			slices.Sort(why)
			for _, w := range slices.Compact(why) {
				details = append(details, fmt.Sprintf("%v: skipped: %s", t, w))
			}
		}
	}
	if verdict == passed && ran == 0 {
		verdict = skipped
	}
	if r.Untested != "" {
		details = append(details, r.Untested)
	}
	return verdict, details
}

// print writes the table and returns ErrFailed if a row failed.
func print(w io.Writer, rows []Row, s seen) error {
	count := map[string]int{}
	for _, r := range rows {
		verdict, details := judge(r, s)
		count[verdict]++
		ran := fmt.Sprintf("%d tests", len(r.Tests))
		if len(r.Tests) == 1 {
			ran = "1 test"
		}
		fmt.Fprintf(w, "%2d  %s\n    expected: %s\n    seen:     %s (%s)\n", r.Number, r.Fault, r.Expected, verdict, ran)
		for _, d := range details {
			fmt.Fprintf(w, "              %s\n", d)
		}
	}
	fmt.Fprintf(w, "%d rows: %d pass, %d skipped here, %d untested with a reason, %d FAIL\n",
		len(rows), count[passed], count[skipped], count[untested], count[failed])
	if count[failed] > 0 {
		return fmt.Errorf("%d %w", count[failed], ErrFailed)
	}
	return nil
}
