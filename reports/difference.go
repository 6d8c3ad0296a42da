package reports

import (
	"fmt"

	"github.com/concprof/concprof/analyzer"
)

// A differenceView is the first op that a model gets wrong, in words.
type differenceView struct {
	Cell       string // "goroutines at 8"
	Lead       string // "op 17 is the first of 1,024 that differs"
	Sequential string // "" with Returned where none differed
	Returned   string
}

// differences returns what was found of models whose results are wrong.
func differences(w *analyzer.Workload) []differenceView {
	var out []differenceView
	for _, d := range w.Differences {
		v := differenceView{Cell: plain(fmt.Sprintf("%s at %d", d.Model, d.Concurrency))}
		if d.Found {
			v.Lead = fmt.Sprintf("op %d is the first of %s that differs", d.Op, count(d.Compared))
			v.Sequential, v.Returned = plain(d.Sequential), plain(d.Returned)
		} else {
			v.Lead = fmt.Sprintf("the first %s agreed when they were run again: results are wrong now and then", plural(d.Compared, "op"))
		}
		out = append(out, v)
	}
	return out
}

// differences writes the first op that each model gets wrong.
func (t *terminal) differences(w *analyzer.Workload) {
	for i, v := range differences(w) {
		if i == 0 {
			t.heading("wrong results")
		}
		t.hang(indent+"- ", v.Cell+": "+v.Lead, plainStyle)
		if v.Returned != "" {
			t.hang(indent+indent+"  sequential returned ", v.Sequential, plainStyle)
			t.hang(indent+indent+"  this model returned ", v.Returned, plainStyle)
		}
	}
}

// differencesMarkdown is the same for a comment.
func differencesMarkdown(w *analyzer.Workload) string {
	s := ""
	for i, v := range differences(w) {
		if i == 0 {
			s = "\n**Wrong results**\n\n"
		}
		s += "- " + prose(v.Cell+": "+v.Lead)
		if v.Returned != "" {
			s += ": sequential returned " + code(v.Sequential) + ", this model " + code(v.Returned)
		}
		s += "\n"
	}
	return s
}
