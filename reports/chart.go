package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A chart shows one number of every model against concurrency. Its x
// positions are percentages and its y positions pixels, so that a browser
// stretches it to any width without scaling its text.
type chart struct {
	ID, Title, Desc string
	Unit            string
	Height          int
	YTicks          []yTick
	XTicks          []xTick
	Series          []series
	// Base is the baseline's y, "" if it was not measured.
	Base string
	// Note explains the marks that the chart uses.
	Note string
	// Fits says what the curves are, or why there is none.
	Fits string
}

type yTick struct{ Y, TextY, Label string }
type xTick struct{ X, Label string }

// A series is one model's line. Its lines and points are moved by Shift pixels,
// so that models which read the same stand beside each other.
type series struct {
	Class string // style class
	Mark  string // marker
	Small string // of a pilot
	Name  string
	Best  bool
	Shift string
	// Line, Rough and Fit are paths whose x is in percent and whose y is in
	// pixels: between measured points, to or from a pilot, and the curve of the
	// scaling law.
	Line, Rough, Fit string
	// Beyond leads from the last point to the edge when the model was not
	// measured at the highest level.
	Beyond []segment
	Points []point
	// EndY is where the line ends, LabelY where its label stands.
	EndY, LabelY, TextY string
}

type segment struct{ X1, Y1, X2, Y2 string }

type point struct {
	X, Y, Low, High string // Low and High are the ends of the whisker
	Whisker         bool
	Faint           bool // eliminated, partial, or of too few trials for an interval
	Best            bool
	Pilot           bool // one uncounted trial
	Title           string
}

// Sizes of a chart, in pixels.
const (
	chartHeight = 260
	chartTop    = 10
	chartBottom = 8
	labelHeight = 17 // least distance of two labels
	// At one level the models' points stand pointApart from each other, or
	// closer, so that all of them take no more than levelWide: levels are some
	// 60 pixels apart when seven of them share half a page.
	pointApart = 8.0
	levelWide  = 28.0
	markerSize = 10.0 // a whisker that is shorter would not be seen
	margin     = 9.0  // percent, left and right of the outer levels
)

// logFrom is the ratio of the fastest model's best to the slowest's from
// which the y axis is logarithmic: below it the slowest line would lie within
// the lowest 2.5 % of a linear axis, where nothing can be read off it.
const logFrom = 40

// measure is what a chart shows of a cell.
type measure struct {
	id, title, unit string
	value           func(*analyzer.Cell) (v, low, high float64)
	pilot           func(*analyzer.Cell) float64
	format          func(float64) string
	// fits says that the scaling law describes it.
	fits bool
}

// of returns the value to draw for a cell; 0 for none.
func (m measure) of(c *analyzer.Cell) (v, low, high float64, pilot bool) {
	if c.Concurrency < 1 {
		return 0, 0, 0, false
	}
	if counted(c) {
		v, low, high = m.value(c)
		return max(v, 0), low, high, false
	}
	v = max(m.pilot(c), 0)
	return v, v, v, true
}

func throughput() measure {
	return measure{"rate", "Throughput by ops in flight", "ops/s", func(c *analyzer.Cell) (v, low, high float64) {
		return c.OpsPerSec.Median, c.OpsPerSec.Low, c.OpsPerSec.High
	}, func(c *analyzer.Cell) float64 { return c.Pilot }, rate, true}
}

func tailLatency() measure {
	return measure{"tail", "99th percentile of op time by ops in flight", "p99", func(c *analyzer.Cell) (v, low, high float64) {
		v = float64(c.Latency.P99)
		return v, v, v
	}, func(*analyzer.Cell) float64 { return 0 }, duration, false}
}

// charts returns the charts of a workload.
func charts(w *analyzer.Workload, id string) []chart {
	var out []chart
	for _, m := range []measure{throughput(), tailLatency()} {
		if c, ok := draw(w, id, m); ok {
			out = append(out, c)
		}
	}
	return out
}

