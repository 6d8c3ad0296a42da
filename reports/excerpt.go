package reports

import "github.com/concprof/concprof/probes/rundir"

// Bounds of an excerpt in a page: a run directory may come from anyone.
const (
	excerptLinesMost = 5
	excerptColumns   = 160
)

// excerptLines are the lines of an excerpt, nil where there is none.
func excerptLines(e *rundir.Excerpt) []lineView {
	if e == nil || e.Problem != "" {
		return nil
	}
	var out []lineView
	for i, text := range e.Lines[:min(len(e.Lines), excerptLinesMost)] {
		text = codeLine(text)
		if columns(text) > excerptColumns {
			text = fit(text, excerptColumns-1) + "…"
		}
		out = append(out, lineView{e.First + i, text, e.First+i == e.Line})
	}
	return out
}

// excerptProblem says why a limit with a place has no lines; "" where it has,
// or where none were looked for.
func excerptProblem(e *rundir.Excerpt) string {
	if e == nil {
		return ""
	}
	return short(e.Problem, 200)
}
