package analyzer

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/analyzer/profile/foreign"
	"github.com/concprof/concprof/probes/model"
)

// A ForeignProfile is a profile that another program made, which reports show
// beside those of the run. Nothing is judged by it.
type ForeignProfile struct {
	Name string       `json:"name"` // of its file
	Kind foreign.Kind `json:"kind"`
	Note string       `json:"note"` // what its numbers are and what they are not
	// SampleType and Unit are of the numbers below: "time" in "nanoseconds",
	// "samples" in "count".
	SampleType string `json:"sample_type"`
	Unit       string `json:"unit"`
	Total      int64  `json:"total"`
	// Top are the functions with the most of it in themselves, at most ten.
	Top []ForeignFunction `json:"top"`
	// Compared holds its shares against those of the run's own sampling of
	// CompareWith, the baseline's "wall" or "cpu" time; none where the two do
	// not measure the same. At most ten, those with the most in it.
	Compared    []ForeignShare `json:"compared,omitempty"`
	CompareWith string         `json:"compare_with,omitempty"`

	Data *pprof.Profile `json:"-"`
}

// A ForeignFunction is what a foreign profile says of a function.
type ForeignFunction struct {
	Place
	Self  int64   `json:"self"`
	Share float64 `json:"share"`           // Self / Total
	Calls int64   `json:"calls,omitempty"` // of cProfile
}

// A ForeignShare is a function's share of the time that was spent in the
// functions which both profiles hold, built-in functions that it called
// included: what the two programs disagree about, and not that one of them
// saw imports and the other did not.
type ForeignShare struct {
	Place
	Share   float64 `json:"share"`   // by the foreign profile
	Sampled float64 `json:"sampled"` // by the run's own
	// Margin is two standard errors of Sampled, for as many samples as MinHz
	// gives: sqrt(p (1-p) / n).
	Margin float64 `json:"margin"`
	// Calls are those of the function and those that it made, which cProfile
	// counts: each costs the tracer, and the cost is in this function.
	Calls  int64 `json:"calls,omitempty"`
	SelfNs int64 `json:"self_ns"` // by the foreign profile
	// Differs is set where the shares are further apart than the margin and
	// Options.ForeignGap.
	Differs bool `json:"differs,omitempty"`
	// Traced is set where the foreign profile says more, and the function's time is
	// so short by the call that the tracer's cost may be why
	// (Options.ForeignCall).
	Traced bool `json:"traced,omitempty"`
}

// mostForeign is how many functions of a foreign profile are kept.
const mostForeign = 10

// Show adds a foreign profile to the report of a workload, the only one if
// workload is "". It changes nothing of the judgement.
func (res *Result) Show(workload, name string, p *foreign.Profile, o Options) error {
	var w *Workload
	names := make([]string, len(res.Workloads))
	for i := range res.Workloads {
		names[i] = res.Workloads[i].Name
		if names[i] == workload || workload == "" && len(res.Workloads) == 1 {
			w = &res.Workloads[i]
		}
	}
	switch {
	case w == nil && workload == "":
		return fmt.Errorf("%s: the run has several workloads, %s: say which it is of", profile.CleanName(name), strings.Join(names, ", "))
	case w == nil:
		return fmt.Errorf("%s: the run has no workload %q but %s", profile.CleanName(name), workload, strings.Join(names, ", "))
	}
	f := ForeignProfile{Name: profile.CleanName(name), Kind: p.Kind, Note: p.Note, Data: p.Data}
	col := mainColumn(p.Data)
	f.SampleType, f.Unit = p.Data.SampleType[col].Type, p.Data.SampleType[col].Unit
	calls := -1
	if p.Kind == foreign.CProfile {
		calls = 0
	}
	f.top(col, calls)
	f.compare(w, col, calls, o)
	w.Foreign = append(w.Foreign, f)
	return nil
}

// mainColumn is the sample type that a profile is shown by.
func mainColumn(p *pprof.Profile) int {
	i := slices.IndexFunc(p.SampleType, func(t *pprof.ValueType) bool { return t.Type == p.DefaultSampleType })
	if i < 0 {
		return len(p.SampleType) - 1
	}
	return i
}

// top lists the functions with the most in themselves.
func (f *ForeignProfile) top(col, calls int) {
	byPlace := map[Place]*ForeignFunction{}
	for _, s := range f.Data.Sample {
		f.Total += max(s.Value[col], 0)
		at := leafOf(s)
		key := Place{Function: at.Function, File: at.File}
		x := byPlace[key]
		if x == nil {
			x = &ForeignFunction{Place: Place{at.Function, at.File, int(at.Line)}}
			byPlace[key] = x
		}
		x.Self += max(s.Value[col], 0)
		if calls >= 0 {
			x.Calls += s.Value[calls]
		}
	}
	f.Top = make([]ForeignFunction, 0, len(byPlace))
	for _, x := range byPlace {
		if x.Share = ratio(float64(x.Self), float64(f.Total)); x.Self > 0 {
			f.Top = append(f.Top, *x)
		}
	}
	slices.SortFunc(f.Top, func(a, b ForeignFunction) int {
		return cmp.Or(cmp.Compare(b.Self, a.Self), comparePlaces(a.Place, b.Place))
	})
	f.Top = f.Top[:min(len(f.Top), mostForeign)]
}

func comparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
}

// leafOf is the function that a sample was in.
func leafOf(s *pprof.Sample) profile.Frame {
	if len(s.Location) == 0 || len(s.Location[0].Line) == 0 {
		return profile.Frame{Function: "?"}
	}
	l := s.Location[0].Line[0]
	at := profile.Frame{Function: "?", Line: l.Line}
	if l.Function != nil {
		at.Function, at.File = l.Function.Name, l.Function.Filename
	}
	return at
}

// own is the time of the functions of a profile in themselves, and in what
// they called that has no source file, by a key that both profiles give them.
type own struct {
	ns    map[Place]int64
	at    map[Place]Place // where the function is
	calls map[Place]int64 // of it and by it
}

// ownTimes sums a profile up. Two functions of one name in one file are one
// here, in both profiles alike: cProfile knows no classes, and no line of a
// sample is a function's first.
func ownTimes(p *pprof.Profile, col, calls int) own {
	o := own{map[Place]int64{}, map[Place]Place{}, map[Place]int64{}}
	for _, s := range p.Sample {
		if calls >= 0 {
			// The leaf is what was called, and whoever stands above it called.
			for i, loc := range s.Location[:min(len(s.Location), 2)] {
				if key := keyOf(loc.Line[0]); key != (Place{}) && (i == 0 || key != keyOf(s.Location[0].Line[0])) {
					o.calls[key] += s.Value[calls]
				}
			}
		}
		for _, loc := range s.Location {
			for _, l := range loc.Line {
				key := keyOf(l)
				if key == (Place{}) {
					continue
				}
				o.ns[key] += max(s.Value[col], 0)
				if _, known := o.at[key]; !known {
					o.at[key] = Place{l.Function.Name, key.File, int(l.Line)}
				}
				goto next
			}
		}
	next:
	}
	return o
}

// keyOf is the key of a function with a source file, else none.
func keyOf(l pprof.Line) Place {
	if l.Function == nil || l.Function.Filename == "" || strings.HasPrefix(l.Function.Name, "<call> ") {
		return Place{}
	}
	key := Place{Function: l.Function.Name, File: path.Base(strings.ReplaceAll(l.Function.Filename, `\`, "/"))}
	if strings.HasSuffix(key.File, ".py") {
		key.Function = key.Function[strings.LastIndexByte(key.Function, '.')+1:]
	}
	return key
}

// compare holds the shares of a foreign profile against the run's own, where
// both measure the same kind of time.
func (f *ForeignProfile) compare(w *Workload, col, calls int, o Options) {
	kind := ""
	switch {
	case f.Unit != "nanoseconds":
		return // counts of samples, of which nobody knows when they were taken
	case f.SampleType == profile.TypeWall, f.Kind == foreign.CProfile:
		kind = profile.TypeWall
	case f.SampleType == profile.TypeCPU:
		kind = profile.TypeCPU
	default:
		return
	}
	var ours *pprof.Profile
	for i := range w.Flames {
		if fl := &w.Flames[i]; fl.Set != nil && fl.Cell.Model == model.Sequential && fl.Cell.Concurrency == 1 {
			if ours = fl.Set.Wall; kind == profile.TypeCPU {
				ours = fl.Set.CPU
			}
			break
		}
	}
	if ours == nil {
		return
	}
	theirs, sampled := ownTimes(f.Data, col, calls), ownTimes(ours, 0, -1)
	var all, seen int64
	var both []Place
	for key, ns := range theirs.ns {
		if n := sampled.ns[key]; n > 0 && ns > 0 {
			all, seen, both = all+ns, seen+n, append(both, key)
		}
	}
	n := float64(seen) * o.MinHz / 1e9 // samples, at the least rate that is used without a doubt
	if len(both) < 2 || n < 1 {
		return
	}
	for _, key := range both {
		s := ForeignShare{
			Place: theirs.at[key], Calls: theirs.calls[key], SelfNs: theirs.ns[key],
			Share: ratio(float64(theirs.ns[key]), float64(all)), Sampled: ratio(float64(sampled.ns[key]), float64(seen)),
		}
		s.Margin = 2 * math.Sqrt(s.Sampled*(1-s.Sampled)/n)
		s.Differs = math.Abs(s.Share-s.Sampled) > max(s.Margin, o.ForeignGap)
		s.Traced = s.Differs && s.Share > s.Sampled && s.Calls > 0 && s.SelfNs/s.Calls <= int64(o.ForeignCall)
		f.Compared = append(f.Compared, s)
	}
	slices.SortFunc(f.Compared, func(a, b ForeignShare) int {
		return cmp.Or(cmp.Compare(max(b.Share, b.Sampled), max(a.Share, a.Sampled)), comparePlaces(a.Place, b.Place))
	})
	f.Compared, f.CompareWith = f.Compared[:min(len(f.Compared), mostForeign)], kind
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