func draw(w *analyzer.Workload, id string, m measure) (chart, bool) {
	c := chart{ID: id + "-" + m.id, Title: m.title, Unit: m.unit, Height: chartHeight}
	var levels []int
	var low, high, floor float64 = math.Inf(1), 0, math.Inf(1)
	tops := map[model.Model]float64{}
	cells := ordered(w)
	for _, cell := range cells {
		v, _, h, _ := m.of(cell)
		if v <= 0 {
			continue
		}
		if !slices.Contains(levels, cell.Concurrency) {
			levels = append(levels, cell.Concurrency)
		}
		low, high = min(low, v), max(high, h, v)
		tops[cell.Model] = max(tops[cell.Model], v)
	}
	for m, t := range tops {
		// The baseline is a point at the edge, not a line to be read.
		if m != model.Sequential || len(tops) == 1 {
			floor = min(floor, t)
		}
	}
	if len(levels) < 2 {
		return chart{}, false
	}
	slices.Sort(levels)
	y := newAxis(low, high, high/floor >= logFrom, m.format)
	for _, t := range y.ticks {
		c.YTicks = append(c.YTicks, yTick{px(y.at(t)), px(y.at(t) + 4), m.format(t)})
	}
	if y.ticks[0] == 0 {
		c.YTicks[0].Label = "0"
	}
	at := func(n float64) float64 {
		span := math.Log2(float64(levels[len(levels)-1])) - math.Log2(float64(levels[0]))
		return margin + (100-2*margin)*(math.Log2(n)-math.Log2(float64(levels[0])))/span
	}
	x := func(n int) string { return trimmed(at(float64(n))) }
	for _, n := range levels {
		c.XTicks = append(c.XTicks, xTick{x(n) + "%", strconv.Itoa(n)})
	}
	var words []string
	for _, mod := range model.All() {
		s, said := draftSeries(w, cells, mod, m, x, y)
		if len(s.Points) == 0 {
			continue
		}
		tip := s.Points[len(s.Points)-1]
		switch {
		case mod == model.Sequential:
			c.Base = tip.Y
		case tip.X != x(levels[len(levels)-1])+"%":
			s.Beyond = []segment{{tip.X, tip.Y, "100%", tip.Y}}
		}
		s.EndY = tip.Y
		if m.fits {
			s.Fit = fitted(w, mod, at, y)
		}
		c.Series = append(c.Series, s)
		words = append(words, string(mod)+" "+said)
	}
	aside(c.Series)
	c.Note = note(c.Series)
	if m.fits {
		c.Fits = fitsNote(w, c.Series)
	}
	label(c.Series)
	// The recommended model is drawn last, on top of the others.
	slices.SortStableFunc(c.Series, func(a, b series) int {
		switch {
		case a.Best == b.Best:
			return 0
		case a.Best:
			return 1
		}
		return -1
	})
	c.Desc = m.title + ": " + strings.Join(words, "; ") + "."
	return c, true
}

// draftSeries lays out one model's points and the lines between them, and says
// in words what they show.
func draftSeries(w *analyzer.Workload, cells []*analyzer.Cell, mod model.Model, m measure, x func(int) string, y axis) (series, string) {
	s := series{Class: "m-" + string(mod), Mark: markerID(mod), Small: smallID(mod), Name: string(mod)}
	var said []string
	most, top := 0.0, 0
	for _, cell := range cells {
		if cell.Model != mod {
			continue
		}
		v, lo, hi, pilot := m.of(cell)
		if v <= 0 {
			continue
		}
		p := point{
			X: x(cell.Concurrency) + "%", Y: px(y.at(v)), Low: px(y.at(lo)), High: px(y.at(hi)), Whisker: !pilot && y.at(lo)-y.at(hi) >= markerSize,
			Faint: !pilot && (cell.Status != record.OK || cell.OpsPerSec.Level < sureLevel), Best: !pilot && markOf(w, cell) == markBest, Pilot: pilot,
			Title: fmt.Sprintf("%s at %d: %s %s", mod, cell.Concurrency, m.format(v), m.unit),
		}
		switch {
		case pilot:
			p.Title += ", one short pilot"
		case lo != hi:
			p.Title += " (" + m.format(lo) + "-" + m.format(hi) + ")"
		}
		if p.Best {
			p.Title += ", recommended"
			s.Best = true
		}
		if n := len(s.Points); n > 0 {
			last, to := s.Points[n-1], &s.Line
			if last.Pilot || p.Pilot {
				to = &s.Rough
			}
			if start := "M" + pathPoint(last); !strings.HasSuffix(*to, "L"+start[1:]) {
				*to += start
			}
			*to += "L" + pathPoint(p)
		}
		s.Points = append(s.Points, p)
		word := fmt.Sprintf("%s at %d", m.format(v), cell.Concurrency)
		if pilot {
			word += " (pilot)"
		}
		said = append(said, word)
		if len(said) == 1 || v > most {
			most, top = v, len(said)-1
		}
	}
	// The table has every level; the first, the last and the highest tell the
	// shape.
	if n := len(said); n > 3 {
		ends := []string{said[0], said[n-1]}
		if top > 0 && top < n-1 {
			ends = append(ends, "at most "+said[top])
		}
		said = ends
	}
	return s, strings.Join(said, ", ")
}

func pathPoint(p point) string { return strings.TrimSuffix(p.X, "%") + " " + p.Y }

// aside shifts the series so that points of one level stand beside each
// other in the order of the models, the middle of them above the level. The
// baseline's one point needs no room.
func aside(all []series) {
	var moved []int
	for i, s := range all {
		if s.Name == string(model.Sequential) {
			all[i].Shift = px(0)
			continue
		}
		moved = append(moved, i)
	}
	step := pointApart
	if n := len(moved); n > 1 {
		step = min(step, levelWide/float64(n-1))
	}
	for k, i := range moved {
		all[i].Shift = px((float64(k) - float64(len(moved)-1)/2) * step)
	}
}

