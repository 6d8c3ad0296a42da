package analyzer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// looks is what the wall profiles of some trials show of their ops.
type looks struct {
	profile.WaitShares
}

// lookAt reads the wall profiles of trials.
func (j *judgement) lookAt(fs []plan.Finished) looks {
	var walls []*pprof.Profile
	for i := range fs {
		if r := j.profileOf(&fs[i], record.WallProfile); r.problem == "" {
			walls = append(walls, r.profile)
		}
	}
	return looks{profile.Options{}.Waits(walls...)}
}

// A reading is a profile, or why there is none.
type reading struct {
	profile *pprof.Profile
	problem string
}

// profileOf reads a profile that a trial left, or says why that cannot be.
// Each is read once, for decoding it is most of the cost of a judgement.
func (j *judgement) profileOf(f *plan.Finished, kind record.ProfileKind) reading {
	key := f.Trial.ID + " " + string(kind)
	r, known := j.readings[key]
	if !known {
		r.profile, r.problem = j.readProfile(f, kind)
		if j.readings == nil {
			j.readings = make(map[string]reading)
		}
		j.readings[key] = r
	}
	return r
}

func (j *judgement) readProfile(f *plan.Finished, kind record.ProfileKind) (*pprof.Profile, string) {
	for _, p := range f.Record.Profiles {
		if p.Kind != kind {
			continue
		}
		if p.File == "" {
			return nil, "trial " + f.Trial.ID + ": " + cmp.Or(p.Problem, "no "+string(kind)+" profile was written")
		}
		data, problem := j.readFile(f, &p)
		if problem != "" {
			return nil, problem
		}
		parsed, err := profile.Read(data)
		if err != nil {
			return nil, "trial " + f.Trial.ID + ": " + p.File + ": " + err.Error()
		}
		// One that was sampled too rarely is read with a warning; any other
		// problem left less than a whole profile.
		if p.Problem != "" && (kind != record.WallProfile || p.AchievedHz <= 0 || p.AchievedHz >= j.o.MinHz) {
			return nil, "trial " + f.Trial.ID + ": " + p.Problem
		}
		return parsed, ""
	}
	return nil, "trial " + f.Trial.ID + " left no " + string(kind) + " profile"
}

// readFile returns a file that a trial left, if it is still that.
func (j *judgement) readFile(f *plan.Finished, p *record.Profile) (data []byte, problem string) {
	data, err := j.read(f.Trial.ID, p.File)
	if err != nil {
		return nil, "trial " + f.Trial.ID + ": " + err.Error()
	}
	if sum := sha256.Sum256(data); p.SHA256 != "" && hex.EncodeToString(sum[:]) != p.SHA256 {
		j.warnOf(WarnChanged, "measure again, and find out what changed them", "these are not what the trials left, and are not used",
			"%s of trial %s", p.File, f.Trial.ID)
		return nil, "trial " + f.Trial.ID + ": " + p.File + " was changed after the trial"
	}
	return data, ""
}

func achieved(r *record.Record) float64 {
	for _, p := range r.Profiles {
		if p.Kind == record.WallProfile {
			return p.AchievedHz
		}
	}
	return 0
}

// slept is the part of the ambiguous samples, those in a system call or in C,
// in which the op was asleep: so many as the clocks say were blocked beyond
// those that were seen to be.
func (k looks) slept(blocked float64) float64 {
	var sure, unsure int64
	for _, n := range k.Blocked {
		sure += n
	}
	for _, n := range k.Ambiguous {
		unsure += n
	}
	if unsure == 0 {
		return 0
	}
	return min(max((blocked*float64(k.Samples)-float64(sure))/float64(unsure), 0), 1)
}

// waits returns the blocked share of an op's time by reason: how much comes
// from clocks, of which kind from the wall profile. What no sample explains is
// "other".
func (k looks) waits(blocked float64) map[record.Wait]float64 {
	m := emptyWaits()
	slept := k.slept(blocked)
	var sum float64
	for _, kind := range record.Waits() {
		m[kind] = float64(k.Blocked[kind]) + slept*float64(k.Ambiguous[kind])
		sum += m[kind]
	}
	for _, kind := range record.Waits() {
		if sum > 0 {
			m[kind] *= blocked / sum
		}
	}
	if sum == 0 {
		m[record.Other] = blocked
	}
	return m
}

// blocking returns the share of an op's time in calls that would stall a true
// event loop: asleep in a system call, in C, or waiting for a child.
func (k looks) blocking(blocked float64) float64 {
	slept := k.slept(blocked)
	var sum, stall float64
	for kind, n := range k.Blocked {
		sum += float64(n)
		if kind == record.Subprocess {
			stall += float64(n)
		}
	}
	for _, n := range k.Ambiguous {
		sum += slept * float64(n)
		stall += slept * float64(n)
	}
	if sum == 0 {
		return 0
	}
	return blocked * stall / sum
}

// place returns where ops wait for a reason, the leading line.
func (k looks) place(kind record.Wait) (profile.Place, bool) {
	if ps := k.Places[kind]; len(ps) > 0 {
		return ps[0], true
	}
	return profile.Place{}, false
}

// seen splits the ops' time by states that were seen and need no clocks.
func (k looks) seen() map[string]float64 {
	all := float64(k.Samples)
	m := map[string]float64{onCPU: float64(k.Running) / all, runnable: float64(k.Runnable) / all}
	for _, kind := range record.Waits() {
		m[string(kind)] = float64(k.Blocked[kind]) / all
	}
	return m
}
