package reports

import "math"

// A spot is a point of a plane: x in percent, y in pixels.
type spot struct{ x, y float64 }

// Sizes of a plane's labels, in pixels. Two labels are nearest to each other on
// the narrowest page, for their distance grows with the page and they do not:
// what is apart at narrowPlane pixels is apart on every wider one.
const (
	narrowPlane = 230.0
	digitWidth  = 7.5
	labelTall   = 12.0
	pointRadius = 7.0
)

// rectangles are the places that are taken, in pixels of the narrowest page.
type rectangles []rectangle

type rectangle struct{ left, top, right, bottom float64 }

func (r rectangle) meets(o rectangle) bool {
	return r.left < o.right && o.left < r.right && r.top < o.bottom && o.top < r.bottom
}

// boxesOf are the places that the points themselves take.
func boxesOf(spots []spot) rectangles {
	var out rectangles
	for _, s := range spots {
		x := s.x / 100 * narrowPlane
		out = append(out, rectangle{x - pointRadius, s.y - pointRadius, x + pointRadius, s.y + pointRadius})
	}
	return out
}

// label finds a free place for a text of n digits near a point and takes it:
// the offset of the middle of the text's baseline from the point, the nearest
// places first. Where everything around a point is taken it gets no label; the
// list beside the plane has it.
func (r *rectangles) label(at spot, n int) (dx, dy float64, free bool) {
	width := float64(n) * digitWidth
	for _, far := range []float64{13, 19, 27} {
		for _, turn := range []int{7, 6, 5, 0, 4, 1, 3, 2} {
			angle := float64(turn) * math.Pi / 4
			dx, dy = math.Round(far*math.Cos(angle)), math.Round(far*math.Sin(angle))
			x, y := at.x/100*narrowPlane+dx, at.y+dy
			box := rectangle{x - width/2, y - labelTall/2, x + width/2, y + labelTall/2}
			if box.left < 0 || box.right > narrowPlane || box.top < 0 || box.bottom > chartHeight || r.taken(box) {
				continue
			}
			*r = append(*r, box)
			return dx, dy + labelTall/2 - 2, true // down from its middle to its baseline
		}
	}
	return 0, 0, false
}

func (r *rectangles) taken(box rectangle) bool {
	for _, o := range *r {
		if o.meets(box) {
			return true
		}
	}
	return false
}
