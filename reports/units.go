package reports

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/concprof/concprof/analyzer/quantity"
)

// dash stands for a number that was not measured.
const dash = quantity.None

// duration returns a time given in nanoseconds, "20.5 ms".
func duration(ns float64) string { return orDash(ns, quantity.Duration) }

// rate returns ops per second, "747", "12.3k".
func rate(v float64) string { return orDash(v, quantity.Rate) }

// size returns a number of bytes, "12.3 MiB".
func size(n int64) string { return orDash(float64(n), quantity.Size) }

// ratio returns a speedup, "15.2x".
func ratio(v float64) string { return orDash(v, quantity.Ratio) }

// orDash writes v, and a dash for 0: in a table that is what was not measured.
func orDash(v float64, write func(float64) string) string {
	if v == 0 {
		return dash
	}
	return write(v)
}

// share returns a share as a percentage, "97 %"; what would round to 0 or 100
// without being it says so.
func share(v float64) string {
	p := v * 100
	switch {
	case math.IsNaN(p):
		return dash
	case p > 0 && p < 0.5:
		return "<1 %"
	case p < 100 && p >= 99.5:
		return ">99 %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

// percent returns a relative number with a decimal where it tells something,
// "0.4 %", "99.6 %", "42 %".
func percent(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return dash
	}
	p := v * 100
	if a := math.Abs(p); a >= 9.95 && (a < 99 || a >= 99.95) {
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + " %"
}

// span returns an interval with as many decimals as its width deserves,
// "14.8-15.6".
func span(low, high float64) string {
	end := func(v float64) string { return strings.TrimSuffix(quantity.Ratio(v), "x") }
	l, h := end(low), end(high)
	// Both ends with the same number of decimals: the larger end's.
	if i := strings.IndexByte(h, '.'); i >= 0 {
		l = strconv.FormatFloat(low, 'f', len(h)-i-1, 64)
	} else if h != dash && math.Abs(high) >= 100 {
		l = strconv.FormatFloat(low, 'f', 0, 64)
	}
	return l + "-" + h
}

// demand returns a demand, "0.03".
func demand(v float64) string { return quantity.Fraction(v) }

// count returns n with thousands separated, "12,345".
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural returns n and the noun, with an s unless n is one.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// columns returns how many columns of a terminal s takes. It is for text that
// plain has been applied to.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fit cuts s to n columns.
func fit(s string, n int) string {
	w := 0
	for i, r := range s {
		w += runeColumns(r)
		if w > n {
			return s[:i]
		}
	}
	return s
}
