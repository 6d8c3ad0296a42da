package bench

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// leastSamples is how many trials of a cell a sweep must have for halves of
// three, the least whose median is one value and not the mean of two.
const leastSamples = 6

// A worth is the throughput of a recommended cell, as a share of the best
// cell's: 1 says that nothing better was there.
type worth struct {
	value     float64
	low, high float64 // 95 % by bootstrap over the repetitions
}

// rivals are the cells of a sweep that could have been recommended: those with
// all results right, in one process unless the op has no state to share, and no
// event loop that would stand still.
func (s Sweep) rivals(l Label) []SweptCell {
	var cs []SweptCell
	for _, c := range s.Cells {
		apart := c.Model == model.Processes && !slices.Contains(l.Models, model.Processes)
		stalls := c.Model == model.EventLoop && l.Blocking
		if c.Status == record.OK && len(c.Samples) >= leastSamples && !apart && !stalls {
			cs = append(cs, c)
		}
	}
	return cs
}

// worth values a cell against the best of its rivals. The best is chosen on
// one half of the repetitions and valued on the other, then the halves change
// places: the best of many noisy medians looks better than it is where it was
// chosen.
func (s Sweep) worth(l Label, of Setup) (worth, bool) {
	rivals := s.rivals(l)
	at := standIn(rivals, of)
	if at < 0 {
		return worth{}, false
	}
	samples := make([][]float64, len(rivals))
	for i, c := range rivals {
		samples[i] = c.Samples
	}
	w := worth{value: halves(samples, at)}
	rng := rand.New(rand.NewPCG(1, 2))
	const resamples = 1000 // bounds a 95 % percentile to about 0.7 points of its level
	drawn := make([]float64, 0, resamples)
	again := make([][]float64, len(samples))
	for range resamples {
		for i, x := range samples {
			again[i] = make([]float64, len(x))
			for k := range again[i] {
				// Within a half, so that no repetition is in both.
				half := k % 2
				again[i][k] = x[min(2*rng.IntN((len(x)+1-half)/2)+half, len(x)-1)]
			}
		}
		drawn = append(drawn, halves(again, at))
	}
	slices.Sort(drawn)
	w.low, w.high = drawn[resamples*25/1000], drawn[resamples*975/1000]
	return w, true
}

// standIn is the place of a setup among swept cells. A level that concprof added
// is in no sweep: the worse of its neighbours of the same model stands for it, or
// the only one. It is -1 if there is none.
func standIn(cells []SweptCell, of Setup) int {
	if at := slices.IndexFunc(cells, func(c SweptCell) bool { return c.Setup == of }); at >= 0 {
		return at
	}
	below, above := -1, -1
	for i, c := range cells {
		switch {
		case c.Model != of.Model:
		case c.Concurrency < of.Concurrency && (below < 0 || c.Concurrency > cells[below].Concurrency):
			below = i
		case c.Concurrency > of.Concurrency && (above < 0 || c.Concurrency < cells[above].Concurrency):
			above = i
		}
	}
	if below < 0 || above >= 0 && median(cells[above].Samples) < median(cells[below].Samples) {
		return above
	}
	return below
}

// halves is the mean of the two ways to choose on one half and value on the
// other.
func halves(samples [][]float64, at int) float64 {
	product := 1.0
	for half := range 2 {
		best := 0
		for i := range samples {
			if median(every(samples[i], half)) > median(every(samples[best], half)) {
				best = i
			}
		}
		product *= median(every(samples[at], 1-half)) / max(median(every(samples[best], 1-half)), 1e-9)
	}
	return math.Sqrt(product)
}

// every returns each second value.
func every(xs []float64, from int) []float64 {
	var out []float64
	for i := from; i < len(xs); i += 2 {
		out = append(out, xs[i])
	}
	return out
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	if len(s) == 0 {
		return 0
	}
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
