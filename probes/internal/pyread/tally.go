package pyread

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/concprof/concprof/probes/record"
)

// A tally adds up stacks.
type tally struct {
	byKey map[string]*Stack
}

// maxStacks bounds the distinct stacks that are kept. Of what is beyond only
// the anchor is kept.
const maxStacks = 1 << 17

// add adds a look at a stack to the entry under key; frames makes its frames
// when there is none yet.
func (t *tally) add(key []byte, ns int64, make func() Stack) {
	s := t.byKey[string(key)]
	if s == nil {
		made := make()
		if len(t.byKey) >= maxStacks {
			made.Frames = made.Frames[len(made.Frames)-1:]
			key = []byte("rest " + made.label())
			if s = t.byKey[string(key)]; s == nil {
				s = &made
			}
		} else {
			s = &made
		}
		t.byKey[string(key)] = s
	}
	s.Count++
	s.Ns += ns
}

// label is what a stack is called apart from its frames.
func (s *Stack) label() string {
	return string(s.State) + " " + string(s.Wait) + " " + strconv.FormatBool(s.GIL)
}

// stacks returns what was added, the same stacks of several processes
// together, the heaviest first.
func (t *tally) stacks() []Stack {
	same := map[string]*Stack{}
	for _, s := range t.byKey {
		var key strings.Builder
		for _, f := range s.Frames {
			key.WriteString(f.Function + "\x00" + f.File + "\x00" + strconv.Itoa(f.Line) + "\x00")
		}
		key.WriteString(s.label())
		if have := same[key.String()]; have != nil {
			have.Count += s.Count
			have.Ns += s.Ns
			continue
		}
		own := *s
		same[key.String()] = &own
	}
	all := make([]Stack, 0, len(same))
	for _, s := range same {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Stack) int {
		return cmp.Or(cmp.Compare(b.Ns, a.Ns), strings.Compare(a.label(), b.label()),
			slices.CompareFunc(a.Frames, b.Frames, compareFrames))
	})
	return all
}

func compareFrames(a, b record.Frame) int {
	return cmp.Or(strings.Compare(a.Function, b.Function), strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
}
