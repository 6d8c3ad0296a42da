package stats

import (
	"cmp"
	"math"
	"slices"
)

// exactValues is the most values of both samples together for which RankSum
// counts every permutation; above it the normal approximation is off by less
// than a hundredth of the p-value near 0.05.
const exactValues = 64

// RankSum returns the two-sided p-value of the Mann-Whitney U test, which is
// Wilcoxon's rank-sum test: how often two samples of these sizes from one
// distribution differ in rank at least as much as a and b do. It is 1 if
// either is empty.
//
// The distribution is that of all ways to part the pooled values, equal ones
// sharing their mean rank, so it is exact with ties too. It is counted with
// the shift algorithm (Streitberg and Röhmel: Exact distributions for
// permutation and rank tests, 1986). Of more than 64 values the normal
// approximation with correction for ties is used (Lehmann: Nonparametrics,
// 1975, section 1.3).
func RankSum(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 1
	}
	ranks, ties := doubleRanks(a, b)
	if len(ranks) > exactValues {
		return normalRankSum(ranks, len(a), ties)
	}
	return exactRankSum(ranks, len(a))
}

// offCentre returns four times what the rank sum of the first n values is
// expected to be, and four times how far off it is, of twice the ranks: whole
// numbers, so that equal distances compare equal.
func offCentre(ranks []int, n int) (expected, off int) {
	sum := 0
	for _, r := range ranks[:n] {
		sum += r
	}
	expected = 2 * n * (len(ranks) + 1)
	return expected, abs(2*sum - expected)
}

func normalRankSum(ranks []int, n int, ties float64) float64 {
	_, off := offCentre(ranks, n)
	all := len(ranks)
	variance := float64(n*(all-n)) / 12 * (float64(all+1) - ties/float64(all*(all-1)))
	if variance <= 0 {
		return 1
	}
	z := max(float64(off)/4-0.5, 0) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2)
}

func exactRankSum(ranks []int, n int) float64 {
	expected, off := offCentre(ranks, n)
	// Without ties every doubled rank is even: half of each counts the same.
	unit := 2
	for _, r := range ranks {
		if r%2 != 0 {
			unit = 1
		}
	}
	all := 0
	for _, r := range ranks {
		all += r / unit
	}
	// ways[k][s] is in how many ways k of the ranks so far sum to s.
	ways := make([][]float64, n+1)
	for k := range ways {
		ways[k] = make([]float64, all+1)
	}
	ways[0][0] = 1
	sum := 0
	for i, r := range ranks {
		r /= unit
		sum += r
		for k := min(i+1, n); k >= 1; k-- {
			to, from := ways[k][r:sum+1], ways[k-1]
			for s := range to {
				to[s] += from[s]
			}
		}
	}
	var far, total float64
	for s, w := range ways[n] {
		total += w
		if abs(2*unit*s-expected) >= off {
			far += w
		}
	}
	return min(far/total, 1)
}

// doubleRanks returns twice the mean ranks of the values of a and then b among
// all of them, and the sum of t³-t over groups of t equal values.
func doubleRanks(a, b []float64) (ranks []int, ties float64) {
	all := slices.Concat(a, b)
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(all[x], all[y]) })
	ranks = make([]int, len(all))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && all[order[j]] == all[order[i]] {
			j++
		}
		for _, at := range order[i:j] {
			ranks[at] = i + 1 + j // twice the mean of i+1 to j
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ranks, ties
}

// LeastRankSum returns the least p-value that RankSum can give for samples of
// n and m different values: that of samples that do not overlap.
func LeastRankSum(n, m int) float64 {
	if n == 0 || m == 0 {
		return 1
	}
	ways := 1.0 // n+m choose n
	for i := 1; i <= n; i++ {
		ways *= float64(m+i) / float64(i)
	}
	return min(2/ways, 1)
}

// Holm returns p-values corrected for being as many as they are: the
// probability of any false rejection is at most the level, however the tests
// depend on each other (Holm: A simple sequentially rejective multiple test
// procedure, 1979).
func Holm(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(ps[x], ps[y]) })
	out := make([]float64, len(ps))
	least := 0.0
	for i, at := range order {
		least = max(least, min(ps[at]*float64(len(ps)-i), 1))
		out[at] = least
	}
	return out
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
