package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(dir string) error
		want   string // the file that was changed, "" for none
	}{
		{"nothing", func(string) error { return nil }, ""},
		{"a file of its own", func(dir string) error { return os.WriteFile(filepath.Join(dir, "notes"), nil, 0o666) }, ""},
		{"a line more", func(dir string) error {
			f, err := os.OpenFile(filepath.Join(dir, journalFile), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.Write(format(t, samples()))
			return err
		}, journalFile},
		{"nothing left", func(dir string) error { return os.Truncate(filepath.Join(dir, journalFile), 0) }, journalFile},
		{"no journal", func(dir string) error { return os.Remove(filepath.Join(dir, journalFile)) }, journalFile},
		{"a link", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, sourceFile)), os.Symlink("/dev/zero", filepath.Join(dir, sourceFile)))
		}, sourceFile},
		{"another plan", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifestFile), []byte("{}"), 0o666)
		}, manifestFile},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := create(t, t.TempDir())
			must(t, d.AppendDecision(plan.Decision{Trials: []plan.Trial{trial("t0001")}}))
			must(t, d.Verify())
			must(t, d.Close())
			d, _, err := Resume(d.Path())
			must(t, err)
			defer d.Close()
			must(t, d.AppendTrial(plan.Finished{Trial: trial("t0001"), Record: record.Record{Status: record.OK}}))
			must(t, tt.change(d.Path()))
			var changed *ChangedError
			switch err := d.Verify(); {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (!errors.As(err, &changed) || changed.Path != filepath.Join(d.Path(), tt.want)):
				t.Errorf("got %v, want a change of %s", err, tt.want)
			}
		})
	}
}

// A run of another version is refused, with the version that it needs.
func TestOpenRefusesOtherVersions(t *testing.T) {
	d := create(t, t.TempDir())
	must(t, d.Close())
	for _, tt := range []struct{ manifest, want string }{
		{`{"schema": "concprof-run/99"}`, "another concprof"},
		{`{"schema": "concprof-run/99", "tool": {"version": "v9.1.0"}, "plan": ["of another type"]}`, "concprof v9.1.0"},
	} {
		must(t, os.WriteFile(filepath.Join(d.Path(), manifestFile), []byte(tt.manifest), 0o666))
		_, err := Open(d.Path())
		var version *VersionError
		if !errors.As(err, &version) || version.Schema != "concprof-run/99" || version.Reads != ManifestSchema || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v", err)
		}
	}
	must(t, os.WriteFile(filepath.Join(d.Path(), manifestFile), []byte(`{"name": "an app"}`), 0o666))
	if _, err := Open(d.Path()); err == nil || !strings.Contains(err.Error(), "no run directory") {
		t.Errorf("the manifest of something else: %v", err)
	}
}
