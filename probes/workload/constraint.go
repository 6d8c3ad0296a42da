package workload

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Constraint is what a recommended model must keep to.
type Constraint struct {
	Metric Metric
	// Limit is in base units: nanoseconds, bytes, or a number.
	Limit float64
	// Strict is set for "<", unset for "<=".
	Strict bool
}

// Metric is what a constraint bounds.
type Metric string

// The metrics.
const (
	MetricP50     Metric = "p50" // of an op's latency
	MetricP95     Metric = "p95"
	MetricP99     Metric = "p99"
	MetricCPU     Metric = "cpu"     // CPU time an op
	MetricRSS     Metric = "rss"     // peak resident memory of the trial's processes
	MetricThreads Metric = "threads" // most OS threads
)

// Metrics returns every metric.
func Metrics() []Metric {
	return []Metric{MetricP50, MetricP95, MetricP99, MetricCPU, MetricRSS, MetricThreads}
}

var constraint = regexp.MustCompile(`^([a-z][a-z0-9_]*) *(<=?) *([0-9][^ ]*)$`)

// ParseConstraint reads "p99 <= 50ms".
func ParseConstraint(s string) (Constraint, error) {
	m := constraint.FindStringSubmatch(s)
	if m == nil {
		return Constraint{}, fmt.Errorf("expected a constraint, such as %q; got %s", "p99 <= 50ms", quoted(s))
	}
	c := Constraint{Metric: Metric(m[1]), Strict: m[2] == "<"}
	var err error
	switch c.Metric {
	case MetricP50, MetricP95, MetricP99, MetricCPU:
		c.Limit, err = durationUnit.parse(m[3])
	case MetricRSS:
		c.Limit, err = sizeUnit.parse(m[3])
	case MetricThreads:
		var n int
		if n, err = strconv.Atoi(m[3]); err != nil {
			err = fmt.Errorf("%s is not a whole number", quoted(m[3]))
		}
		c.Limit = float64(n)
	default:
		var names []string
		for _, known := range Metrics() {
			names = append(names, string(known))
		}
		hint := ""
		if near := Nearest(m[1], names); near != "" {
			hint = " (did you mean " + near + "?)"
		}
		return Constraint{}, fmt.Errorf("unknown metric %s%s: want %s", quoted(m[1]), hint, listed(names, "or"))
	}
	if err != nil {
		return Constraint{}, fmt.Errorf("%s: %w", strings.TrimSpace(m[1]), err)
	}
	return c, nil
}

// String writes c as it is read.
func (c Constraint) String() string {
	op := "<="
	if c.Strict {
		op = "<"
	}
	limit := strconv.FormatFloat(c.Limit, 'f', -1, 64)
	switch c.Metric {
	case MetricRSS:
		limit = Size(c.Limit).String()
	case MetricP50, MetricP95, MetricP99, MetricCPU:
		limit = Duration(c.Limit).String()
	}
	return fmt.Sprintf("%s %s %s", c.Metric, op, limit)
}
