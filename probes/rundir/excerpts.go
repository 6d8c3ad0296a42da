package rundir

import (
	"encoding/json"
	"io"
)

// excerptsFile keeps what the run's own machine read of the user's sources:
// the lines around each limit. It is evidence like the trials, for a run that is
// judged anywhere else reads no source.
const excerptsFile = "excerpts.json"

// Bounds on the excerpts, which may come from anyone.
const (
	maxExcerptsBytes = 1 << 20
	maxExcerpts      = 1000
)

// An Excerpt are a few lines of a source file, or why there are none.
type Excerpt struct {
	Workload string `json:"workload"`
	File     string `json:"file"` // as the verdict names it
	Line     int    `json:"line"`
	// First is the number of the first of Lines.
	First   int      `json:"first,omitempty"`
	Lines   []string `json:"lines,omitempty"`
	Problem string   `json:"problem,omitempty"`
}

// WriteExcerpts keeps excerpts in a run directory, in place of those that it
// has.
func WriteExcerpts(dir string, all []Excerpt) error {
	return WriteFile(dir, excerptsFile, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	})
}

// readExcerpts returns the excerpts of a run. Nothing is judged by
// them, so a file that is missing, too large or no such file is none.
func readExcerpts(s store) []Excerpt {
	data, err := s.read(excerptsFile)
	if err != nil {
		return nil
	}
	var all []Excerpt
	if json.Unmarshal(data, &all) != nil {
		return nil
	}
	return all[:min(len(all), maxExcerpts)]
}
