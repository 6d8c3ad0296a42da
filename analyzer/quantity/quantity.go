// Package quantity writes what was measured as people read it: three
// significant digits, scaled, the unit after a space. Sentences, tables, pages
// and progress use it alike, so that a number of the table is found again in
// the sentence that rests on it. What a user sets, a budget or a bound, is
// written as a workload file has it ("30s", by workload.Duration), for it is
// there to be copied; documents for programs have base units.
package quantity

import (
	"math"
	"strconv"
)

// None stands for what is not a number.
const None = "-"

// Digits returns v with three significant digits and without an exponent,
// "0.0123", "1.23", "123", "1230".
func Digits(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return None
	}
	a := math.Abs(v)
	decimals := 0
	switch {
	case a == 0:
		return "0"
	case a < 0.9995:
		decimals = min(2-int(math.Floor(math.Log10(a*1.0005))), 9)
	case a < 9.995:
		decimals = 2
	case a < 99.95:
		decimals = 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// Duration returns a time given in nanoseconds, "20.5 ms".
func Duration(ns float64) string {
	switch a := math.Abs(ns); {
	case math.IsNaN(ns) || math.IsInf(ns, 0):
		return None
	case a == 0:
		return "0 s"
	case a >= 0.9995e9:
		return Digits(ns/1e9) + " s"
	}
	return scaled(ns, 1000, " ns", " µs", " ms")
}

// Rate returns ops per second, "747", "12.3k".
func Rate(v float64) string {
	if math.Abs(v) < 9995 || math.IsNaN(v) || math.IsInf(v, 0) {
		return Digits(v)
	}
	return scaled(v/1000, 1000, "k", "M", "G")
}

// Size returns a number of bytes, "12.3 MiB".
func Size(bytes float64) string {
	return scaled(bytes, 1024, " B", " KiB", " MiB", " GiB", " TiB")
}

// Fraction returns a share between 0 and 1 with the two decimals that thresholds
// have, "0.03". Clocks differ by some nanoseconds, so what only waits may read a
// little under 0: that is 0.
func Fraction(v float64) string {
	if v > -0.005 && v < 0 {
		v = 0
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Ratio returns how many times as much, "15.2x"; of what is less, two decimals
// tell enough: "0.89x".
func Ratio(v float64) string {
	if a := math.Abs(v); a >= 0.0995 && a < 9.995 {
		return strconv.FormatFloat(v, 'f', 2, 64) + "x"
	}
	return Digits(v) + "x"
}

// scaled returns v in the largest unit of which it has at least one. Values
// just under a step go to the next unit, so that 999.9 µs reads 1.00 ms and not
// 1000 µs.
func scaled(v, step float64, units ...string) string {
	i := 0
	for i < len(units)-1 && math.Abs(v) >= step*0.9995 {
		v /= step
		i++
	}
	return Digits(v) + units[i]
}
