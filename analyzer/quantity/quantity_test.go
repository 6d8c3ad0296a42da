package quantity

import (
	"math"
	"testing"
)

func TestQuantities(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Digits(0), "0"}, {Digits(0.01234), "0.0123"}, {Digits(1.234), "1.23"}, {Digits(99.96), "100"}, {Digits(1234), "1234"}, {Digits(math.Inf(1)), "-"},
		{Duration(0), "0 s"}, {Duration(950), "950 ns"}, {Duration(999.9), "1.00 µs"}, {Duration(11_700_000), "11.7 ms"}, {Duration(999_950_000), "1.00 s"},
		{Duration(61e9), "61.0 s"}, {Duration(1800e9), "1800 s"}, {Duration(-5e6), "-5.00 ms"}, {Duration(math.NaN()), "-"},
		{Rate(0), "0"}, {Rate(0.0512), "0.0512"}, {Rate(749.4), "749"}, {Rate(9994), "9994"}, {Rate(12345), "12.3k"}, {Rate(1.236e6), "1.24M"}, {Rate(math.NaN()), "-"},
		{Size(0), "0 B"}, {Size(1023), "1023 B"}, {Size(1<<20 - 100), "1.00 MiB"}, {Size(14 << 20), "14.0 MiB"}, {Size(8 << 30), "8.00 GiB"},
		{Fraction(0.0155), "0.02"}, {Fraction(-0.0001), "0.00"}, {Fraction(1.5), "1.50"}, {Fraction(-0.2), "-0.20"},
		{Ratio(0.031), "0.0310x"}, {Ratio(0.8912), "0.89x"}, {Ratio(0.9995), "1.00x"}, {Ratio(1), "1.00x"}, {Ratio(9.994), "9.99x"}, {Ratio(15.23), "15.2x"}, {Ratio(2100), "2100x"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
