package reports

import "math"

// A spot is a point of a plane: x in percent, y in pixels.
type spot struct{ x, y float64 }

// Sizes of a plane and its labels, in pixels. A plane is between narrowPlane
// and widePlane wide; what stands apart at all widths between does so in every
// window.
const (
	narrowPlane = 230.0
	widePlane   = 1000.0
	digitWidth  = 8.5
	labelTall   = 15.0
	pointRadius = 7.0
)

// A patch is a place that is taken: a box around a spot, moved by so many
// pixels.
type patch struct {
	at                  spot
	dx, dy              float64
	halfWidth, halfTall float64
}

// meets reports whether two patches overlap at some width of the plane. Their
// distance to the side grows or falls with the width from end to end.
func (p patch) meets(o patch) bool {
	if math.Abs(p.at.y+p.dy-o.at.y-o.dy) >= p.halfTall+o.halfTall {
		return false
	}
	apart := func(width float64) float64 { return (p.at.x-o.at.x)/100*width + p.dx - o.dx }
	a, b := apart(narrowPlane), apart(widePlane)
	near := p.halfWidth + o.halfWidth
	return min(a, b) < near && max(a, b) > -near
}

// inside reports whether the patch is within the plane, which is hardest where
// it is narrow.
func (p patch) inside() bool {
	x, y := p.at.x/100*narrowPlane+p.dx, p.at.y+p.dy
	return x >= p.halfWidth && x <= narrowPlane-p.halfWidth && y >= p.halfTall && y <= chartHeight-p.halfTall
}

// patches are the places that are taken.
type patches []patch

// pointsOf are the places that the points themselves take.
func pointsOf(spots []spot) patches {
	var out patches
	for _, s := range spots {
		out = append(out, patch{s, 0, 0, pointRadius, pointRadius})
	}
	return out
}

// label finds a free place for a text of n digits near a point and takes it:
// the offset of the middle of the text's baseline from the point, the nearest
// places first. Where everything around a point is taken it gets no label; the
// list beside the plane has it.
func (p *patches) label(at spot, n int) (dx, dy float64, free bool) {
	for _, far := range []float64{14, 20, 28} {
		for _, turn := range []int{7, 6, 5, 0, 4, 1, 3, 2} {
			angle := float64(turn) * math.Pi / 4
			l := patch{at, math.Round(far * math.Cos(angle)), math.Round(far * math.Sin(angle)), float64(n) * digitWidth / 2, labelTall / 2}
			if l.inside() && !p.taken(l) {
				*p = append(*p, l)
				return l.dx, l.dy + 4, true // from the middle of a digit down to its foot
			}
		}
	}
	return 0, 0, false
}

func (p *patches) taken(l patch) bool {
	for _, o := range *p {
		if o.meets(l) {
			return true
		}
	}
	return false
}
