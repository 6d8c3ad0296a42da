package compare

import "github.com/concprof/concprof/analyzer"

// Options hold every threshold of a comparison.
type Options struct {
	// Alpha is the probability that is accepted of any difference in a whole
	// comparison being one of chance, as benchstat's for a single one.
	Alpha float64
	// MinTrials is the least number of trials on each side for a cell to be
	// tested: that behind every verdict of a run.
	MinTrials int
	// NoiseSplits and NoiseQuantile define the noise floor of p99s, as that of
	// throughput is: analyzer.Options.
	NoiseSplits   int
	NoiseQuantile float64
	// LikeOps is the greatest ratio between the numbers of ops that trials of a
	// cell have in the two runs up to which their p99s are compared. Up to 1.5 what
	// is estimated of a tail of exponential times differs by less than 1 %.
	LikeOps float64
	// Level and Resamples are of the bootstrap interval of a change.
	Level     float64
	Resamples int
	// Force compares runs that were measured differently. What differs is a
	// warning then.
	Force bool
}

// DefaultOptions returns the documented defaults.
func DefaultOptions() Options {
	o := analyzer.DefaultOptions()
	return Options{
		Alpha: 0.05, MinTrials: o.MinReps, Level: o.Level, Resamples: o.Resamples,
		NoiseSplits: o.NoiseSplits, NoiseQuantile: o.NoiseQuantile, LikeOps: o.LikePeer,
	}
}
