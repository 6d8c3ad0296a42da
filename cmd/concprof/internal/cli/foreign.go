package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/pflag"

	"github.com/concprof/concprof/analyzer"
	foreignprofile "github.com/concprof/concprof/analyzer/profile/foreign"
	"github.com/concprof/concprof/cmd/concprof/internal/decoder"
	"github.com/concprof/concprof/probes/workload"
)

// readForeign reads a profile of another program, in a process of its own.
// What the environment keeps secret does not get out of it.
func readForeign(ctx context.Context, path string, environ []string) (*foreignprofile.Profile, error) {
	p, err := decoder.Read(ctx, path)
	if wrong := (*decoder.FileError)(nil); errors.As(err, &wrong) {
		return nil, &usageError{err, "concprof reads pprof, cProfile, folded stacks and Austin's text"}
	}
	if err != nil {
		return nil, err
	}
	r := workload.NewRedactor(workload.Credentials(environ))
	for _, f := range p.Data.Function {
		f.Name, f.SystemName, f.Filename = r.Text(f.Name), r.Text(f.SystemName), r.Text(f.Filename)
	}
	for _, m := range p.Data.Mapping {
		m.File = r.Text(m.File)
	}
	for _, s := range p.Data.Sample {
		for key, values := range s.Label {
			s.Label[key] = mapped(values, r.Text)
		}
	}
	return p, nil
}

// mostForeign is the most profiles of other programs in a report.
const mostForeign = 8

// ofWorkload is an argument WORKLOAD=FILE.
var ofWorkload = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+)$`)

// foreignOptions name profiles of other programs that a report shows.
type foreignOptions struct {
	args []string
	read []shown
}

// A shown profile is one that was read, and the workload that it is of, "" for
// the only one.
type shown struct {
	workload, name string
	profile        *foreignprofile.Profile
}

// AddFlags adds --profile.
func (o *foreignOptions) AddFlags(fs *pflag.FlagSet) {
	fs.StringArrayVar(&o.args, "profile", nil, "show a `profile` of another program beside the run's, [WORKLOAD=]FILE: cProfile, py-spy's raw format, Austin, pprof; repeatable")
}

// load reads the profiles, before anything runs: an hour of measuring should not
// end with a typo.
func (o *foreignOptions) load(ctx context.Context, environ []string) error {
	if len(o.args) > mostForeign {
		return usage("choose", "--profile: %d profiles, at most %d are shown", len(o.args), mostForeign)
	}
	for _, arg := range o.args {
		name, path := "", arg
		if m := ofWorkload.FindStringSubmatch(arg); m != nil {
			if _, err := os.Lstat(arg); err != nil { // a path that is there is no label
				name, path = m[1], m[2]
			}
		}
		p, err := readForeign(ctx, path, environ)
		if err != nil {
			return err
		}
		o.read = append(o.read, shown{name, filepath.Base(path), p})
	}
	return nil
}

// known refuses a workload that a file does not have.
func (o *foreignOptions) known(file *workload.File) error {
	res := &analyzer.Result{}
	for _, w := range file.Workloads {
		res.Workloads = append(res.Workloads, analyzer.Workload{Name: w.Name})
	}
	return o.show(res)
}

// show adds the profiles to a result.
func (o *foreignOptions) show(res *analyzer.Result) error {
	for _, s := range o.read {
		if err := res.Show(s.workload, s.name, s.profile, analyzer.DefaultOptions()); err != nil {
			return usage("as in --profile WORKLOAD="+s.name, "--profile %v", err)
		}
	}
	return nil
}
