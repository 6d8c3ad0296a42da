package export

import (
	"encoding/json"
	"io"
)

// speedscopeSchema is what a file of speedscope's format says it follows.
const speedscopeSchema = "https://www.speedscope.app/file-format-schema.json"

// The document that speedscope reads (its src/lib/file-format-spec.ts). All
// profiles share one table of frames.
type (
	speedscopeFile struct {
		Schema   string              `json:"$schema"`
		Exporter string              `json:"exporter"`
		Name     string              `json:"name"`
		Active   int                 `json:"activeProfileIndex"`
		Shared   speedscopeShared    `json:"shared"`
		Profiles []speedscopeProfile `json:"profiles"`
	}
	speedscopeShared struct {
		Frames []speedscopeFrame `json:"frames"`
	}
	speedscopeFrame struct {
		Name string `json:"name"`
		File string `json:"file,omitempty"`
		Line int64  `json:"line,omitempty"`
	}
	speedscopeProfile struct {
		Type    string  `json:"type"` // "sampled"
		Name    string  `json:"name"`
		Unit    string  `json:"unit"`
		Start   int64   `json:"startValue"`
		End     int64   `json:"endValue"` // the sum of the weights
		Samples [][]int `json:"samples"`  // indices of frames, root first
		Weights []int64 `json:"weights"`  // one for each sample
	}
)

// Speedscope writes views as the profiles of one file, of which the one with
// the index active is shown first. Frames are functions, so that speedscope's
// sandwich view sums over a function; the line is where it begins, if the
// profile says so, else the first of its lines that was seen.
func Speedscope(w io.Writer, name, exporter string, views []View, active int) error {
	file := speedscopeFile{Schema: speedscopeSchema, Exporter: exporter, Name: name, Active: active,
		Shared: speedscopeShared{Frames: []speedscopeFrame{}}, Profiles: []speedscopeProfile{}}
	index := map[place]int{}
	for _, v := range views {
		lines := firstLines(v)
		p := speedscopeProfile{Type: "sampled", Name: v.Name, Unit: speedscopeUnit(v.unit()), Samples: [][]int{}, Weights: []int64{}}
		v.each(func(stack []frame, n int64) {
			indices := make([]int, len(stack))
			for i, f := range stack {
				k := placeOf(f)
				at, ok := index[k]
				if !ok {
					at = len(file.Shared.Frames)
					index[k] = at
					file.Shared.Frames = append(file.Shared.Frames, speedscopeFrame{Name: f.name, File: f.file, Line: lines[k]})
				}
				indices[i] = at
			}
			p.Samples, p.Weights = append(p.Samples, indices), append(p.Weights, n)
			p.End += n
		})
		file.Profiles = append(file.Profiles, p)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(file)
}

// speedscopeUnit returns the format's word for a unit of pprof.
func speedscopeUnit(unit string) string {
	switch unit {
	case "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes":
		return unit
	}
	return "none"
}

// A place is a function as formats without lines tell it apart.
type place struct {
	name, file string
	start      int64
}

func placeOf(f frame) place {
	p := place{name: f.name, file: f.file}
	if f.fn != nil {
		p.start = f.fn.StartLine
	}
	return p
}

// firstLines returns, for each function, the line where it begins or the
// first one that was seen.
func firstLines(v View) map[place]int64 {
	lines := map[place]int64{}
	v.each(func(stack []frame, _ int64) {
		for _, f := range stack {
			p := placeOf(f)
			line := f.line
			if p.start > 0 {
				line = p.start
			}
			if old, ok := lines[p]; !ok || line > 0 && (old == 0 || line < old) {
				lines[p] = line
			}
		}
	})
	return lines
}
