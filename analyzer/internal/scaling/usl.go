// Package scaling fits the Universal Scalability Law to throughput measured
// at several levels of concurrency.
package scaling

import (
	"errors"
	"fmt"
	"math"
)

// A Point is the throughput at one level.
type Point struct{ N, Rate float64 }

// A Fit is X(N) = Lambda N / (1 + Sigma (N-1) + Kappa N (N-1)), where Sigma is
// the share of the work that is serial and Kappa the cost of keeping pairs of
// ops coherent (Gunther, Guerrilla Capacity Planning, chapter 4).
type Fit struct {
	Lambda, Sigma, Kappa float64
	// R2 is the share of the variance of throughput that the fit explains.
	R2 float64
}

// USL fits the law to points of distinct levels by least squares on relative
// errors, so that small and large levels weigh alike. It returns an error with
// fewer than min levels or for throughput that is not positive.
func USL(points []Point, min int) (Fit, error) {
	if len(points) < min {
		return Fit{}, fmt.Errorf("a fit needs %d levels, there are %d", min, len(points))
	}
	for _, p := range points {
		if !(p.N >= 1) || !(p.Rate > 0) || math.IsInf(p.N, 0) || math.IsInf(p.Rate, 0) {
			return Fit{}, fmt.Errorf("no throughput at concurrency %g", p.N)
		}
	}
	// N/X is linear in the law's parameters: with a = 1/Lambda,
	//
	//	N/X = a + b (N-1) + c N (N-1),  Sigma = b/a,  Kappa = c/a.
	//
	// An error of N/X relative to itself is one of X relative to itself.
	f, ok := best(points)
	if !ok {
		return Fit{}, errors.New("no curve of this law goes through these levels")
	}
	f.R2 = f.r2(points)
	return f, nil
}

// best solves the least squares with Sigma and Kappa at least 0: a negative
// one has no meaning, and taking its absolute value would hide a bad fit. With
// two bounded parameters the solution is the best of the four problems in
// which each is free or 0.
func best(points []Point) (Fit, bool) {
	var found Fit
	ok, least := false, math.Inf(1)
	for _, free := range [][]int{{0, 1, 2}, {0, 1}, {0, 2}, {0}} {
		c, solved := solve(points, free)
		if !solved || c[0] <= 0 || c[1] < 0 || c[2] < 0 {
			continue
		}
		f := Fit{Lambda: 1 / c[0], Sigma: c[1] / c[0], Kappa: c[2] / c[0]}
		if e := f.errors(points); e < least {
			found, least, ok = f, e, true
		}
	}
	return found, ok
}

// errors is the sum of the squares that solve minimises.
func (f Fit) errors(points []Point) float64 {
	var sum float64
	for _, p := range points {
		e := p.Rate/f.At(p.N) - 1
		sum += e * e
	}
	return sum
}

// At returns the throughput that the fit expects at a level.
func (f Fit) At(n float64) float64 {
	return f.Lambda * n / (1 + f.Sigma*(n-1) + f.Kappa*n*(n-1))
}

// Peak returns the level of most throughput, sqrt((1-Sigma)/Kappa), at least
// 1. Without coherency cost throughput only ever grows: then it is +Inf.
func (f Fit) Peak() float64 {
	switch {
	case f.Sigma > 1-1e-9: // nothing is parallel, but for rounding
		return 1
	case f.Kappa <= 0:
		return math.Inf(1)
	}
	return max(math.Sqrt((1-f.Sigma)/f.Kappa), 1)
}

func (f Fit) r2(points []Point) float64 {
	var mean float64
	for _, p := range points {
		mean += p.Rate / float64(len(points))
	}
	var rest, total float64
	for _, p := range points {
		rest += (p.Rate - f.At(p.N)) * (p.Rate - f.At(p.N))
		total += (p.Rate - mean) * (p.Rate - mean)
	}
	if total == 0 {
		return 0
	}
	return 1 - rest/total
}

// solve finds the coefficients of 1, N-1 and N(N-1), of which only the free
// ones are not 0, that minimise the squares of (model - N/X) / (N/X).
func solve(points []Point, free []int) (c [3]float64, ok bool) {
	k := len(free)
	m := make([][]float64, k) // the normal equations, right-hand side last
	for i := range m {
		m[i] = make([]float64, k+1)
	}
	for _, p := range points {
		y := p.N / p.Rate
		x := [3]float64{1 / y, (p.N - 1) / y, p.N * (p.N - 1) / y}
		for i, fi := range free {
			for l, fl := range free {
				m[i][l] += x[fi] * x[fl]
			}
			m[i][k] += x[fi]
		}
	}
	for i := range k {
		pivot := i
		for r := i + 1; r < k; r++ {
			if math.Abs(m[r][i]) > math.Abs(m[pivot][i]) {
				pivot = r
			}
		}
		m[i], m[pivot] = m[pivot], m[i]
		if m[i][i] == 0 {
			return c, false
		}
		for r := range k {
			if r == i {
				continue
			}
			q := m[r][i] / m[i][i]
			for col := i; col <= k; col++ {
				m[r][col] -= q * m[i][col]
			}
		}
	}
	for i, fi := range free {
		c[fi] = m[i][k] / m[i][i]
	}
	return c, true
}
