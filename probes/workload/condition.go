package workload

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/concprof/concprof/probes/model"
)

// A Condition is something asked of a verdict: a gate of continuous
// integration, or what a claim lets expect. "speedup(threads) >= 1.2".
type Condition struct {
	Subject Subject
	// Model is that of "speedup(model)" or "regression(model)", "" where the
	// recommendation is meant.
	Model model.Model
	Op    string // one of ==, !=, <, <=, >, >=
	// Word is what class, recommendation, limit and failures are compared with, Value, in
	// base units, what the others are.
	Word  string
	Value float64
}

// Subject is what a condition is about.
type Subject string

// The subjects. Those of words know == and != only; the metrics of constraints
// are subjects too, of the recommended cell.
const (
	SubjectClass          Subject = "class"
	SubjectRecommendation Subject = "recommendation" // a model, or none
	SubjectLimit          Subject = "limit"          // one of the limits, or none
	SubjectFailures       Subject = "failures"       // whether ops fail alike under every model
	SubjectDemand         Subject = "demand"
	SubjectSpeedup        Subject = "speedup"     // over sequential; of the recommendation, or of a model's best cell
	SubjectConcurrency    Subject = "concurrency" // of the recommendation
	// SubjectRegression is the share of its throughput that a workload has lost
	// since the baseline, at what that recommends, or in a model's best cell.
	// Only a comparison answers it.
	SubjectRegression Subject = "regression"
)

// subjects returns every subject.
func subjects() []Subject {
	all := []Subject{SubjectClass, SubjectRecommendation, SubjectLimit, SubjectFailures, SubjectDemand, SubjectSpeedup, SubjectConcurrency, SubjectRegression}
	for _, m := range Metrics() {
		all = append(all, Subject(m))
	}
	return all
}

// None is the word for no recommendation, no limit and no failure; Alike and
// Different say how the failures of the models compare.
const (
	None      = "none"
	Alike     = "alike"
	Different = "different"
)

// words returns what a subject of words may be compared with, nil for the
// others. The classes and limits are the analyzer's, a test of which holds it
// to them.
func (s Subject) words() []string {
	switch s {
	case SubjectClass:
		return []string{"io-bound", "cpu-bound", "mixed", "inconclusive"}
	case SubjectLimit:
		return []string{"lock", "gil", "gc", "memory", "loop-stall", "oversubscription", "downstream", None}
	case SubjectFailures:
		return []string{Alike, Different, None}
	case SubjectRecommendation:
		names := []string{None}
		for _, m := range model.All() {
			names = append(names, string(m))
		}
		return names
	}
	return nil
}

// metric returns the metric that a subject is, "" if it is none.
func (s Subject) metric() Metric {
	for _, m := range Metrics() {
		if Subject(m) == s {
			return m
		}
	}
	return ""
}

var condition = regexp.MustCompile(`^([a-z][a-z0-9_]*)(?:\( *([a-z-]+) *\))? *(==|!=|<=|>=|<|>) *([^ ]+)$`)

// ParseCondition reads "class == io-bound", "speedup(threads) >= 1.2" or
// "p99 <= 50ms".
func ParseCondition(s string) (Condition, error) {
	m := condition.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return Condition{}, fmt.Errorf("expected a condition, such as %q; got %s", "speedup >= 4", quoted(s))
	}
	c := Condition{Subject: Subject(m[1]), Op: m[3]}
	words := c.Subject.words()
	if !slices.Contains(subjects(), c.Subject) {
		var names []string
		for _, k := range subjects() {
			names = append(names, string(k))
		}
		return Condition{}, fmt.Errorf("unknown subject %s%s: want %s", quoted(m[1]), meant(m[1], names), listed(names, "or"))
	}
	if m[2] != "" {
		if c.Subject != SubjectSpeedup && c.Subject != SubjectRegression {
			return Condition{}, fmt.Errorf("%s is not of a model: only speedup and regression are, as in speedup(pool)", m[1])
		}
		var err error
		if c.Model, err = model.Parse(m[2]); err != nil {
			return Condition{}, err
		}
	}
	if words != nil {
		return c.withWord(m[4], words)
	}
	if c.Op == "==" || c.Op == "!=" {
		return Condition{}, fmt.Errorf("%s is measured, so no two are equal: compare it by <, <=, > or >=", m[1])
	}
	return c.withValue(m[4])
}

func (c Condition) withWord(word string, words []string) (Condition, error) {
	if c.Op != "==" && c.Op != "!=" {
		return Condition{}, fmt.Errorf("%s is a word: compare it by == or !=", c.Subject)
	}
	for _, w := range words {
		if w == word {
			c.Word = word
			return c, nil
		}
	}
	return Condition{}, fmt.Errorf("unknown %s %s%s: want %s", c.Subject, quoted(word), meant(word, words), listed(words, "or"))
}

func (c Condition) withValue(text string) (Condition, error) {
	var err error
	if c.Subject == SubjectRegression {
		digits, ok := strings.CutSuffix(text, "%")
		if c.Value, err = strconv.ParseFloat(digits, 64); !ok || err != nil || !(c.Value >= 0 && c.Value <= 100) {
			return Condition{}, fmt.Errorf("regression: want a percentage, such as 5%%; got %s", quoted(text))
		}
		c.Value /= 100
		return c, nil
	}
	switch c.Subject.metric() {
	case MetricRSS:
		c.Value, err = sizeUnit.parse(text)
	case MetricP50, MetricP95, MetricP99, MetricCPU:
		c.Value, err = durationUnit.parse(text)
	default:
		if c.Value, err = strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64); err != nil || !(c.Value >= 0 && c.Value < 1e12) {
			err = fmt.Errorf("%s is not a number", quoted(text))
		}
	}
	if err != nil {
		return Condition{}, fmt.Errorf("%s: %w", c.Subject, err)
	}
	return c, nil
}

// Admits reports whether a number fulfils c.
func (c Condition) Admits(v float64) bool {
	switch c.Op {
	case "<":
		return v < c.Value
	case "<=":
		return v <= c.Value
	case ">":
		return v > c.Value
	case ">=":
		return v >= c.Value
	}
	return false
}

// meant adds the nearest of some words as a question.
func meant(word string, words []string) string {
	if near := Nearest(word, words); near != "" {
		return " (did you mean " + near + "?)"
	}
	return ""
}

// String writes c as it is read.
func (c Condition) String() string {
	s := string(c.Subject)
	if c.Model != "" {
		s += "(" + string(c.Model) + ")"
	}
	limit := strconv.FormatFloat(c.Value, 'f', -1, 64)
	switch m := c.Subject.metric(); {
	case c.Word != "":
		limit = c.Word
	case c.Subject == SubjectRegression:
		limit = strconv.FormatFloat(math.Round(c.Value*1e10)/1e8, 'f', -1, 64) + "%"
	case m == MetricRSS:
		limit = Size(c.Value).String()
	case m != "" && m != MetricThreads:
		limit = Duration(c.Value).String()
	}
	return s + " " + c.Op + " " + limit
}
