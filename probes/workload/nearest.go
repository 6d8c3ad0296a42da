package workload

import "strings"

// Nearest returns the name that was probably meant by s: the one that differs
// in the fewest letters, as long as that is at most a third of them. It returns
// "" when none is near.
func Nearest(s string, names []string) string {
	s = strings.ToLower(strings.ReplaceAll(s, "-", "_"))
	best, least := "", len(s)/3+1
	if len(s) > 64 {
		return ""
	}
	for _, name := range names {
		plain := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
		if plain == s {
			return name
		}
		if d := distance(s, plain); d <= least && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
}

// distance is the optimal string alignment distance: insertions, deletions,
// replacements and swaps of neighbours each count 1.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	before, above, row := rows[0], rows[1], rows[2]
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
