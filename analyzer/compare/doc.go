// Package compare judges the difference between two recorded runs: of each
// workload the class, the recommendation, and of each cell the throughput or,
// where ops arrive at a rate, the p99. It is pure: the same two runs give the same
// comparison.
//
//	compare.go    Compare: from two runs, the Comparison
//	options.go    every threshold, with its source
//	alike.go      what must be alike for two runs to be comparable
//	cells.go      the tests: rank sums, corrected over all cells
//	load.go       what is compared where ops arrive at a rate
//	gate.go       conditions on what changed: "regression <= 5%"
//
// # What counts as a difference
//
// A cell differs if the Mann-Whitney U test on the throughputs of its trials
// says so at Options.Alpha, corrected by Holm over all cells of the comparison,
// and if its medians differ by more than the noise floor of either run, which
// is what the baseline showed against itself. Everything else is "~": not
// equal, but not told apart.
//
// Where ops arrive at a rate, throughput is given. The unit is a trial all the same:
// each has a p99 of its own, from when its ops were due, and those are what is
// tested. The ops of one trial depend on each other, for they wait in one queue, so
// they are not drawn from singly. A cell that holds the rate in one run only has no
// p99 in the other; there what trials reached is tested, ops per second.
//
// # What it cannot know
//
// The trials of one run were made one after the other. Whatever changed on the
// machine between two runs, its clock, its neighbours, its temperature, stands
// in every trial of one of them, and no test on the trials can tell it from a
// change of the code. Two runs whose trials were interleaved, as analyze
// --against measures them, share whatever changed; Comparison.Against marks them.
package compare
