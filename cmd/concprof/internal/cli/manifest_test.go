package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// TestSourceOf: a run goes on with the file that it began with, or not at all.
// Its own copy is enough unless secrets were taken out of it.
func TestSourceOf(t *testing.T) {
	const plainly = "version: 1\nworkloads:\n  - {name: a, command: [x]}\n"
	const secret = "version: 1\nworkloads:\n  - {name: a, command: [x], env: [KEY=s3cret-value]}\n"
	tests := []struct {
		name, began string
		now         string // the user's file, "" if it is gone
		none        bool   // there was never a file
		want        string // part of the error, "" for none
	}{
		{"as it was", plainly, plainly, false, ""},
		{"gone", plainly, "", false, ""},
		{"changed", plainly, plainly + "models: [pool]\n", false, "has changed since the run began"},
		{"a command", plainly, "", true, ""},
		{"a secret, as it was", secret, secret, false, ""},
		{"a secret, gone", secret, "", false, "held a secret, which a run does not keep"},
		{"a secret, changed", secret, strings.Replace(secret, "s3cret", "other", 1), false, "has changed since the run began"},
		{"a secret in a command", secret, "", true, "the command held a secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file, err := workload.Parse("w.yaml", []byte(tt.began))
			if err != nil {
				t.Fatal(err)
			}
			m := rundir.Manifest{SourceDigest: digest(file.Source), SourceDir: "/src"}
			if !tt.none {
				m.SourcePath = filepath.Join(t.TempDir(), "w.yaml")
			}
			if tt.now != "" {
				if err := os.WriteFile(m.SourcePath, []byte(tt.now), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			kept, source := redacted(m, file, nil)
			if strings.Contains(string(source), "s3cret") {
				t.Errorf("kept %s", source)
			}
			got, err := sourceOf(&rundir.Run{Path: "run", Manifest: kept, Source: source})
			switch {
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want == "" && (string(got.Source) != tt.began || got.Dir != "/src"):
				t.Errorf("goes on with %q in %s", got.Source, got.Dir)
			}
		})
	}
}

// TestRedactedKeepsThePlan: the plan that runs is the caller's no more, and a
// change of what is kept does not change it.
func TestRedactedKeepsThePlan(t *testing.T) {
	file, err := workload.FromCommand([]string{"curl", "https://me:hunter22@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(file, plan.Settings{Warmup: -1})
	if err != nil {
		t.Fatal(err)
	}
	before := p.Workloads[0].Label
	p.Workloads[0].NoRace = "cannot be built: TOKEN-value"
	against := &rundir.Against{Notes: []string{"TOKEN-value"}, Absent: []rundir.Absence{{Workload: "a", Reason: "fetch https://me:hunter22@example.com: TOKEN-value"}}}
	m, _ := redacted(rundir.Manifest{Plan: *p, Command: []string{"TOKEN-value"}, Against: against}, file, []string{"MY_TOKEN=TOKEN-value"})
	if p.Workloads[0].Label != before || !strings.Contains(before, "hunter22") {
		t.Errorf("the caller's label became %q", p.Workloads[0].Label)
	}
	if text, err := json.Marshal(m); err != nil || strings.Contains(string(text), "TOKEN-value") || strings.Contains(string(text), "hunter22") {
		t.Errorf("kept %s, %v", text, err)
	}
	if !strings.Contains(against.Absent[0].Reason, "hunter22") {
		t.Errorf("what is shown meanwhile became %q", against.Absent[0].Reason)
	}
	if got := m.Plan.Workloads[0].Label; strings.Contains(got, "hunter22") || m.Command[0] != workload.Redacted {
		t.Errorf("kept %q, %q", got, m.Command)
	}
}
