package reports

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// numeric is a word that is a number: with a bracket or the t of a trial before
// it, and a unit or a sign after it. A place as main.go:17 is none: two places
// are two things.
var numeric = regexp.MustCompile(`^([(\[]?t?)([0-9]+(?:\.[0-9]+)?)([^0-9]*)$`)

// skeleton is a text without its numbers: texts with the same skeleton say the
// same of different things.
func skeleton(s string) string {
	fields := strings.Fields(s)
	for i, f := range fields {
		if m := numeric.FindStringSubmatch(f); m != nil {
			fields[i] = m[1] + "0" + m[3]
		}
	}
	return strings.Join(fields, " ")
}

// merged returns one text for texts of one skeleton: where their numbers
// differ stands the range of them, "its pilot reached 7-25 % of the best".
func merged(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	if !slices.ContainsFunc(texts, func(s string) bool { return s != texts[0] }) {
		return texts[0]
	}
	fields := strings.Fields(texts[0])
	low, high := slices.Clone(fields), slices.Clone(fields)
	for _, s := range texts[1:] {
		for i, f := range strings.Fields(s) {
			if i >= len(fields) {
				break
			}
			if valueOf(f) < valueOf(low[i]) {
				low[i] = f
			}
			if valueOf(f) > valueOf(high[i]) {
				high[i] = f
			}
		}
	}
	for i := range fields {
		if fields[i] = low[i]; low[i] != high[i] {
			l, h := numeric.FindStringSubmatch(low[i]), numeric.FindStringSubmatch(high[i])
			fields[i] = l[1] + l[2] + "-" + h[2] + h[3]
		}
	}
	return strings.Join(fields, " ")
}

// valueOf is the number of a word, 0 if it is none.
func valueOf(word string) float64 {
	m := numeric.FindStringSubmatch(word)
	if m == nil {
		return 0
	}
	v, _ := strconv.ParseFloat(m[2], 64)
	return v
}
