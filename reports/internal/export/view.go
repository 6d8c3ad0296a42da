// Package export writes profiles in the formats of other tools: folded stacks
// for flame-graph scripts, speedscope's JSON, and the files of Python's
// pstats. The writers are pure: the same profile gives the same bytes. Names
// are made printable where they leave, and what a format uses as punctuation
// is replaced in them.
package export

import (
	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// A View is one column of a profile, under a name.
type View struct {
	Name    string
	Profile *pprof.Profile
	Column  int // index of the sample type
}

// unit is that of the view's numbers, "nanoseconds" or "count".
func (v View) unit() string {
	return v.Profile.SampleType[v.Column].Unit
}

// A frame is a function on a stack, and the line in it.
type frame struct {
	fn   *pprof.Function // nil where the profile does not say
	name string
	file string
	line int64
}

// each calls f for every sample that has a value, with its stack, root first.
// The stack is valid during the call only.
func (v View) each(f func(stack []frame, value int64)) {
	var buf []frame
	for _, s := range v.Profile.Sample {
		n := s.Value[v.Column]
		if n <= 0 {
			continue
		}
		buf = buf[:0]
		for i := len(s.Location) - 1; i >= 0; i-- {
			for k := len(s.Location[i].Line) - 1; k >= 0; k-- {
				buf = append(buf, frameOf(s.Location[i].Line[k]))
			}
		}
		f(buf, n)
	}
}

func frameOf(l pprof.Line) frame {
	f := frame{fn: l.Function, name: "?", line: max(l.Line, 0)}
	if l.Function != nil {
		f.name, f.file = profile.CleanName(l.Function.Name), profile.CleanFile(l.Function.Filename)
	}
	return f
}
