// Package profile turns the raw profiles of trials into the ones that people
// look at: bounded reading, merging, rebasing on the op, scaling per op.
package profile

import (
	"github.com/google/pprof/profile"

	"github.com/concprof/concprof/probes/record"
)

// A Set holds the derived profiles of one cell, rebased on the op's entry
// function, of one period type. A nil profile could not be derived; Problem
// says why.
type Set struct {
	CPU    *profile.Profile // sample types cpu
	Wall   *profile.Profile // wall
	OffCPU *profile.Profile // offcpu = wall - cpu per stack, never negative
	// Merged has the sample types wall, cpu, offcpu, for CPython gilwait too;
	// offcpu is 0 where it is withheld.
	Merged *profile.Profile
	// Ops is how many ops the profiles cover: divide by it for "per op".
	Ops int64
	// Residual is the share of the ops' CPU time that the wall profile missed.
	// Over Options.MaxResidual OffCPU is withheld, unless so little time was
	// missed that it does not matter (Options.MaxMissed). It is 0 for CPython,
	// whose reader sees threads that run as well as those that do not.
	Residual float64
	// Truncated is the share of the ops' wall time whose stacks had lost
	// their root (over 32 frames).
	Truncated float64
	Problem   string
}

// Of returns the profile of a kind, nil if the set has none.
func (s *Set) Of(kind record.ProfileKind) *profile.Profile {
	switch kind {
	case record.CPUProfile:
		return s.CPU
	case record.WallProfile:
		return s.Wall
	case record.OffCPUProfile:
		return s.OffCPU
	case record.MergedProfile:
		return s.Merged
	}
	return nil
}
