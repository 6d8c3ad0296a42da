package analyzer

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
)

// A spot is a place in code as people are told it: nothing in it is of the
// machine that built the op.
type spot struct {
	function string
	file     string // relative to the workload's root; "" in built-in steps
	line     int
}

func (s spot) String() string {
	if s.file == "" {
		return s.function
	}
	return fmt.Sprintf("%s (%s:%d)", s.function, s.file, s.line)
}

// told returns a place of a profile as people are told it.
func (l *load) told(p profile.Place) spot {
	if kind, ok := profile.BuiltInStep(p.Function); ok {
		return spot{function: l.builtIn(kind)}
	}
	return spot{function: profile.CleanName(p.Function), file: relative(profile.CleanName(p.File), l.w.Root), line: p.Line}
}

// builtIn names a built-in step of a kind, as the workload does where that is
// clear.
func (l *load) builtIn(kind string) string {
	switch names := l.w.Steps; {
	case l.w.Target.Kind != model.Steps:
		return "the op itself"
	case len(names) == 1:
		return "built-in step " + names[0]
	case kind != "" && !slices.Contains(names, kind):
		return "a built-in step of kind " + kind
	default:
		return "built-in step " + cmp.Or(kind, "of the op")
	}
}

// relative returns the name of a file as people are told it: relative to root,
// or, of a file elsewhere, as an import path has it. No absolute path is left.
func relative(file, root string) string {
	if root != "" {
		if rest, ok := strings.CutPrefix(file, strings.TrimSuffix(root, "/")+"/"); ok {
			return rest
		}
	}
	for _, mark := range []string{"/pkg/mod/", "/src/"} {
		if i := strings.LastIndex(file, mark); i >= 0 {
			return file[i+len(mark):]
		}
	}
	if !path.IsAbs(file) && !strings.Contains(file, `:\`) {
		return file // of a build with -trimpath
	}
	parts := strings.FieldsFunc(file, func(r rune) bool { return r == '/' || r == '\\' })
	return path.Join(parts[max(len(parts)-2, 0):]...) // its package's folder and its name
}
