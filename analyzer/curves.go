package analyzer

import (
	"fmt"
	"math"

	"github.com/concprof/concprof/analyzer/internal/scaling"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
)

// judgeScaling fits the Universal Scalability Law to each model with levels,
// or says why there is no fit. A bad fit is said, not hidden: R2 stands beside
// it, and its peak is withheld.
func (j *judgement) judgeScaling() {
	if j.load.open() {
		j.say(ofMeasurement, "%s arrive whatever the model, so no speedup, no scaling law and no saturation is looked for", j.load.rateText())
		return
	}
	for _, m := range model.All() {
		ps := j.curve(m)
		if m == model.Sequential || len(ps) == 0 {
			continue
		}
		s := Scaling{Model: m}
		points := make([]scaling.Point, 0, len(ps))
		for _, p := range ps {
			points = append(points, scaling.Point{N: p.n, Rate: p.rate})
		}
		f, err := scaling.USL(points, j.o.MinLevels)
		if err != nil {
			s.Refused = err.Error()
		} else {
			s.Sigma, s.Kappa, s.R2, s.Lambda = f.Sigma, f.Kappa, f.R2, f.Lambda
			if f.R2 < j.o.MinR2 {
				s.Refused = fmt.Sprintf("the law does not describe these levels: R2 is %s, less than %s", quantity.Fraction(f.R2), quantity.Fraction(j.o.MinR2))
			} else {
				if peak := f.Peak(); !math.IsInf(peak, 1) { // JSON has no infinity
					s.PeakConcurrency = peak
				}
				s.Extrapolated = s.PeakConcurrency > ps[len(ps)-1].n
				s.spread(points, f)
			}
		}
		j.out.Scaling = append(j.out.Scaling, s)
	}
}

// spread adds the intervals of a fit. They are those of the law without its
// bounds, where a parameter may be negative: what the bounded fit reads is
// added to them, which only widens them.
func (s *Scaling) spread(points []scaling.Point, f scaling.Fit) {
	in, ok := scaling.Spread(points)
	if !ok {
		return
	}
	s.Level = scaling.Level
	s.SigmaInterval = ends(in.Sigma, f.Sigma)
	s.KappaInterval = ends(in.Kappa, f.Kappa)
	s.PeakInterval = ends(in.Peak, f.Peak())
}

// ends returns the ends of a span that has v in it, without those that are
// infinite, which JSON has not.
func ends(s scaling.Span, v float64) []float64 {
	var out []float64
	for _, end := range []float64{min(s.Low, v), max(s.High, v)} {
		if !math.IsInf(end, 1) {
			out = append(out, end)
		}
	}
	return out
}
