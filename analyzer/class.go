package analyzer

import (
	"fmt"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/analyzer/quantity"
)

// classAt returns the class of a demand on the control scale.
func (o Options) classAt(d float64) Class {
	switch {
	case d >= o.CPUBand:
		return CPUBound
	case d <= o.IOBand:
		return IOBound
	}
	return Mixed
}

// A verdict is a class with how sure it is, and what would make it surer.
type verdict struct {
	class      Class
	confidence float64
	between    [2]Class // the two that the interval straddles
	why        string
	settle     string
}

// class judges an interval of demands on the control scale. The whole
// interval must lie in one band; one that straddles a band is inconclusive
// between the two.
func (o Options) class(d stats.Interval) verdict {
	if d.N < o.MinReps {
		return verdict{
			class:  Inconclusive,
			why:    fmt.Sprintf("the class needs %d sequential trials, there are %d", o.MinReps, d.N),
			settle: fmt.Sprintf("need %d classifying trials, have %d: a larger budget lets them finish", o.MinReps, d.N),
		}
	}
	low, mid, high := o.classAt(d.Low), o.classAt(d.Value), o.classAt(d.High)
	if low == high {
		return verdict{
			class: mid, confidence: d.Level,
			why: fmt.Sprintf("%s, so it is %s (%s)", told(d), mid, o.band(mid)),
		}
	}
	return verdict{
		class: Inconclusive, between: [2]Class{low, high},
		why:    fmt.Sprintf("%s, so it may be %s (%s) or %s (%s)", told(d), low, o.band(low), high, o.band(high)),
		settle: fmt.Sprintf("the demand's interval is %.2f wide and crosses a bound: more or longer sequential trials narrow it, on a quieter machine", d.High-d.Low),
	}
}

// told says in words what the demand is.
func told(d stats.Interval) string {
	value, low, high := quantity.Fraction(d.Value), quantity.Fraction(d.Low), quantity.Fraction(d.High)
	span := ""
	if low != high {
		span = low + " to " + high + " "
	}
	return fmt.Sprintf("its demand, the share of its time that it would compute on an idle machine, is %s (%sat %.0f %% confidence)",
		value, span, 100*d.Level)
}

// band says in words where a class lies.
func (o Options) band(c Class) string {
	switch c {
	case IOBound:
		return fmt.Sprintf("up to %.2f", o.IOBand)
	case CPUBound:
		return fmt.Sprintf("from %.2f", o.CPUBand)
	}
	return fmt.Sprintf("between %.2f and %.2f", o.IOBand, o.CPUBand)
}

// unscaled says what the demand reads by itself, where that is another number than
// the one between the run's controls, which decides: the verdict shows it.
func (d demand) unscaled() string {
	raw, scaled := d.Interval, d.scaled
	if quantity.Fraction(raw.Value) == quantity.Fraction(scaled.Value) && quantity.Fraction(raw.Low) == quantity.Fraction(scaled.Low) &&
		quantity.Fraction(raw.High) == quantity.Fraction(scaled.High) {
		return ""
	}
	return fmt.Sprintf("; that is between the run's controls, by itself it reads %s (%s to %s)",
		quantity.Fraction(raw.Value), quantity.Fraction(raw.Low), quantity.Fraction(raw.High))
}
