package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// manifest returns what is fixed when a run begins.
func (a *app) manifest(t target, p *plan.Plan) (rundir.Manifest, error) {
	m := rundir.Manifest{
		Name:         t.name,
		Created:      a.Now().UTC(),
		Tool:         rundir.Tool{Version: version(), Go: runtime.Version()},
		Host:         rundir.CurrentHost(),
		Command:      append([]string{"concprof"}, a.Args...),
		Plan:         *p,
		SourceDigest: digest(t.file.Source),
	}
	var err error
	if m.SourceDir, err = filepath.Abs(t.file.Dir); err != nil {
		return m, err
	}
	if t.file.Path != "" {
		m.SourcePath, err = filepath.Abs(t.file.Path)
	}
	return m, err
}

// sourceOf returns the workload file that a run began with. A run goes on
// with its own copy; that the user's file has changed since is refused, for
// it would be another run.
func sourceOf(run *rundir.Run) (*workload.File, error) {
	m := run.Manifest
	if digest(run.Source) != m.SourceDigest {
		return nil, usage("begin a new run", "%s: workload.yaml is not the one that the run began with", run.Path)
	}
	if m.SourcePath != "" {
		if now, err := os.ReadFile(m.SourcePath); err == nil && digest(now) != m.SourceDigest {
			return nil, usage("begin a new run: concprof analyze "+m.SourcePath, "%s has changed since the run began", m.SourcePath)
		}
	}
	file, err := workload.Parse(m.SourcePath, run.Source)
	if err != nil {
		return nil, err
	}
	file.Dir = m.SourceDir
	return file, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
