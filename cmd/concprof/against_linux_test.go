package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer/compare"
)

// TestAgainst measures sleeping work, which other load disturbs little, against
// the commit that it is at, and against one at which it slept for half the
// time.
//
// A difference where nothing changed has a chance of one in twenty by itself. It
// counts if three runs in a row show one; and what takes twice as long counts as
// missed if three runs in a row do not show it. Runs in which the machine left
// too few trials to say anything prove nothing.
func TestAgainst(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: it measures for half a minute")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: there is no git")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "PATH="+searchPath(t), "CONCPROF_NO_HOST_LOCK=true", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	git := func(args ...string) {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	const work = "package nap\n\nimport \"time\"\n\nfunc Work() { time.Sleep(%d * time.Millisecond) }\n"
	write("go.mod", "module example.com/nap\n\ngo 1.21\n")
	write("workload.yaml", "version: 1\nworkloads:\n  - name: nap\n    go: {package: ., func: Work}\nmodels: [sequential]\nmeasure: {budget: 40s, runs: 8}\n")
	write(".gitignore", ".concprof\n")
	write("work.go", strings.Replace(work, "%d", "4", 1))
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	write("work.go", strings.Replace(work, "%d", "8", 1))
	git("commit", "-q", "-a", "-m", "two")

	measure := func(t *testing.T, rev string) *compare.Comparison {
		cmd := exec.Command("concprof", "analyze", "--against", rev, "--format", "json", "-q")
		cmd.Path = concprof(t)
		cmd.Dir, cmd.Env = dir, env
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, ended := cmd.Output()
		// On a busy machine cells fail; the report is written all the same.
		if ended != nil {
			t.Logf("%s: %v: %s", rev, ended, stderr.String())
		}
		var verdict struct{ Against *compare.Comparison }
		if err := json.Unmarshal(out, &verdict); err != nil || verdict.Against == nil || verdict.Against.Against == nil {
			t.Fatalf("no comparison: %v, %v\n%s%s", ended, err, out, stderr.String())
		}
		return verdict.Against
	}
	const attempts = 3
	for _, tt := range []struct {
		rev  string
		want compare.Verdict
	}{{"HEAD", compare.Same}, {"HEAD~1", compare.Slower}} {
		t.Run(tt.rev, func(t *testing.T) {
			tried := 0
			for range attempts {
				c := measure(t, tt.rev)
				if c.Tested == 0 {
					continue
				}
				tried++
				x := c.Workloads[0].Cells[0]
				t.Logf("%s: %s by %.3f, p %.4f, noise floor %.3f, %d and %d trials", tt.rev, x.Verdict, x.Change.Value, x.Corrected, c.Workloads[0].Floor, x.Base.Trials, x.Head.Trials)
				if x.Verdict == tt.want {
					return
				}
			}
			if tried < attempts {
				t.Skipf("SKIPPED: the machine left too few trials in %d of %d runs", attempts-tried, attempts)
			}
			t.Errorf("%d runs against %s: none says %s", attempts, tt.rev, tt.want)
		})
	}
}

// concprof returns the program's path.
func concprof(t *testing.T) string {
	for _, dir := range filepath.SplitList(searchPath(t)) {
		if program := filepath.Join(dir, "concprof"); isFile(program) {
			return program
		}
	}
	t.Fatal("concprof is not on the path of scripts")
	return ""
}
