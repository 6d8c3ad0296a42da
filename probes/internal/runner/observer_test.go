package runner

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/record"
)

// A note is an Observer that remembers how it was used.
type note struct {
	calls []string
	pid   int
}

func (n *note) Start(_ context.Context, pid int) {
	n.calls = append(n.calls, "start")
	n.pid = pid
}

func (n *note) Stop() { n.calls = append(n.calls, "stop") }

func (n *note) Report(rec *record.Record) map[record.ProfileKind][]byte {
	n.calls = append(n.calls, "report "+string(rec.Status))
	rec.Python = &record.Python{Samples: 7}
	rec.Profiles = append(rec.Profiles, record.Profile{Kind: record.CPUProfile}, record.Profile{Kind: record.WallProfile, Problem: "not read"})
	return map[record.ProfileKind][]byte{record.CPUProfile: smallest}
}

// smallest is the smallest profile: a table of one empty string, gzipped.
var smallest = func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte{fieldString<<3 | 2, 0}) //nolint:errcheck // memory takes all
	z.Close()
	return b.Bytes()
}()

// TestObserver holds when an observer is called, and that what it saw is kept.
func TestObserver(t *testing.T) {
	tests := []struct {
		target string
		mode   harness.Mode
		calls  string
	}{
		{"names itself", harness.ModeProfile, "start, stop, report ok"},
		{"names itself", harness.ModeClassify, "start, stop, report ok"},
		{"names another", harness.ModeProfile, "start, stop, report ok"},
		{"ok", harness.ModeProfile, "start, stop, report ok"},
		{"exit 0", harness.ModeProfile, "start, stop, report no-result"},
		{"fatal setup", harness.ModeProfile, "report setup-failed"},
		{"names itself", harness.ModeTiming, ""},
		{"names itself", harness.ModeDry, ""},
	}
	for _, tt := range tests {
		t.Run(tt.target+" "+string(tt.mode), func(t *testing.T) {
			j, mark := newJob(t, tt.target)
			n := &note{}
			j.Spec.Mode, j.Observer = tt.mode, n
			rec := runJob(t, j, mark)
			if got := strings.Join(n.calls, ", "); got != tt.calls {
				t.Errorf("called %s, want %s", got, tt.calls)
			}
			if n.pid == 1 {
				t.Errorf("was shown process %d", n.pid)
			}
			if tt.calls == "" {
				return
			}
			data, err := os.ReadFile(filepath.Join(j.Folder, "cpu.pb.gz"))
			if !bytes.Equal(data, smallest) || rec.Python == nil || len(rec.Profiles) != 2 || rec.Profiles[0].File != "cpu.pb.gz" {
				t.Errorf("kept %q, %v, %+v", data, err, rec.Profiles)
			}
		})
	}
}

// A looker is an Observer that ends the run when it has looked at the probe.
type looker struct {
	note
	environ []byte
	end     func()
}

func (l *looker) Start(ctx context.Context, pid int) {
	l.note.Start(ctx, pid)
	l.environ, _ = os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	l.end()
}

// TestObserverSeesTheProbe: whatever it says, and by whatever id it knows
// itself, the probe is what the observer is shown.
func TestObserverSeesTheProbe(t *testing.T) {
	eachWay(t, func(t *testing.T, sharedIDs bool) {
		for _, target := range []string{"names itself, then hangs", "names another, then hangs"} {
			t.Run(target, func(t *testing.T) {
				j, mark := newJob(t, target)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				l := &looker{end: cancel}
				j.Spec.Mode, j.Observer, j.sharedIDs = harness.ModeProfile, l, sharedIDs
				if _, err := j.Run(ctx); err != context.Canceled {
					t.Errorf("error %v", err)
				}
				if !bytes.Contains(l.environ, []byte(mark)) {
					t.Errorf("was shown process %d, whose environment is %q", l.pid, l.environ)
				}
			})
		}
	})
}
