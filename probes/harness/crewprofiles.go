package harness

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/concprof/concprof/probes/record"
	"github.com/google/pprof/profile"
)

// profiles merges what the workers' profilers saw, writes it and describes
// it. The windows and samples of the workers are added up: their quotient is
// the mean rate, in which the merged samples are to be read.
func (c *crew) profiles(out *profilers) ([]record.Profile, error) {
	cpu, err := c.mergeProfile(record.CPUProfile, out.cpuOut, func(w *workerProcess) *os.File { return w.cpu })
	if err != nil {
		return nil, err
	}
	wall, err := c.mergeProfile(record.WallProfile, out.wallOut, func(w *workerProcess) *os.File { return w.wall })
	if err != nil {
		return nil, err
	}
	return []record.Profile{cpu, wall}, nil
}

func (c *crew) mergeProfile(kind record.ProfileKind, out *os.File, file func(*workerProcess) *os.File) (record.Profile, error) {
	var merged record.Profile
	var parts []*profile.Profile
	for _, w := range c.workers {
		for _, p := range w.record.Profiles {
			if p.Kind != kind {
				continue
			}
			merged.Kind, merged.File = p.Kind, p.File
			merged.WindowNs += p.WindowNs
			merged.Samples += p.Samples
			if merged.Problem == "" && p.Problem != "" {
				merged.Problem = fmt.Sprintf("worker %d: %s", w.index+1, p.Problem)
			}
		}
		f := file(w)
		if size, err := f.Seek(0, io.SeekEnd); err != nil || size == 0 {
			continue // its record says why
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return merged, err
		}
		p, err := profile.Parse(f)
		if err != nil {
			return merged, fmt.Errorf("read the %s profile of worker %d: %w", kind, w.index+1, err)
		}
		parts = append(parts, p)
	}
	problem := merged.Problem
	if len(parts) == 0 {
		out.Close()
		return merged, nil
	}
	p, err := profile.Merge(parts)
	if err != nil {
		return merged, fmt.Errorf("merge the %s profiles of the workers: %w", kind, err)
	}
	var buf bytes.Buffer
	if err := p.Write(&buf); err != nil {
		return merged, fmt.Errorf("write the %s profile: %w", kind, err)
	}
	merged.Problem = ""
	deliver(&merged, out, buf.Bytes(), nil)
	if merged.Problem == "" {
		merged.Problem = problem
	}
	return merged, nil
}
