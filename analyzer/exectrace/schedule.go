package exectrace

import (
	"fmt"

	"golang.org/x/exp/trace"

	"github.com/concprof/concprof/analyzer/profile"
)

// The harness marks the ops' goroutine by log events (probes/harness/tracer.go).
const (
	category = "concprof"
	opsBegin = "ops begin"
	opsEnd   = "ops end"
)

// assist is the runtime's name for the time in which a goroutine helps the
// garbage collector, to pay for what it allocates.
const assist = "GC mark assist"

// A stretch is a time for which a goroutine was in one state.
type stretch struct {
	from, to trace.Time
	state    trace.GoState
	assists  bool
	park     *profile.Park // of those that wait or are in a system call
	waker    trace.GoID    // who ended a wait, NoGoroutine for the runtime itself
}

// A life is what is known of a goroutine.
type life struct {
	past    []stretch // in order, without gaps
	now     stretch   // to is not known yet
	born    bool      // in this trace: by creator at the beginning
	creator trace.GoID
}

// A scheduler follows all goroutines through a trace.
type scheduler struct {
	lives map[trace.GoID]*life
	parks map[parkKey]*profile.Park
	last  trace.Time

	ops        trace.GoID // NoGoroutine until the mark
	begin, end trace.Time
	ended      bool

	computed int64 // ns for which others ran or were ready to, while the ops waited for them
}

// A parkKey is what tells one park from another. Stacks of one generation of the
// trace are equal if they are the same.
type parkKey struct {
	stack  trace.Stack
	reason string
	system bool
}

func newScheduler() *scheduler {
	return &scheduler{lives: map[trace.GoID]*life{}, parks: map[parkKey]*profile.Park{}, ops: trace.NoGoroutine}
}

// event takes the next event.
func (s *scheduler) event(e *trace.Event) error {
	at := e.Time()
	if at < s.last {
		return fmt.Errorf("%w: its time runs backwards", ErrNotTrace)
	}
	s.last = at
	switch e.Kind() {
	case trace.EventLog:
		if l := e.Log(); l.Category == category {
			s.mark(l.Message, e.Goroutine(), at)
		}
	case trace.EventRangeBegin, trace.EventRangeActive, trace.EventRangeEnd:
		if r := e.Range(); r.Name == assist && r.Scope.Kind == trace.ResourceGoroutine {
			if g := s.lives[r.Scope.Goroutine()]; g != nil {
				next := g.now
				next.assists = e.Kind() != trace.EventRangeEnd
				g.turn(at, next)
			}
		}
	case trace.EventStateTransition:
		if t := e.StateTransition(); t.Resource.Kind == trace.ResourceGoroutine {
			s.transition(&t, e.Goroutine(), at)
		}
	}
	return nil
}

// mark notes where the ops begin and end, each once.
func (s *scheduler) mark(message string, by trace.GoID, at trace.Time) {
	switch {
	case message == opsBegin && s.ops == trace.NoGoroutine:
		s.ops, s.begin = by, at
	case message == opsEnd && s.ops == by && !s.ended:
		s.end, s.ended = at, true
	}
}

// transition takes a goroutine from one state into another; by is who runs
// where that happens: who wakes or creates it, if that is another.
func (s *scheduler) transition(t *trace.StateTransition, by trace.GoID, at trace.Time) {
	id := t.Resource.Goroutine()
	from, to := t.Goroutine()
	g := s.lives[id]
	if g == nil {
		g = &life{now: stretch{from: at, state: to}, born: from == trace.GoNotExist, creator: by}
		g.now.park = s.parkOf(t, to)
		s.lives[id] = g
		return
	}
	if from == to {
		return // the state at the beginning of a generation
	}
	if from == trace.GoWaiting {
		g.now.waker = by
	}
	g.turn(at, stretch{state: to, park: s.parkOf(t, to), assists: g.now.assists})
}

// turn ends the stretch of a goroutine and begins the next.
func (g *life) turn(at trace.Time, next stretch) {
	g.now.to = at
	if g.now.to > g.now.from {
		g.past = append(g.past, g.now)
	}
	next.from = at
	g.now = next
}

// parkOf reads why a goroutine is not running, nil if it may be.
func (s *scheduler) parkOf(t *trace.StateTransition, to trace.GoState) *profile.Park {
	if to != trace.GoWaiting && to != trace.GoSyscall {
		return nil
	}
	k := parkKey{t.Stack, t.Reason, to == trace.GoSyscall}
	p := s.parks[k]
	if p == nil {
		var frames []profile.Frame
		for f := range t.Stack.Frames() {
			frames = append(frames, profile.Frame{Function: f.Func, File: f.File, Line: int64(f.Line)})
		}
		var read profile.Park
		if k.system {
			read = profile.Options{}.InSystemCall(frames)
		} else {
			read = profile.Options{}.Parked(t.Reason, frames)
		}
		p = &read
		s.parks[k] = p
	}
	return p
}
