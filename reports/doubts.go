package reports

import (
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// A doubt is a warning and the workload that it is about, "" for the run or
// for several.
type doubt struct {
	Workload string
	analyzer.Warning
}

// doubts returns every warning, the run's first, those that differ only in
// their cell and their numbers as one.
func doubts(res *analyzer.Result) []doubt {
	out := runDoubts(res)
	var all []doubt
	for i := range res.Workloads {
		all = append(all, own(&res.Workloads[i])...)
	}
	return append(out, together(all)...)
}

func runDoubts(res *analyzer.Result) []doubt {
	var out []doubt
	for _, w := range res.Warnings {
		out = append(out, doubt{"", w})
	}
	return together(out)
}

func workloadDoubts(w *analyzer.Workload) []doubt { return together(own(w)) }

func own(w *analyzer.Workload) []doubt {
	var out []doubt
	for _, d := range w.Warnings {
		out = append(out, doubt{w.Name, d})
	}
	return out
}

// together merges doubts of one kind.
func together(all []doubt) []doubt {
	groups := map[string][]doubt{}
	var order []string
	for _, d := range all {
		_, rest := subject(d.Message)
		key := d.ID + "\x00" + d.Remedy + "\x00" + skeleton(rest)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], d)
	}
	var out []doubt
	for _, key := range order {
		ds := groups[key]
		d := ds[0]
		if len(ds) > 1 {
			d = merge(ds)
		}
		out = append(out, d)
	}
	return out
}

// merge makes one doubt of several: of which workloads and cells, then what.
func merge(ds []doubt) doubt {
	d := ds[0]
	var rests, about []string
	several := false
	for i, e := range ds {
		cell, rest := subject(e.Message)
		rests = append(rests, rest)
		several = several || e.Workload != d.Workload
		last := i > 0 && ds[i-1].Workload == e.Workload
		switch {
		case last && cell != "":
			about[len(about)-1] += ", " + cell
		case !last:
			about = append(about, strings.TrimSpace(e.Workload+" "+cell))
		}
	}
	d.Message = merged(rests)
	s := strings.Join(about, "; ")
	if !several {
		// The name of the one workload is said by itself.
		s = strings.TrimSpace(strings.TrimPrefix(s, d.Workload))
	} else {
		d.Workload = ""
	}
	if s != "" {
		d.Message = s + ": " + d.Message
	}
	return d
}

// subject splits a message into the cell that it begins with, "pool at 16",
// and the rest.
func subject(message string) (cell, rest string) {
	head, tail, ok := strings.Cut(message, ": ")
	if !ok {
		return "", message
	}
	name, level, ok := strings.Cut(head, " at ")
	if !ok {
		return "", message
	}
	var n int
	if _, err := fmt.Sscanf(level, "%d", &n); err != nil || fmt.Sprint(n) != level {
		return "", message
	}
	for _, m := range model.All() {
		if string(m) == name {
			return head, tail
		}
	}
	return "", message
}
