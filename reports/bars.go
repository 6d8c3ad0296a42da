package reports

import (
	"fmt"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/record"
)

// A barView is one stacked bar: where the ops of a cell spent their time.
type barView struct {
	Label    string
	Best     bool
	Segments []barSegment
	Words    string // the values as text
}

type barSegment struct {
	Part     string // style class and pattern
	X, Width string // in percent
	Text     string // "" where the segment is too narrow
	Title    string
}

// usedParts returns the parts that some bar shows, for the legend.
func usedParts(bars []barView) []partView {
	used := map[string]bool{}
	for _, b := range bars {
		for _, s := range b.Segments {
			used[s.Part] = true
		}
	}
	var out []partView
	for _, p := range parts() {
		if used[p.ID] {
			out = append(out, p)
		}
	}
	return out
}

// A partView is an entry of the legend, and a pattern.
type partView struct{ ID, Name string }

// parts are the parts of an op's time in the order of reports.
func parts() []partView {
	out := []partView{{"on-cpu", onCPU}, {"runnable", runnable}}
	for _, w := range record.Waits() {
		out = append(out, partView{string(w), string(w)})
	}
	return out
}

// Narrow segments carry no text, and of parts below minPart no segment is
// drawn: a thousandth of the bar is less than a pixel.
const (
	textFrom = 0.09
	minPart  = 0.001
)

// bars returns the split of the sequential cell, then of every model's
// profiled cell, or of the recommended one alone.
func bars(w *analyzer.Workload, all bool) []barView {
	var out []barView
	out = append(out, bar("one op alone", portions(w)))
	for _, c := range ordered(w) {
		ps := cellPortions(c)
		if len(ps) == 0 || c.Model == "sequential" || !all && markOf(w, c) != markBest {
			continue
		}
		b := bar(fmt.Sprintf("%s at %d", plain(string(c.Model)), c.Concurrency), ps)
		b.Best = markOf(w, c) == markBest
		out = append(out, b)
	}
	return out
}

func bar(label string, ps []portion) barView {
	b := barView{Label: label}
	sum := 0.0
	for _, p := range ps {
		sum += max(p.Share, 0)
	}
	if sum <= 0 {
		return b
	}
	// A sum above 1 is drawn to scale, one below leaves a gap at the end.
	whole := max(sum, 1)
	at := 0.0
	var words []string
	for i, p := range ps {
		if p.Share < minPart {
			continue
		}
		s := barSegment{
			Part: parts()[i].ID, X: trimmed(100*at/whole) + "%", Width: trimmed(100*p.Share/whole) + "%",
			Title: p.Name + " " + percent(p.Share),
		}
		if p.Share >= textFrom {
			s.Text = p.Name + " " + share(p.Share)
		}
		at += p.Share
		b.Segments = append(b.Segments, s)
		words = append(words, s.Title)
	}
	b.Words = strings.Join(words, ", ")
	return b
}

// A scaleView places a demand among the classes.
type scaleView struct {
	X, Low, Width string // percent of the scale
	IOEnd, CPUAt  string
	Mixed, CPU    string // widths of the bands
	IOMid, MixMid string
	CPUMid        string
	Words         string
}

func scale(w *analyzer.Workload) *scaleView {
	d := w.DemandInterval
	if w.Demand == 0 && d == [2]float64{} {
		return nil
	}
	// The Result does not carry the bands that it was judged by: these are the
	// defaults, which concprof's commands judge by.
	o := analyzer.DefaultOptions()
	ioBand, cpuBand := o.IOBand, o.CPUBand
	// An op that uses several cores inside has a demand above 1: the scale
	// grows with it.
	top := max(1, w.Demand*1.05, d[1]*1.05)
	lo, hi := min(d[0], w.Demand), max(d[1], w.Demand)
	return &scaleView{
		X: percentOf(w.Demand, top), Low: percentOf(lo, top), Width: percentOf(hi-lo, top),
		IOEnd: percentOf(ioBand, top), CPUAt: percentOf(cpuBand, top),
		Mixed: percentOf(cpuBand-ioBand, top), CPU: percentOf(top-cpuBand, top),
		IOMid: percentOf(ioBand/2, top), MixMid: percentOf((ioBand+cpuBand)/2, top), CPUMid: percentOf((cpuBand+top)/2, top),
		Words: fmt.Sprintf("Demand %s, interval %s to %s, on a scale where io-bound ends at %s and cpu-bound begins at %s.",
			demand(w.Demand), demand(d[0]), demand(d[1]), demand(ioBand), demand(cpuBand)),
	}
}
