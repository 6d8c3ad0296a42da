package scaling

import "math"

// Level is the confidence that intervals of a fit claim.
const Level = 0.95

// student holds the two-sided quantiles of Student's t distribution at Level
// for 1, 2, 3 and so on degrees of freedom (Abramowitz and Stegun, table
// 26.10); beyond the table the last one is used, which is too wide.
var student = [...]float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179}

// A Span is an interval at Level. High is +Inf where the levels do not bound
// the quantity from above.
type Span struct{ Low, High float64 }

// Intervals are the spans of a fit's parameters and of its peak.
type Intervals struct{ Sigma, Kappa, Peak Span }

// Spread returns how far the levels pin the fit down, and false where they
// are too few to tell.
//
// Sigma = b/a and Kappa = c/a are ratios of coefficients of a linear model,
// and the peak n solves c n^2 + b - a = 0, so each is the value z at which a
// linear combination of a, b and c is 0. The values at which the t test does
// not reject that are the interval (Fieller, Some Problems in Interval
// Estimation, 1954). It takes errors to be independent from level to level and
// alike relative to throughput; what the law misses counts as such an error.
func Spread(points []Point) (Intervals, bool) {
	freedom := len(points) - 3
	if freedom < 1 {
		return Intervals{}, false
	}
	e, ok := estimateOf(points, student[min(freedom, len(student))-1])
	if !ok {
		return Intervals{}, false
	}
	return Intervals{
		Sigma: e.zeros([3]float64{0, 1, 0}, [3]float64{-1, 0, 0}, 0),
		Kappa: e.zeros([3]float64{0, 0, 1}, [3]float64{-1, 0, 0}, 0),
		Peak:  root(e.zeros([3]float64{-1, 1, 0}, [3]float64{0, 0, 1}, 1)),
	}, true
}

func root(s Span) Span { return Span{math.Sqrt(s.Low), math.Sqrt(s.High)} }

// An estimate is the unbounded solution of the law's linear form, and the
// covariance of its coefficients times the square of the quantile of t.
type estimate struct {
	c   [3]float64
	cov [3][3]float64
}

func estimateOf(points []Point, t float64) (e estimate, ok bool) {
	free := []int{0, 1, 2}
	if e.c, ok = solve(points, free); !ok || !(e.c[0] > 0) {
		return e, false
	}
	var m [3][3]float64
	var rest float64
	for _, p := range points {
		y := p.N / p.Rate
		x := [3]float64{1 / y, (p.N - 1) / y, p.N * (p.N - 1) / y}
		miss := dot(x, e.c) - 1
		rest += miss * miss
		for i := range x {
			for k := range x {
				m[i][k] += x[i] * x[k]
			}
		}
	}
	det := dot(m[0], cross(m[1], m[2]))
	if !(det > 0) {
		return e, false
	}
	scale := t * t * rest / float64(len(points)-3) / det
	for i := range m { // m is symmetric, so its rows' cross products are its inverse
		for k, v := range cross(m[(i+1)%3], m[(i+2)%3]) {
			e.cov[i][k] = scale * v
		}
	}
	return e, true
}

// zeros returns the z of at least least at which (p + z q) . c may be 0. The
// set is that of A z^2 + 2 B z + C <= 0.
func (e *estimate) zeros(p, q [3]float64, least float64) Span {
	cp, cq := dot(e.c, p), dot(e.c, q)
	a := cq*cq - e.product(q, q)
	b := cp*cq - e.product(p, q)
	c := cp*cp - e.product(p, p)
	all := Span{least, math.Inf(1)}
	under := b*b - a*c
	if a == 0 || math.IsNaN(under) {
		return all
	}
	width := math.Sqrt(max(under, 0)) / math.Abs(a)
	low, high := -b/a-width, -b/a+width
	switch {
	case a > 0 && high < least && least == 1 && cq < 0:
		return Span{math.Inf(1), math.Inf(1)} // throughput grows ever faster: no peak
	case a > 0:
		return Span{max(low, least), max(high, least)}
	case under > 0 && low < least:
		return Span{max(high, least), math.Inf(1)} // what is below low has no meaning
	}
	return all
}

func (e *estimate) product(u, v [3]float64) float64 {
	return dot(u, [3]float64{dot(e.cov[0], v), dot(e.cov[1], v), dot(e.cov[2], v)})
}

func dot(u, v [3]float64) float64 { return u[0]*v[0] + u[1]*v[1] + u[2]*v[2] }

func cross(u, v [3]float64) [3]float64 {
	return [3]float64{u[1]*v[2] - u[2]*v[1], u[2]*v[0] - u[0]*v[2], u[0]*v[1] - u[1]*v[0]}
}
