package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/quantity"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// planesView shows what throughput costs: each cell as a point of throughput
// against CPU per op, and against memory.
type planesView struct {
	Planes []plane
	Models []planeSeries // whose markers the points are, without points
}

// A plane is one such picture. Its x positions are percentages, its y
// positions pixels, as a chart's.
type plane struct {
	ID, Title, Unit, Desc string
	Height                int
	YTicks                []yTick
	XTicks                []xTick
	Series                []planeSeries
	// Line leads along the front from cell to cell.
	Line   string
	Labels []planeLabel
	Front  []frontView
	Note   string
}

// A planeSeries are the cells of one model.
type planeSeries struct {
	Model  string
	Mark   string // its marker
	Points []planePoint
}

type planePoint struct {
	X, Y, Title string
	Best, Faint bool
}

// A planeLabel is the number of a cell of the front beside its point.
type planeLabel struct{ X, Y, DX, DY, Text string }

// A frontView is a cell of the front in words.
type frontView struct{ Number, Cell, Row, Words string }

// minCells is the least number of measured cells that make a front: of two
// either one is better or there is nothing to see.
const minCells = 3

// A cost is what a plane shows throughput against.
type cost struct {
	id, title, unit, name string
	of                    func(*analyzer.Cell) float64
	format                func(float64) string
}

func costs() []cost {
	return []cost{
		{"cpu", "Throughput against CPU time", "CPU per op, by ops/s", "CPU per op", func(c *analyzer.Cell) float64 { return c.CPUNsPerOp }, duration},
		{"memory", "Throughput against memory", "peak MiB, by ops/s", "peak memory",
			func(c *analyzer.Cell) float64 { return float64(c.PeakRSSBytes) / (1 << 20) },
			func(v float64) string { return quantity.Digits(v) + " MiB" }},
	}
}

// planes returns the planes of a workload, nil with too few measured cells.
func planes(w *analyzer.Workload, id string, rows anchors, d density) *planesView {
	out := &planesView{}
	for i, k := range costs() {
		if i >= d.planes {
			break
		}
		if p, ok := drawPlane(w, id, k, rows, d.tips); ok {
			out.Planes = append(out.Planes, p)
		}
	}
	if len(out.Planes) == 0 {
		return nil
	}
	for _, c := range ordered(w) {
		n := len(out.Models)
		if counted(c) && slices.Contains(model.All(), c.Model) && (n == 0 || out.Models[n-1].Model != string(c.Model)) {
			out.Models = append(out.Models, planeSeries{Model: string(c.Model), Mark: markerID(c.Model)})
		}
	}
	return out
}

// front returns those of the cells that no other one beats: none is faster at
// no more cost, or cheaper at no less throughput. They are in the order of
// throughput; of equals the first stands for all.
func front(cells []*analyzer.Cell, of func(*analyzer.Cell) float64) []*analyzer.Cell {
	var out []*analyzer.Cell
	for i, c := range cells {
		beaten := slices.ContainsFunc(cells, func(x *analyzer.Cell) bool {
			faster, cheaper := x.OpsPerSec.Median-c.OpsPerSec.Median, of(c)-of(x)
			return faster >= 0 && cheaper >= 0 && (faster > 0 || cheaper > 0)
		})
		same := slices.ContainsFunc(cells[:i], func(x *analyzer.Cell) bool {
			return x.OpsPerSec.Median == c.OpsPerSec.Median && of(x) == of(c)
		})
		if !beaten && !same {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *analyzer.Cell) int {
		return int(math.Copysign(1, a.OpsPerSec.Median-b.OpsPerSec.Median))
	})
	return out
}

