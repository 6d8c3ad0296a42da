package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
)

// curveSteps is the number of lines that a curve of the scaling law is drawn
// with: no corner shows.
const curveSteps = 28

// fitted returns the path of the scaling law fitted to a model's levels, from
// the lowest of them to the highest, cut at the ends of the y axis; "" where
// there is no fit. at is the x of a level in percent.
func fitted(w *analyzer.Workload, m model.Model, at func(float64) float64, y axis) string {
	i := slices.IndexFunc(w.Scaling, func(s analyzer.Scaling) bool { return s.Model == m })
	if i < 0 || w.Scaling[i].Refused != "" || !(w.Scaling[i].Lambda > 0) {
		return ""
	}
	low, high := math.Inf(1), 0.0
	for j := range w.Cells {
		c := &w.Cells[j]
		if v, _, _, _ := throughput().of(c); c.Model == m && v > 0 {
			low, high = min(low, float64(c.Concurrency)), max(high, float64(c.Concurrency))
		}
	}
	if !(high > low) {
		return ""
	}
	var b strings.Builder
	command := "M"
	for k := range curveSteps + 1 {
		n := low * math.Pow(high/low, float64(k)/curveSteps)
		v := usl(w.Scaling[i], n)
		// Beyond the paper there is no curve. A comparison with NaN fails.
		if !(v >= y.low && v <= y.high) {
			command = "M"
			continue
		}
		b.WriteString(command + trimmed(at(n)) + " " + px(y.at(v)))
		command = "L"
	}
	return b.String()
}

// usl is the throughput that a fit of the Universal Scalability Law expects of
// n ops in flight (Gunther, Guerrilla Capacity Planning, chapter 4).
func usl(s analyzer.Scaling, n float64) float64 {
	return s.Lambda * n / (1 + s.Sigma*(n-1) + s.Kappa*n*(n-1))
}

// fitsNote says which curves are drawn; where there is none, why.
func fitsNote(w *analyzer.Workload, all []series) string {
	var drawn []string
	for _, s := range all {
		if s.Fit != "" {
			drawn = append(drawn, s.Name)
		}
	}
	if len(drawn) > 0 {
		return "thin curve: the scaling law fitted to " + strings.Join(drawn, ", ")
	}
	var why []string
	for _, s := range w.Scaling {
		if s.Refused != "" {
			why = append(why, fmt.Sprintf("%s: %s", s.Model, s.Refused))
		}
	}
	if len(why) == 0 {
		return ""
	}
	return plain("no scaling curve: " + strings.Join(mergeModels(why), "; "))
}

// mergeModels joins the models that have one reason, "pool, threads: reason".
func mergeModels(why []string) []string {
	var out []string
	for _, s := range why {
		m, reason, _ := strings.Cut(s, ": ")
		i := slices.IndexFunc(out, func(o string) bool { return strings.HasSuffix(o, ": "+reason) })
		if i < 0 {
			out = append(out, s)
			continue
		}
		out[i] = strings.TrimSuffix(out[i], ": "+reason) + ", " + m + ": " + reason
	}
	return out
}

// fitLine tells of one fit, with what the levels leave open of it.
func fitLine(s *analyzer.Scaling) string {
	peak := "no peak"
	if s.PeakConcurrency > 0 {
		peak = "peak at " + quantity.Digits(s.PeakConcurrency) + within(s.PeakInterval) + " in flight"
	} else if in := s.PeakInterval; len(in) > 0 && in[0] > 1 {
		peak += " below " + quantity.Digits(in[0]) + " in flight"
	}
	if s.Extrapolated {
		peak += ", beyond the levels measured"
	}
	line := fmt.Sprintf("%s: contention %s%s, coherence %s%s, %s, R² %s", s.Model,
		quantity.Digits(s.Sigma), within(s.SigmaInterval), quantity.Digits(s.Kappa), within(s.KappaInterval), peak, quantity.Digits(s.R2))
	if s.Level > 0 {
		line += fmt.Sprintf("; intervals at %.0f %%", 100*s.Level)
	}
	return line
}

// within returns an interval in brackets, " (12-31)", " (12 or more)".
func within(in []float64) string {
	switch len(in) {
	case 1:
		return " (" + quantity.Digits(in[0]) + " or more)"
	case 2:
		return " (" + quantity.Digits(in[0]) + "-" + quantity.Digits(in[1]) + ")"
	}
	return ""
}
