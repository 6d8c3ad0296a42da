package export

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Folded writes a line for each stack: its frames, root first, separated by
// semicolons, a space and the value. That is what flamegraph.pl, inferno and
// speedscope read. A Go function is told by its name, which has its package;
// one of another language by its file and line too, as py-spy writes them.
// Equal stacks are one line; the lines are sorted.
func Folded(w io.Writer, v View) error {
	sums := map[string]int64{}
	var b strings.Builder
	v.each(func(stack []frame, n int64) {
		b.Reset()
		for i, f := range stack {
			if i > 0 {
				b.WriteByte(';')
			}
			b.WriteString(f.folded())
		}
		sums[b.String()] += n
	})
	stacks := make([]string, 0, len(sums))
	for s := range sums {
		stacks = append(stacks, s)
	}
	slices.Sort(stacks)
	out := bufio.NewWriter(w)
	for _, s := range stacks {
		fmt.Fprintf(out, "%s %d\n", s, sums[s])
	}
	return out.Flush()
}

// separators of the format must not stand in names: those of Go's generic
// functions hold semicolons.
var separators = strings.NewReplacer(";", ",", "\n", " ", "\r", " ")

func (f frame) folded() string {
	s := f.name
	if f.file != "" && f.file != "?" && !strings.HasSuffix(f.file, ".go") && !strings.HasSuffix(f.file, ".s") {
		s += " (" + f.file
		if f.line > 0 {
			s += fmt.Sprintf(":%d", f.line)
		}
		s += ")"
	}
	if s = separators.Replace(s); strings.TrimSpace(s) == "" {
		return "?"
	}
	return s
}