func drawPlane(w *analyzer.Workload, id string, k cost, rows anchors, tips bool) (plane, bool) {
	p := plane{ID: id + "-" + k.id, Title: k.title, Unit: k.unit, Height: chartHeight}
	var cells []*analyzer.Cell
	lowX, highX, lowY, highY := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, c := range ordered(w) {
		if !counted(c) || !(k.of(c) > 0) || !slices.Contains(model.All(), c.Model) {
			continue
		}
		cells = append(cells, c)
		lowX, highX = min(lowX, c.OpsPerSec.Median), max(highX, c.OpsPerSec.Median)
		lowY, highY = min(lowY, k.of(c)), max(highY, k.of(c))
	}
	if len(cells) < minCells {
		return plane{}, false
	}
	ax, ay := newAxis(lowX, highX, highX/lowX >= logFrom, rate), newAxis(lowY, highY, highY/lowY >= logFrom, k.format)
	x := func(v float64) float64 { return margin + (100-2*margin)*ax.part(v) }
	for _, t := range ay.ticks {
		p.YTicks = append(p.YTicks, yTick{px(ay.at(t)), px(ay.at(t) + 4), strings.TrimSuffix(k.format(t), " MiB")})
	}
	if ay.ticks[0] == 0 {
		p.YTicks[0].Label = "0"
	}
	// A narrow page has room for four numbers side by side.
	step := (len(ax.ticks) + 3) / 4
	for i := 0; i < len(ax.ticks); i += step {
		t := xTick{trimmed(x(ax.ticks[i])) + "%", rate(ax.ticks[i])}
		if ax.ticks[i] == 0 {
			t.Label = "0"
		}
		p.XTicks = append(p.XTicks, t)
	}
	var spots []spot
	var faint, best bool
	for _, c := range cells {
		pt := planePoint{
			X: trimmed(x(c.OpsPerSec.Median)) + "%", Y: px(ay.at(k.of(c))),
			Best: markOf(w, c) == markBest, Faint: c.Status != record.OK || c.OpsPerSec.Level < sureLevel,
		}
		if tips {
			pt.Title = fmt.Sprintf("%s: %s ops/s, %s", cellWords(c.Model, c.Concurrency), rate(c.OpsPerSec.Median), k.format(k.of(c)))
		}
		faint, best = faint || pt.Faint, best || pt.Best
		if n := len(p.Series); n == 0 || p.Series[n-1].Model != string(c.Model) {
			p.Series = append(p.Series, planeSeries{Model: string(c.Model), Mark: markerID(c.Model)})
		}
		of := &p.Series[len(p.Series)-1]
		of.Points = append(of.Points, pt)
		spots = append(spots, spot{x(c.OpsPerSec.Median), ay.at(k.of(c))})
	}
	// The recommended model is drawn last, on top of the others.
	if r := w.Recommendation; r != nil {
		slices.SortStableFunc(p.Series, func(a, b planeSeries) int {
			switch last := string(r.Model); {
			case a.Model == b.Model:
				return 0
			case a.Model == last:
				return 1
			case b.Model == last:
				return -1
			}
			return 0
		})
	}
	var words []string
	taken := pointsOf(spots)
	for i, c := range front(cells, k.of) {
		n := strconv.Itoa(i + 1)
		at := spot{x(c.OpsPerSec.Median), ay.at(k.of(c))}
		command := "L"
		if i == 0 {
			command = "M"
		}
		p.Line += command + trimmed(at.x) + " " + px(at.y)
		if dx, dy, free := taken.label(at, len(n)); free {
			p.Labels = append(p.Labels, planeLabel{trimmed(at.x) + "%", px(at.y), trimmed(dx), trimmed(dy), n})
		}
		f := frontView{n, cellWords(c.Model, c.Concurrency), rows[cellKey{c.Model, c.Concurrency}],
			fmt.Sprintf("%s ops/s, %s", rate(c.OpsPerSec.Median), k.format(k.of(c)))}
		p.Front = append(p.Front, f)
		words = append(words, f.Cell+" with "+f.Words)
	}
	p.Desc = fmt.Sprintf("%s: %d cells. No cell is both faster and cheaper than %s.", k.title, len(cells), strings.Join(words, "; "))
	p.Note = "No other cell has more throughput at no more " + k.name + " than these, the Pareto front, by their medians"
	if best {
		p.Note += "; ring: recommended"
	}
	if faint {
		p.Note += "; hollow: eliminated, partial, or too few trials for an interval"
	}
	return p, true
}
