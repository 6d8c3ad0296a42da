// Package exectrace reads what Go's execution tracer (runtime/trace) saw of the
// ops of a trial, and accounts for their time.
//
// A wall profile samples stacks a hundred times a second and reads from their
// leaf frames what is waited for. A trace has every change of state of every
// goroutine, with the runtime's own reason for each, and who woke whom. So it is
// a second source, independent of the first but for the table of libraries that
// both read. And it sees through a channel: the wait for one is charged to what
// the goroutine did meanwhile that ended it.
package exectrace

import (
	"fmt"
	"sort"

	"golang.org/x/exp/trace"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/record"
)

// An Account is where the time of the goroutine went that ran the ops, from the
// first to the last. What the harness waited for between them is left out.
type Account struct {
	// Direct are the states of the ops' goroutine, as WaitShares has them but in
	// nanoseconds: Samples is all of the time.
	Direct profile.WaitShares
	// Resolved is the same, with each wait for another goroutine charged to what
	// that one waited for meanwhile; so far as it computed, or that is not
	// known, the wait stays what it is.
	Resolved profile.WaitShares
	// AssistNs is the part of Direct.Running in which the op helped the garbage
	// collector.
	AssistNs int64
	// ComputedNs is the part of Direct.Blocked in which a goroutine of the process
	// that was waited for ran, or was ready to.
	ComputedNs int64
	// Ended says that the trace lasted to the end of the ops. One that grows too
	// large is ended sooner.
	Ended bool
}

// account ends the trace and sums up.
func (s *scheduler) account(depth int) (*Account, error) {
	if s.ops == trace.NoGoroutine || s.lives[s.ops] == nil {
		return nil, fmt.Errorf("the trace has no mark where the ops begin")
	}
	if !s.ended {
		s.end = s.last
	}
	for _, g := range s.lives {
		g.turn(s.last, stretch{})
	}
	if d := s.end.Sub(s.begin); d <= 0 || d > profile.MaxSum {
		return nil, fmt.Errorf("the trace shows the ops for %d ns", d)
	}
	a := &Account{Direct: empty(), Resolved: empty(), Ended: s.ended}
	for _, x := range s.lives[s.ops].between(s.begin, s.end) {
		if x.park != nil && !x.park.Op {
			continue // between two ops
		}
		if x.state == trace.GoRunning && x.assists {
			a.AssistNs += x.ns()
		}
		enter(&a.Direct, x)
		if x.state == trace.GoWaiting && follows(x.park) {
			a.Resolved.Samples += x.ns()
			s.charge(&a.Resolved, x.waker, x.park.Wait, x.from, x.to, depth)
		} else {
			enter(&a.Resolved, x)
		}
	}
	a.ComputedNs = s.computed
	if a.Direct.Samples <= 0 {
		return nil, fmt.Errorf("the trace shows nothing of the ops")
	}
	return a, nil
}

func empty() profile.WaitShares {
	return profile.WaitShares{Blocked: map[record.Wait]int64{}, Ambiguous: map[record.Wait]int64{}}
}

func (x stretch) ns() int64 { return int64(x.to - x.from) }

// between returns the stretches of a goroutine within a time, cut to it.
func (g *life) between(from, to trace.Time) []stretch {
	i := sort.Search(len(g.past), func(i int) bool { return g.past[i].to > from })
	var out []stretch
	for ; i < len(g.past) && g.past[i].from < to; i++ {
		x := g.past[i]
		x.from, x.to = max(x.from, from), min(x.to, to)
		out = append(out, x)
	}
	return out
}

// enter adds a stretch of the ops' goroutine.
func enter(w *profile.WaitShares, x stretch) {
	w.Samples += x.ns()
	switch {
	case x.state == trace.GoRunnable:
		w.Runnable += x.ns()
	case x.park != nil:
		blocked(w, x.park, x.ns())
	default:
		w.Running += x.ns()
	}
}

// blocked adds a time for which a goroutine did not run.
func blocked(w *profile.WaitShares, p *profile.Park, ns int64) {
	switch p.State {
	case profile.Running:
		w.Running += ns
	case profile.Ambiguous:
		w.Ambiguous[p.Wait] += ns
	default:
		w.Blocked[p.Wait] += ns
	}
	if p.GC {
		w.GC += ns
	}
}

// follows reports whether a wait is for what another goroutine does. A lock and a
// child process are what they are, however they are waited for.
func follows(p *profile.Park) bool {
	return p.Wait == record.Channel || p.Handed && p.Wait != record.Lock && p.Wait != record.Subprocess
}

// charge adds a wait to what the goroutine did meanwhile that ended it: what that
// one waited for, or in turn who ended its wait. Whoever ends a wait runs when it
// ends, and waits in none that is still going on, so no goroutine comes twice.
// So far as it is not known, or was computing, the wait is for what it was read
// as at first.
func (s *scheduler) charge(w *profile.WaitShares, waker trace.GoID, as record.Wait, from, to trace.Time, depth int) {
	if waker == trace.NoGoroutine {
		// The runtime itself sends on channels only when a timer expires.
		w.Blocked[record.Timer] += int64(to - from)
		return
	}
	g := s.lives[waker]
	if g == nil || depth == 0 {
		w.Blocked[as] += int64(to - from)
		return
	}
	at := from
	for _, x := range g.between(from, to) {
		if x.from > at {
			s.unborn(w, g, as, at, x.from, depth)
		}
		at = x.to
		if x.park == nil {
			s.computed += x.ns()
		}
		switch {
		case x.park == nil || x.park.State == profile.Running || x.park.Wait == record.Other && !x.park.GC:
			w.Blocked[as] += x.ns()
		case x.state == trace.GoWaiting && follows(x.park):
			// What that one waits for is what is known of it, if no more is.
			s.charge(w, x.waker, x.park.Wait, x.from, x.to, depth-1)
		default:
			// Asleep or busy in a system call: the op waits for that in any case.
			w.Blocked[x.park.Wait] += x.ns()
			if x.park.GC {
				w.GC += x.ns()
			}
		}
	}
	if to > at {
		w.Blocked[as] += int64(to - at)
	}
}

// unborn adds the time before a goroutine was there: that of who created it.
func (s *scheduler) unborn(w *profile.WaitShares, g *life, as record.Wait, from, to trace.Time, depth int) {
	if !g.born {
		w.Blocked[as] += int64(to - from)
		return
	}
	s.charge(w, g.creator, as, from, to, depth-1)
}
