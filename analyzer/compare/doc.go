// Package compare judges the difference between two recorded runs: of each
// workload the class, the recommendation, and of each cell the throughput. It
// is pure: the same two runs give the same comparison.
//
//	compare.go    Compare: from two runs, the Comparison
//	options.go    every threshold, with its source
//	alike.go      what must be alike for two runs to be comparable
//	cells.go      the tests: rank sums, corrected over all cells
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
// # What it cannot know
//
// The trials of one run were made one after the other. Whatever changed on the
// machine between two runs, its clock, its neighbours, its temperature, stands
// in every trial of one of them, and no test on the trials can tell it from a
// change of the code. Two runs whose trials were interleaved, as analyze
// --against measures them, share whatever changed; Comparison.Against marks them.
package compare
