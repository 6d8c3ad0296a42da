package harness

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// countCPU returns the number of samples in a CPU profile of this process,
// and the time of those that carry the op's label.
func countCPU(data []byte) (samples int64, labelled time.Duration, err error) {
	p, err := profile.ParseData(data)
	if err != nil {
		return 0, 0, fmt.Errorf("read the CPU profile back: %w", err)
	}
	for _, s := range p.Sample {
		if len(s.Value) != 2 { // samples/count, cpu/nanoseconds
			return 0, 0, fmt.Errorf("read the CPU profile back: %d values a sample, want 2", len(s.Value))
		}
		samples += s.Value[0]
		if s.HasLabel(labelKey, labelOp) {
			labelled += time.Duration(s.Value[1])
		}
	}
	return samples, labelled, nil
}

// countWall returns how often fgprof sampled: how often it saw the metronome.
func countWall(data []byte) (int64, error) {
	p, err := profile.ParseData(data)
	if err != nil {
		return 0, fmt.Errorf("read the wall profile back: %w", err)
	}
	var n int64
	for _, s := range p.Sample {
		if len(s.Value) > 0 && inMetronome(s) {
			n += s.Value[0]
		}
	}
	return n, nil
}

// inMetronome reports whether a stack goes through the function metronome.
// The harness goes by another import path when it is part of another module,
// but its package keeps one of two names.
func inMetronome(s *profile.Sample) bool {
	for _, l := range s.Location {
		for _, line := range l.Line {
			if line.Function == nil {
				continue
			}
			name := line.Function.Name
			name = name[strings.LastIndexByte(name, '/')+1:]
			if name == "harness.metronome" || name == "zz_concprof_harness.metronome" {
				return true
			}
		}
	}
	return false
}
