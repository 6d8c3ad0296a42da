package reports

import (
	"fmt"

	"github.com/concprof/concprof/analyzer"
)

// A raceView is what the race detector found, in words.
type raceView struct {
	Lead  string
	Sides []raceSide
	Trial string // folder of the whole report
}

// A raceSide is one access of the first race.
type raceSide struct {
	What  string // "write at counter.go:12"
	Stack []string
}

// raceOf returns what there is to show of data races, nil if that is nothing.
func raceOf(w *analyzer.Workload) *raceView {
	r := w.Race
	if r == nil || r.Found == 0 {
		return nil
	}
	v := &raceView{
		Lead: fmt.Sprintf("%s in %s with %d in flight under %s; the first is between these two",
			plural(r.Found, "data race"), plural(r.Ops, "op"), r.Concurrency, plain(string(r.Model))),
	}
	if len(r.Accesses) == 0 {
		v.Lead = fmt.Sprintf("%s in %s with %d in flight under %s", plural(r.Found, "data race"), plural(r.Ops, "op"), r.Concurrency, plain(string(r.Model)))
	}
	if r.Trial != "" {
		v.Trial = plain("trials/" + r.Trial + "/stderr")
	}
	for _, a := range r.Accesses {
		s := raceSide{What: plain(a.What + " in " + a.At.String())}
		for _, p := range a.Stack {
			s.Stack = append(s.Stack, plain(p.String()))
		}
		v.Sides = append(v.Sides, s)
	}
	return v
}

// race writes the two stacks of the first data race.
func (t *terminal) race(w *analyzer.Workload) {
	v := raceOf(w)
	if v == nil {
		return
	}
	t.heading("data races")
	t.hang(indent+"- ", v.Lead, plainStyle)
	for _, s := range v.Sides {
		t.hang(indent+indent+"  ", s.What, plainStyle)
		for _, p := range s.Stack {
			t.hang(indent+indent+indent+"  ", p, dimStyle)
		}
	}
	if v.Trial != "" {
		t.hang(indent+"- ", "the whole report is "+v.Trial, plainStyle)
	}
}

// raceMarkdown is the same for a comment.
func raceMarkdown(w *analyzer.Workload) string {
	v := raceOf(w)
	if v == nil {
		return ""
	}
	s := "\n**Data races**\n\n- " + prose(v.Lead) + "\n"
	for _, side := range v.Sides {
		s += "  - " + prose(side.What) + "\n"
		for _, p := range side.Stack {
			s += "    - " + code(p) + "\n"
		}
	}
	return s
}
