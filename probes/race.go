package probes

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/concprof/concprof/probes/internal/gofunc"
	"github.com/concprof/concprof/probes/rundir"
)

// buildRace builds a binary once more, with the race detector, for the
// workloads that ask for it. That it cannot be built here is no error: the
// timing trials do not need it.
func (p *Prepared) buildRace(ctx context.Context, r gofunc.Request) error {
	var wanted []*target
	for _, name := range r.Workloads {
		if t := p.targets[name]; t != nil && slices.Contains(p.race, name) {
			wanted = append(wanted, t)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	var err error
	if r.Out, err = os.MkdirTemp(p.built.dir, ""); err != nil {
		return rundir.NewWriteError(p.built.dir, err)
	}
	r.Race = true
	b, err := gofunc.Build(ctx, r)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	for _, t := range wanted {
		if err != nil {
			t.noRace = noRace(err)
		} else {
			t.race = b.Path
		}
	}
	return nil
}

// noRace says in one line why a build with the race detector failed: what the
// go command printed of it.
func noRace(err error) string {
	text := err.Error()
	if fault := (*gofunc.Error)(nil); errors.As(err, &fault) && fault.Output != "" {
		text = fault.Output
	}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			const most = 200
			return "it cannot be built here: " + line[:min(len(line), most)]
		}
	}
	return "it cannot be built here"
}

// NoRace says why a workload cannot run under the race detector, "" if it can.
func (p *Prepared) NoRace(name string) string {
	switch t := p.targets[name]; {
	case t == nil || t.race != "":
		return ""
	case t.noRace != "":
		return t.noRace
	}
	return "it is for Go functions only"
}
