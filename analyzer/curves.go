package analyzer

import (
	"fmt"
	"math"

	"github.com/concprof/concprof/analyzer/internal/scaling"
	"github.com/concprof/concprof/probes/model"
)

// judgeScaling fits the Universal Scalability Law to each model with levels,
// or says why there is no fit. A bad fit is said, not hidden: R2 stands beside
// it, and its peak is withheld.
func (j *judgement) judgeScaling() {
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
			switch peak := f.Peak(); {
			case f.R2 < j.o.MinR2:
				s.Refused = fmt.Sprintf("the law does not describe these levels: R2 is %.2f, less than %.2f", f.R2, j.o.MinR2)
			case math.IsInf(peak, 1):
				// JSON has no infinity; 0 stands for "no peak".
			default:
				s.PeakConcurrency = peak
			}
		}
		j.out.Scaling = append(j.out.Scaling, s)
	}
}
