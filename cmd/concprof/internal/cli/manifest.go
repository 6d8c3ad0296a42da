package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/concprof/concprof/probes"
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
	m.Host.Unenforced = append(m.Host.Unenforced, probes.Unenforced()...)
	var err error
	if m.SourceDir, err = filepath.Abs(t.file.Dir); err != nil {
		return m, err
	}
	if t.file.Path != "" {
		m.SourcePath, err = filepath.Abs(t.file.Path)
	}
	return m, err
}

// redacted takes the secrets out of what a run directory keeps of its file
// and command: reports are made from there, and are passed on. The workload
// file is kept without them too, and is then not the one that a resumed run
// goes on with.
func redacted(m rundir.Manifest, file *workload.File, environ []string) (_ rundir.Manifest, source []byte) {
	r := workload.NewRedactor(slices.Concat(file.Secrets(), workload.Credentials(environ)))
	m.Command = mapped(m.Command, r.Text)
	m.Plan.Workloads = slices.Clone(m.Plan.Workloads)
	for i := range m.Plan.Workloads {
		w := &m.Plan.Workloads[i]
		w.Label, w.Steps = r.Text(w.Label), mapped(w.Steps, r.Text)
		w.NoRace = r.Text(w.NoRace) // what the go command printed
	}
	if m.Against != nil {
		against := *m.Against
		against.Revision, against.Notes = r.Text(against.Revision), mapped(against.Notes, r.Text)
		against.Absent = slices.Clone(against.Absent)
		for i := range against.Absent {
			against.Absent[i].Reason = r.Text(against.Absent[i].Reason)
		}
		m.Against = &against
	}
	return m, []byte(r.Text(string(file.Source)))
}

func mapped(list []string, f func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

// sourceOf returns the workload file that a run began with. A run goes on
// with its own copy, or where secrets were taken out of that with the user's
// file; that the user's file has changed since is refused, for it would be
// another run.
func sourceOf(run *rundir.Run) (*workload.File, error) {
	m := run.Manifest
	source := run.Source
	if m.SourcePath != "" {
		now, err := os.ReadFile(m.SourcePath)
		switch {
		case err == nil && digest(now) == m.SourceDigest:
			source = now
		case err == nil:
			return nil, usage("begin a new run: concprof analyze "+m.SourcePath, "%s has changed since the run began", m.SourcePath)
		}
	}
	switch {
	case digest(source) == m.SourceDigest:
	case bytes.Contains(source, []byte(workload.Redacted)) && m.SourcePath == "":
		return nil, usage("begin a new run", "%s: the command held a secret, which a run does not keep", run.Path)
	case bytes.Contains(source, []byte(workload.Redacted)):
		return nil, usage("put it back, or begin a new run", "%s: workload.yaml held a secret, which a run does not keep, and %s is not there", run.Path, m.SourcePath)
	default:
		return nil, usage("begin a new run", "%s: workload.yaml is not the one that the run began with", run.Path)
	}
	file, err := workload.Parse(m.SourcePath, source)
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