// note explains the marks that appear.
func note(all []series) string {
	var whisker, faint, best, pilot bool
	for _, s := range all {
		best = best || s.Best
		for _, p := range s.Points {
			whisker, faint, pilot = whisker || p.Whisker, faint || p.Faint, pilot || p.Pilot
		}
	}
	var parts []string
	if best {
		parts = append(parts, "ring: recommended")
	}
	if whisker {
		parts = append(parts, "whisker: interval of the median")
	}
	if faint {
		parts = append(parts, "hollow: eliminated, partial, or too few trials for an interval")
	}
	if pilot {
		parts = append(parts, "small on a dashed line: one short pilot, not counted")
	}
	return strings.Join(parts, "; ")
}

// label spreads the labels at the ends of the lines so that none covers
// another: in the order of their ends, each at least labelHeight below the one
// before, then pushed up from the bottom.
func label(all []series) {
	order := make([]int, len(all))
	at := make([]float64, len(all))
	for i := range all {
		order[i] = i
		at[i], _ = strconv.ParseFloat(all[i].EndY, 64)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case at[a] < at[b]:
			return -1
		case at[a] > at[b]:
			return 1
		}
		return 0
	})
	limit := float64(chartHeight - chartBottom)
	for k, i := range order {
		if k > 0 {
			at[i] = max(at[i], at[order[k-1]]+labelHeight)
		} else {
			at[i] = max(at[i], chartTop)
		}
	}
	for k := len(order) - 1; k >= 0; k-- {
		at[order[k]] = min(at[order[k]], limit)
		limit = at[order[k]] - labelHeight
	}
	for i := range all {
		all[i].LabelY, all[i].TextY = px(at[i]), px(at[i]+4)
	}
}

// An axis maps values to pixels, upwards.
type axis struct {
	log       bool
	low, high float64
	ticks     []float64
}

func newAxis(low, high float64, log bool, format func(float64) string) axis {
	a := axis{log: log}
	if log {
		a.low = math.Pow(10, math.Floor(math.Log10(low)))
		a.high = math.Pow(10, math.Ceil(math.Log10(high)))
		if a.high/a.low <= 1 {
			a.high = a.low * 10
		}
		for t := a.low; t <= a.high*1.001; t *= 10 {
			a.ticks = append(a.ticks, t)
		}
		return a
	}
	step := math.Pow(10, math.Floor(math.Log10(high)))
	switch n := high / step; {
	case n <= 1.5:
		step /= 4
	case n <= 3:
		step /= 2
	case n > 7:
		step *= 2
	}
	a.high = math.Ceil(high/step-1e-9) * step
	for t := 0.0; t <= a.high+step/2; t += step {
		a.ticks = append(a.ticks, t)
	}
	return a
}

// part returns where a value is between the axis' ends, 0 to 1.
func (a axis) part(v float64) float64 {
	if a.log {
		return (math.Log(max(v, a.low)) - math.Log(a.low)) / (math.Log(a.high) - math.Log(a.low))
	}
	return (v - a.low) / (a.high - a.low)
}

// at returns the y of a value.
func (a axis) at(v float64) float64 {
	return chartTop + (1-a.part(v))*(chartHeight-chartTop-chartBottom)
}

func px(v float64) string { return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") }

// percentOf returns part of whole as a percentage for an attribute.
func percentOf(part, whole float64) string {
	if whole <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(100*part/whole, 'f', 2, 64) + "%"
}

// A markerView is the shape that stands for a model, around the origin.
type markerView struct{ ID, Small, Path string }

// markerID is the ID of a model's marker, as short as can be: a page has
// thousands of points.
func markerID(m model.Model) string { return "k" + strconv.Itoa(slices.Index(model.All(), m)) }

// smallID is the ID of the same marker of a pilot.
func smallID(m model.Model) string { return "p" + strconv.Itoa(slices.Index(model.All(), m)) }

// markers are the shapes of all models: distinct without any colour.
func markers() []markerView {
	return []markerView{
		{markerID(model.Sequential), smallID(model.Sequential), "M-6-2H6V2H-6Z"},
		{markerID(model.Pool), smallID(model.Pool), "M0-4.5A4.5 4.5 0 1 1 0 4.5A4.5 4.5 0 1 1 0-4.5Z"},
		{markerID(model.Goroutines), smallID(model.Goroutines), "M-4-4H4V4H-4Z"},
		{markerID(model.EventLoop), smallID(model.EventLoop), "M0-5.5L5.2 4H-5.2Z"},
		{markerID(model.Threads), smallID(model.Threads), "M0-5.8L5.8 0L0 5.8L-5.8 0Z"},
		{markerID(model.Hybrid), smallID(model.Hybrid), "M0 5.5L5.2-4H-5.2Z"},
		{markerID(model.Subinterpreters), smallID(model.Subinterpreters), "M0-5.5L1.6-1.8L5.5-1.7L2.4.8L3.4 4.6L0 2.4L-3.4 4.6L-2.4.8L-5.5-1.7L-1.6-1.8Z"},
		{markerID(model.Processes), smallID(model.Processes), "M-4.8-3L-3-4.8L0-1.8L3-4.8L4.8-3L1.8 0L4.8 3L3 4.8L0 1.8L-3 4.8L-4.8 3L-1.8 0Z"},
	}
}
