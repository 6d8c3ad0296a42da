package profile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
)

// TestDiffBase lays two models' profiles per op over each other with the tool
// that users have.
func TestDiffBase(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("SKIPPED: no go command: %v", err)
	}
	dir := t.TempDir()
	// One op: 3 ms in parse, 5 ms asleep; under the second model the sleep
	// takes 9 ms, the op runs below other harness functions, in another
	// build (other lines of start, addresses, order), and ran twice as often.
	cell := func(root string, ops, asleep int64, name model.Model, fill ...line) *profile.Set {
		wall := append(fill, line{root + "x.org/m.Op:10 x.org/m.parse:20", 3 * ops, ""},
			line{root + "x.org/m.Op:11 time.Sleep runtime.gopark", asleep * ops, ""})
		cpu := append(fill, line{root + "x.org/m.Op:10 x.org/m.parse:21", 3 * ops, "op"})
		r := profile.Raw{CPU: synthetic("cpu", cpu...), Wall: synthetic("wall", wall...), Ops: ops * 10, Workload: "w", Model: name, Concurrency: 2}
		return profile.Derive([]profile.Raw{r, r}, "")
	}
	a := cell("runtime.goexit x.org/m/zz_concprof_harness.sequential x.org/m/zz_concprof_harness.runOp ", 10, 5, "sequential")
	b := cell("runtime.goexit x.org/m/zz_concprof_harness.pool x.org/m/zz_concprof_harness.worker x.org/m/zz_concprof_harness.runOp ", 20, 9, "pool",
		line{"runtime.goexit runtime.gcBgMarkWorker", 100, ""})

	write := func(name string, p *pprof.Profile) string {
		t.Helper()
		if p == nil {
			t.Fatalf("%s: no profile", name)
		}
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := profile.Write(f, p); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		name string
		kind func(*profile.Set) *pprof.Profile
		want []string // regular expressions of lines
		not  string
	}{
		{"wall", func(s *profile.Set) *pprof.Profile { return s.Wall }, []string{
			`File: w pool-2`,
			`Type: wall`,
			`Showing nodes accounting for 4ms, 50.00% of 8ms total`,
			`4ms 50.00% +50.00% +4ms 50.00% +time.Sleep`,
			`4ms 50.00% +harness.runOp`,
			`4ms 50.00% +x.org/m.Op`,
		}, `x.org/m.parse`},
		{"cpu", func(s *profile.Set) *pprof.Profile { return s.CPU }, []string{
			`Showing nodes accounting for 0, 0% of 3ms total`,
		}, `x.org/m.parse`},
		{"offcpu", func(s *profile.Set) *pprof.Profile { return s.OffCPU }, []string{
			`Showing nodes accounting for 4ms, 80.00% of 5ms total`,
			`time.Sleep`,
		}, `x.org/m.parse`},
		{"merged", func(s *profile.Set) *pprof.Profile { return s.Merged }, []string{
			`Type: wall`,
			`Showing nodes accounting for 4ms, 50.00% of 8ms total`,
		}, `x.org/m.parse`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := write("a."+tt.name, profile.PerOp(tt.kind(a), a.Ops))
			y := write("b."+tt.name, profile.PerOp(tt.kind(b), b.Ops))
			cmd := exec.Command("go", "tool", "pprof", "-top", "-nodefraction=0", "-symbolize=none", "-diff_base", x, y)
			cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			for _, want := range tt.want {
				if !regexp.MustCompile(want).Match(out) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
			if tt.not != "" && strings.Contains(string(out), tt.not) {
				t.Errorf("%s did not line up:\n%s", tt.not, out)
			}
		})
	}
}
