//go:build amd64 || arm64

package pyread

import (
	"time"

	"github.com/concprof/concprof/probes/record"
)

// A view is what one look at one thread found.
type view struct {
	state State
	wait  record.Wait
	call  string // the text of the call at the leaf, "" for none
	torn  bool
	op    bool // an op runs
}

// retries is how often a stack that changed while it was read is read again.
const retries = 2

// look looks at the thread of seat s.
func (r *reader) look(t *Target, th *thread, s seat, now time.Duration) (v view) {
	state, ok := th.files.read(false)
	if !ok {
		return v
	}
	// A thread that has not been on a processor since the last look is where
	// it was.
	same := th.valid && !state.running && !th.last.running && state.slices == th.last.slices && state.slices > 0
	if !same {
		if state, ok = r.readStack(t, th, s, state); !ok {
			th.valid = false
			_, alive := th.files.read(false)
			return view{torn: alive && !t.memory.gone}
		}
	}
	stack := &th.stack
	if v.op = stack.op >= 0; v.op {
		v.call = r.call(stack)
		v.state, v.wait = r.classify(t, th, s, state, now, v.call != "")
		if v.state == Python {
			v.call = ""
		}
	}
	th.last, th.at, th.valid = state, now, true
	return v
}

// readStack reads a stack, and again when the thread went from one state to
// another meanwhile.
func (r *reader) readStack(t *Target, th *thread, s seat, state kernelState) (kernelState, bool) {
	read := false
	for range 1 + retries {
		ok := r.chain.read(s, &th.stack)
		after, alive := th.files.read(true)
		if !alive || t.memory.gone {
			return state, false
		}
		read = read || ok
		steady := after.running == state.running && (state.running || after.slices == state.slices)
		if ok && steady {
			return after, true
		}
		state = after
		if !ok {
			read = false
		}
	}
	return state, read
}

// classify tells what a thread does whose stack and state were read.
func (r *reader) classify(t *Target, th *thread, s seat, now kernelState, at time.Duration, inC bool) (State, record.Wait) {
	switch {
	case now.running && !r.onCPU(th, now, at):
		return Runnable, ""
	case now.running && th.stack.holder && inC:
		return NativeGIL, ""
	case now.running && th.stack.holder:
		return Python, ""
	case now.running:
		return Native, ""
	}
	if waits := s.gil + t.layout.gilWaits; kindOf(now.nr) == sysFutex && now.args[0] >= waits && now.args[0] < waits+gilSpan {
		return GILWait, record.GIL
	}
	wait, sure := t.wait(now)
	if !sure {
		if w := syncWait(r.frames(&th.stack), r.callText(&th.stack)); w != "" {
			wait = w
		}
	}
	if th.stack.holder {
		return BlockedGIL, wait
	}
	return Blocked, wait
}

// frames returns the frames of an op's stack, leaf first, without the anchor.
func (r *reader) frames(s *stack) []record.Frame {
	frames := make([]record.Frame, 0, s.op+2)
	for _, p := range s.places[:s.op] {
		frames = append(frames, record.Frame{Function: p.code.qualname, File: p.code.file, Line: p.code.line(p.unit)})
	}
	return frames
}

// noCall stands for a call whose text is not known.
const noCall = "?"

// call returns the text of the call at the leaf, noCall if there is a call
// without a text, "" if the leaf's instruction is none.
func (r *reader) call(s *stack) string {
	if s.opKnown && !s.inC {
		return ""
	}
	text := r.callText(s)
	if text == "" && s.inC {
		return noCall
	}
	return text
}

// A leafKey is an instruction.
type leafKey struct {
	code *code
	unit int
}

// maxLeaves bounds the texts of calls that are kept.
const maxLeaves = 1 << 14

// callText returns the text of the call that the leaf's instruction came
// from, "" if it is none or not known.
func (r *reader) callText(s *stack) string {
	leaf := leafKey{s.places[0].code, s.places[0].unit}
	text, ok := r.leaves[leaf]
	if ok {
		return text
	}
	if span, ok := at(leaf.code.spans, leaf.unit); ok {
		if src := r.sources.text(leaf.code.file, span); src != "" {
			text, _ = callText(src)
		}
	}
	if len(r.leaves) >= maxLeaves {
		clear(r.leaves)
	}
	r.leaves[leaf] = text
	return text
}
