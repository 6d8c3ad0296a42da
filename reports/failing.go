package reports

import (
	"fmt"
	"slices"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
)

// A failureView is what failed under models that failed alike.
type failureView struct {
	Models string
	Failed string // "12 of 400 ops"
	Errors []record.ErrorCount
	Notes  []string
}

// errorHandling returns what failed, models whose errors and notes are the same
// together, in the order of the first of each.
func errorHandling(w *analyzer.Workload) []failureView {
	groups := map[string][]*analyzer.ErrorHandling{}
	var order []string
	for i := range w.ErrorHandling {
		h := &w.ErrorHandling[i]
		key := ""
		for _, e := range h.Errors {
			key += e.Type + "\x00" + e.Message + "\x00"
		}
		for _, n := range h.Notes {
			key += "\x01" + skeleton(n)
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], h)
	}
	var out []failureView
	for _, key := range order {
		hs := groups[key]
		v := failureView{Errors: slices.Clone(hs[0].Errors)}
		var failed, ops int64
		for i, h := range hs {
			if i > 0 {
				v.Models += ", "
				for k, e := range h.Errors {
					v.Errors[k].Count += e.Count
				}
			}
			v.Models += string(h.Model)
			failed, ops = failed+h.FailedOps, ops+h.Ops
		}
		for k := range hs[0].Notes {
			var same []string
			for _, h := range hs {
				same = append(same, h.Notes[k])
			}
			v.Notes = append(v.Notes, merged(same))
		}
		v.Failed = "no op failed"
		if failed > 0 {
			v.Failed = fmt.Sprintf("%s of %s failed", count(failed), plural(ops, "op"))
		}
		out = append(out, v)
	}
	return out
}

// plain is v as printable text.
func (v failureView) plain() failureView {
	v.Models = plain(v.Models)
	v.Errors, v.Notes = slices.Clone(v.Errors), slices.Clone(v.Notes)
	for i, e := range v.Errors {
		v.Errors[i] = record.ErrorCount{Type: plain(e.Type), Message: plain(e.Message), Count: e.Count}
	}
	for i, n := range v.Notes {
		v.Notes[i] = plain(n)
	}
	return v
}

// errorText is an error's type and what it said, if that is told.
func errorText(e record.ErrorCount) string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}
