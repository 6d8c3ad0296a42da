package workload

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxUnitText bounds the text of a quantity, so that no number in it is slow
// to read.
const maxUnitText = 32

// A unit is a family of quantities that are written as text. Their values are
// in base units: nanoseconds, bytes, ops per second.
type unit struct {
	what  string // completes "expected ..."
	shape *regexp.Regexp
	value func(string) (float64, error) // of text that has the shape
}

var (
	durationUnit = unit{
		"a time with its unit, such as 20ms",
		regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$`),
		func(s string) (float64, error) { d, err := time.ParseDuration(s); return float64(d), err },
	}
	sizeUnit = unit{
		"a size with its unit, such as 64KiB or 200MB",
		regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB)$`),
		func(s string) (float64, error) { n, err := sizeOf(s); return float64(n), err },
	}
	rateUnit = unit{
		"a rate with its unit, such as 200/s",
		regexp.MustCompile(`^[0-9]+(\.[0-9]+)?/(s|m|h)$`),
		rateOf,
	}
)

func (u unit) shaped(s string) bool { return len(s) <= maxUnitText && u.shape.MatchString(s) }

// parse returns the quantity in base units.
func (u unit) parse(s string) (float64, error) {
	if !u.shaped(s) {
		return 0, fmt.Errorf("%q is not %s", cut(s), u.what)
	}
	v, err := u.value(s)
	if err != nil {
		return 0, fmt.Errorf("%s is too great for %s", s, u.what)
	}
	return v, nil
}

// parseAny reads a quantity of any unit.
func parseAny(s string) (unit, float64, error) {
	for _, u := range []unit{durationUnit, sizeUnit, rateUnit} {
		if u.shaped(s) {
			v, err := u.parse(s)
			return u, v, err
		}
	}
	return unit{}, 0, fmt.Errorf("%q is no time, size or rate with its unit", cut(s))
}

// bytesPer maps a size's unit to bytes: SI prefixes are powers of 1000, IEC
// prefixes powers of 1024 (IEC 80000-13).
var bytesPer = map[string]int64{
	"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

func sizeOf(s string) (int64, error) {
	at := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	r, ok := new(big.Rat).SetString(s[:at])
	if !ok {
		return 0, strconv.ErrSyntax
	}
	r.Mul(r, new(big.Rat).SetInt64(bytesPer[s[at:]]))
	n := new(big.Int).Quo(r.Num(), r.Denom()) // a fraction of a byte is dropped
	if !n.IsInt64() {
		return 0, strconv.ErrRange
	}
	return n.Int64(), nil
}

func rateOf(s string) (float64, error) {
	number, per, _ := strings.Cut(s, "/")
	v, err := strconv.ParseFloat(number, 64)
	switch per {
	case "m":
		v /= 60
	case "h":
		v /= 3600
	}
	return v, err
}

// ParseDuration reads a time with its unit. Unlike time.ParseDuration it takes
// no sign and no bare 0.
func ParseDuration(s string) (Duration, error) {
	v, err := durationUnit.parse(s)
	if err != nil {
		return 0, err
	}
	if v > math.MaxInt64/2 { // 146 years; a float64 is not exact near the end
		return 0, fmt.Errorf("%s is too great for %s", s, durationUnit.what)
	}
	d, _ := time.ParseDuration(s)
	return Duration(d), nil
}

// ParseSize reads a number of bytes with its unit; a fraction of a byte is
// dropped.
func ParseSize(s string) (Size, error) {
	if _, err := sizeUnit.parse(s); err != nil {
		return 0, err
	}
	n, err := sizeOf(s)
	return Size(n), err
}

// ParseRate reads a number of ops per second, minute or hour.
func ParseRate(s string) (Rate, error) {
	v, err := rateUnit.parse(s)
	return Rate(v), err
}

// String writes d as short as it can be read back: "20ms", "1m30s", "2h".
func (d Duration) String() string {
	s := strings.ReplaceAll(time.Duration(d).String(), "µ", "u")
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// String writes s in the unit that makes it shortest without rounding; of
// units that are equally good, the binary one.
func (s Size) String() string {
	best := fmt.Sprintf("%dB", int64(s))
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB"} {
		if s != 0 && int64(s)%bytesPer[u] == 0 {
			if t := fmt.Sprintf("%d%s", int64(s)/bytesPer[u], u); len(t)-len(u) < digits(best) {
				best = t
			}
		}
	}
	return best
}

func digits(s string) int {
	return len(strings.TrimRight(s, "BKkMGTi"))
}

// String writes r per second.
func (r Rate) String() string { return strconv.FormatFloat(float64(r), 'f', -1, 64) + "/s" }

// MarshalJSON writes the quantity as text, with its unit.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// MarshalJSON writes the quantity as text, with its unit.
func (s Size) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalJSON writes the quantity as text, with its unit.
func (r Rate) MarshalJSON() ([]byte, error) { return json.Marshal(r.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Duration) UnmarshalJSON(data []byte) error { return unmarshalText(data, d, ParseDuration) }

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Size) UnmarshalJSON(data []byte) error { return unmarshalText(data, s, ParseSize) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Rate) UnmarshalJSON(data []byte) error { return unmarshalText(data, r, ParseRate) }

func unmarshalText[T any](data []byte, to *T, parse func(string) (T, error)) error {
	if string(data) == "null" {
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	v, err := parse(s)
	if err != nil {
		return err
	}
	*to = v
	return nil
}
