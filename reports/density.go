package reports

// A density says how much of each workload the page shows where bytes are
// dear. Verdict, evidence, warnings and the charts by ops in flight are the same
// in all of them.
type density struct {
	frames   int  // boxes of a flame graph that is drawn without the script
	nodes    int  // boxes that the script gets for each kind of time
	baseline bool // the baseline's flame graphs are drawn without the script too
	rows     bool // the table has every cell, not only those that matter
	tips     bool // points, bars and boxes have their numbers as tooltips
	bars     bool // every profiled cell has a bar, not only the recommended one
	planes   int  // costs that throughput is drawn against
}

// densities are the ones to try for a page, the richest first. The last is
// taken whether it fits or not.
func densities() []density {
	return []density{
		{frames: 100, nodes: 240, baseline: true, rows: true, tips: true, bars: true, planes: 2},
		{frames: 60, nodes: 120, rows: true, tips: true, bars: true, planes: 2},
		{frames: 30, nodes: 80, bars: true, planes: 1},
		{frames: 20, nodes: 50},
	}
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
