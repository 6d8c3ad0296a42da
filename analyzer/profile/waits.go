package profile

import (
	"cmp"
	"slices"

	"github.com/google/pprof/profile"

	"github.com/concprof/concprof/probes/record"
)

// Options holds what Derive and Waits go by. The zero value works.
type Options struct {
	// Anchor names the function at which ops begin, by its package's last
	// element and its name. Default: Anchor.
	Anchor string
	// User tells the user's own code from libraries. Default: UserCode.
	User func(Frame) bool
	// Places is how many places Waits keeps for each kind. Default: 5.
	Places int
	// MaxResidual is the share of CPU time that the wall profile may have
	// missed before the off-CPU picture is withheld. Default: 0.10. Measured:
	// 0 in sequential runs; half and more where the sampler, a goroutine
	// itself, found every P busy.
	MaxResidual float64
	// MaxMissed is the share of the ops' wall time that missed CPU time may
	// be before a residual over MaxResidual counts: below it, off-CPU time is
	// off by no more than that, and an op that hardly computes would have its
	// picture withheld for a handful of samples. Default: 0.05; the shares of
	// kinds of waiting are themselves known to 1 to 4 points only, against
	// the execution tracer.
	MaxMissed float64
}

// WithDefaults returns o with defaults for what it leaves at zero.
func (o Options) WithDefaults() Options {
	if o.Anchor == "" {
		o.Anchor = Anchor
	}
	if o.User == nil {
		o.User = UserCode
	}
	if o.Places == 0 {
		o.Places = 5
	}
	if o.MaxResidual == 0 {
		o.MaxResidual = 0.10
	}
	if o.MaxMissed == 0 {
		o.MaxMissed = 0.05
	}
	return o
}

// WaitShares counts what the ops did at the samples of a wall profile. It
// holds counts, so that those of several trials can be added. Of the Python
// reader's profiles, whose samples weigh differently, they are nanoseconds.
type WaitShares struct {
	// Seen says that the states were seen and not inferred from stacks: then
	// Running and Runnable are apart and nothing is ambiguous.
	Seen bool
	// Samples is how often an op was seen: the sum of Running, Blocked and
	// Ambiguous. Each op in flight is seen once a tick.
	Samples int64
	Running int64 // running or ready to run: stacks cannot tell them apart
	// Runnable are ops that were ready to run, where that is seen.
	Runnable int64
	Blocked  map[record.Wait]int64
	// Ambiguous are ops in a system call or in C, by what they would wait
	// for if they slept there. Whether they did is for clocks to say.
	Ambiguous map[record.Wait]int64
	// GC is the part of Blocked[record.Other] in which the runtime had parked
	// the op for garbage collection: to assist it, or until it has begun.
	GC int64
	// Truncated is how many of Samples had lost their root (over 32 frames)
	// and are taken for ops' on that account.
	Truncated int64
	// Helpers is how often goroutines of the user's code were seen outside
	// of any op, as those which ops start.
	Helpers int64
	// Ticks is how often the profiler sampled, 0 if there was no metronome.
	Ticks int64
	// Places are where ops wait, Blocked and Ambiguous together, the leading
	// ones first.
	Places map[record.Wait][]Place
	// HeldGIL is how often an op was seen to hold CPython's GIL, and Holders are
	// where.
	HeldGIL int64
	Holders []Place
}

// A Place is a line of the user's code in which ops wait.
type Place struct {
	Function string
	File     string
	Line     int
	Samples  int64
	Share    float64 // of all samples of ops
}

// Waits counts the blocked samples of ops in a raw wall profile, by reason.
// An empty anchor stands for Anchor.
func Waits(wall *profile.Profile, anchor string) WaitShares {
	return Options{Anchor: anchor}.Waits(wall)
}

// Waits counts the blocked samples of ops in raw wall profiles, by reason:
// those of all trials of a cell together.
func (o Options) Waits(walls ...*profile.Profile) WaitShares {
	o = o.WithDefaults()
	w := WaitShares{Blocked: map[record.Wait]int64{}, Ambiguous: map[record.Wait]int64{}, Places: map[record.Wait][]Place{}}
	type key struct {
		kind record.Wait
		at   Frame
	}
	places := map[key]int64{}
	holders := map[Frame]int64{}
	var buf []Frame
	for _, wall := range walls {
		if wall == nil {
			continue
		}
		if ofPython(wall) {
			o.sight(&w, wall, func(kind record.Wait, at Frame, ns int64) { places[key{kind, at}] += ns },
				func(at Frame, ns int64) { holders[at] += ns })
			continue
		}
		col := column(wall, "count")
		for _, s := range wall.Sample {
			buf = stack(s, buf)
			n := s.Value[col]
			who, frames := o.wallOwner(buf)
			switch who {
			case ofTick:
				w.Ticks += n
				continue
			case ofHelper:
				w.Helpers += n
				continue
			case ofOther:
				continue
			case ofLost:
				w.Truncated += n
			}
			w.Samples += n
			at := o.waitOf(frames)
			switch at.state {
			case Running:
				w.Running += n
				continue
			case Ambiguous:
				w.Ambiguous[at.kind] += n
			default:
				w.Blocked[at.kind] += n
			}
			if at.gc {
				w.GC += n
			}
			places[key{at.kind, frames[o.place(frames)]}] += n
		}
	}
	for k, n := range places {
		w.Places[k.kind] = append(w.Places[k.kind], w.place(k.at, n))
	}
	for kind, ps := range w.Places {
		w.Places[kind] = o.leading(ps)
	}
	for at, n := range holders {
		w.Holders = append(w.Holders, w.place(at, n))
	}
	w.Holders = o.leading(w.Holders)
	return w
}

func (w *WaitShares) place(at Frame, n int64) Place {
	return Place{Function: at.Function, File: at.File, Line: int(at.Line), Samples: n, Share: float64(n) / float64(w.Samples)}
}

// leading returns the places that are kept, those with the most samples first.
func (o Options) leading(ps []Place) []Place {
	slices.SortFunc(ps, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.Samples, a.Samples), cmp.Compare(a.Function, b.Function),
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return ps[:min(len(ps), o.Places)]
}

// Share returns the share of the ops' samples that were blocked for a reason,
// ambiguous ones not among them; 0 if there are no samples.
func (w WaitShares) Share(kind record.Wait) float64 {
	if w.Samples == 0 {
		return 0
	}
	return float64(w.Blocked[kind]) / float64(w.Samples)
}

// Shares returns Share for every reason.
func (w WaitShares) Shares() map[record.Wait]float64 {
	m := make(map[record.Wait]float64, len(record.Waits()))
	for _, kind := range record.Waits() {
		m[kind] = w.Share(kind)
	}
	return m
}

// column returns the index of the sample type of that unit, else the last.
func column(p *profile.Profile, unit string) int {
	for i, t := range p.SampleType {
		if t.Unit == unit {
			return i
		}
	}
	return len(p.SampleType) - 1
}
