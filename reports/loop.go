package reports

import (
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer"
)

// loopLines tell what asyncio's loop did, a sentence a line; none where there
// was no such loop.
func loopLines(w *analyzer.Workload) []string {
	l := w.Loop
	if l == nil || l.Turns <= 0 {
		return nil
	}
	head := fmt.Sprintf("with %s in flight: idle %s of the time, busy %s, its thread on a processor %s",
		plural(int64(l.Concurrency), "op"), share(l.Idle), share(l.Busy), share(l.CPU))
	out := []string{head}
	s := fmt.Sprintf("%s, the longest %s", plural(l.Turns, "turn"), duration(float64(l.LongestTurnNs)))
	if l.LongestStepNs > 0 {
		s += fmt.Sprintf("; of %s the longest step from one await to the next %s%s", plural(l.Tasks, "sampled task"), duration(float64(l.LongestStepNs)), at(l.LongestStep))
	}
	out = append(out, s)
	if l.Blocking != nil && l.Stalled > 0 {
		out = append(out, fmt.Sprintf("blocked in calls %s of the time, longest%s", share(l.Stalled), at(l.Blocking)))
	}
	var awaits []string
	for _, a := range l.Awaits {
		awaits = append(awaits, fmt.Sprintf("%s%s for %s", share(a.Share), at(&a.Place), waitWord(string(a.Wait))))
	}
	if len(awaits) > 0 {
		out = append(out, "tasks awaited "+strings.Join(awaits, ", "))
	}
	return out
}

// at names a place, ", at fetch (app.py:12)" without the comma.
func at(p *analyzer.Place) string {
	if p == nil {
		return ""
	}
	return " at " + p.String()
}

// waitWord is a reason for waiting as a phrase.
func waitWord(kind string) string {
	switch kind {
	case "network":
		return "the network"
	case "other", "":
		return "something else"
	}
	return "a " + kind
}
