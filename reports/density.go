package reports

// A density says how much of each workload the page shows where bytes are
// dear. Verdict, evidence, charts and warnings are the same in all of them.
type density struct {
	frames   int  // boxes of a flame graph that is drawn without the script
	nodes    int  // boxes that the script gets for each kind of time
	baseline bool // the baseline's flame graphs are drawn without the script too
	rows     bool // the table has every cell, not only those that matter
	tips     bool // every point of a chart has its numbers as a tooltip
}

// densities are the ones to try for a page of n workloads, the richest first.
// The last is taken whether it fits or not.
func densities(n int) []density {
	rich := density{frames: 100, nodes: 240, baseline: true, rows: true, tips: true}
	fair := density{frames: 60, nodes: 120, rows: true, tips: true}
	spare := density{frames: 30, nodes: 60}
	if n <= fullWorkloads {
		return []density{rich, fair, spare}
	}
	return []density{rich, fair, {frames: 40, nodes: 80, tips: true}, spare}
}

// Bounds on the bytes of a page: what a reviewer downloads without noticing
// for a few workloads, and for each further one a tenth of that.
const (
	fullWorkloads = 3
	fullBytes     = 300_000
	furtherBytes  = 30_000
)

// pageLimit is the most bytes that a page of n workloads should have.
func pageLimit(n int) int { return fullBytes + max(n-fullWorkloads, 0)*furtherBytes }
