package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// TestTracesAreKeptWhole holds that an execution trace is kept as it was
// written, or not at all: where it is none, is too large, or holds a secret.
func TestTracesAreKeptWhole(t *testing.T) {
	for target, problem := range map[string]string{
		"trace": "", "secret trace": "holds a secret", "no trace": "wrote no execution trace", "large trace": "more than",
	} {
		t.Run(target, func(t *testing.T) {
			j, mark := newJob(t, target)
			j.Spec.Mode = harness.ModeTrace
			j.Env = append(j.Env, "API_TOKEN=c4n4ry-value")
			j.Redact = workload.NewRedactor([]string{"c4n4ry-value"})
			rec := runJob(t, j, mark)
			if rec.Status != record.OK || len(rec.Profiles) != 1 {
				t.Fatalf("status %s, %s, profiles %+v", rec.Status, rec.Reason, rec.Profiles)
			}
			p, names := rec.Profiles[0], strings.Join(list(t, j.Folder), " ")
			if problem != "" {
				if names != "" || p.File != "" || p.SHA256 != "" || !strings.Contains(p.Problem, problem) {
					t.Errorf("kept %q, %+v", names, p)
				}
				return
			}
			data, err := os.ReadFile(filepath.Join(j.Folder, p.File))
			if sum := sha256.Sum256(data); err != nil || string(data) != testTrace || hex.EncodeToString(sum[:]) != p.SHA256 {
				t.Errorf("kept %q, %v, %+v", data, err, p)
			}
			if names != record.TraceFile || p.Problem != "" {
				t.Errorf("kept %q, %+v", names, p)
			}
		})
	}
}
