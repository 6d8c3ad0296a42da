package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// canary begins every secret of these tests.
const canary = "c4n4ry"

// spender is a module whose op does with its secrets what it should not.
const spender = `
-- go.mod --
module example.com/app

go 1.21
-- spend/spend.go --
package spend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"time"
)

func Spend(n int) (string, error) {
	token, url := os.Getenv("API_TOKEN"), "amqp://me:c4n4ry-url@queue"
	pprof.Do(context.Background(), pprof.Labels("step", token, "url", url), func(context.Context) {
		for end := time.Now().Add(time.Millisecond); time.Now().Before(end); {
		}
	})
	fmt.Println(os.Environ(), token, url, strings.Repeat("x", n))
	fmt.Fprintln(os.Stderr, "panic: cannot log in with", token, os.Getenv("INLINE"))
	if n%5 == 3 {
		return "", errors.New(strings.Repeat("x", 200+n%50) + os.Getenv("API_TOKEN") + url)
	}
	return token + url, nil
}
-- w.yaml --
version: 1
workloads:
  - name: spend # reads from amqp://me:c4n4ry-url@queue
    go: {package: ./spend, func: Spend}
    env: [API_TOKEN, INLINE=c4n4ry-inline, "DSN=postgres://app:c4n4ry-dsn@db/shop"]
    inputs: {count: 100}
`

// secretEnv is the environment of somebody who has secrets, in a folder whose
// name nobody else needs to know.
func secretEnv(t *testing.T) []string {
	return append(os.Environ(), "PATH="+searchPath(t), "TMPDIR="+t.TempDir(), "CONCPROF_NO_HOST_LOCK=true",
		"API_TOKEN=c4n4ry-token-value", "GITHUB_TOKEN=c4n4ry-github", "ACTIONS_RUNTIME_TOKEN=c4n4ry-actions",
		"AWS_SECRET_ACCESS_KEY=c4n4ry-aws", "GITHUB_ENV=/c4n4ry-file", "UNRELATED=c4n4ry-unrelated")
}

// hits returns the files below dir that hold a text, profiles uncompressed.
func hits(t *testing.T, dir, text string) (found []string, files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return err
			}
			if data, err = io.ReadAll(z); err != nil {
				return err
			}
		}
		if at := bytes.Index(data, []byte(text)); at >= 0 {
			found = append(found, path+": "+string(data[max(0, at-40):min(len(data), at+40)]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, files
}

// TestSecretsReachNoFile looks for canaries in all that a run leaves and
// prints: what the workload was given, was not given, and made up itself.
func TestSecretsReachNoFile(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a probe is built")
	}
	home := filepath.Join(t.TempDir(), "h0me")
	for _, f := range txtar.Parse([]byte(spender)).Files {
		path := filepath.Join(home, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("concprof", "analyze", "w.yaml", "-m", "sequential,pool", "-c", "1,2", "--budget", "6s", "-v", "--report", "r.html")
	cmd.Dir, cmd.Env = home, secretEnv(t)
	cmd.Path = lookIn(cmd.Env, "concprof")
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 4 {
		t.Fatalf("%v\n%s", err, out)
	}
	if i := bytes.Index(out, []byte(canary)); i >= 0 {
		t.Errorf("printed ...%s...", out[max(0, i-100):min(len(out), i+100)])
	}
	runs := filepath.Join(home, ".concprof")
	found, files := hits(t, runs, canary)
	if len(found) > 0 || files < 50 {
		t.Errorf("of %d files these hold a canary:\n%s", files, strings.Join(found, "\n"))
	}
	// Stdout was kept, and the op did see what it was given.
	if kept, _ := hits(t, filepath.Join(runs), "API_TOKEN=[redacted]"); len(kept) == 0 {
		t.Error("nothing of the workload's output was kept")
	}
	// What is passed on does not say where it was made, or by whom; profiles
	// name source files in full, or go tool pprof -list would not find them.
	host, _ := os.Hostname()
	for _, name := range []string{"verdict.json", "report.html", "report.md", "bench.txt", "journal.jsonl"} {
		paths, err := filepath.Glob(filepath.Join(runs, "w", "*", name))
		if err != nil || len(paths) != 1 {
			t.Fatalf("%s: %v, %v", name, paths, err)
		}
		for _, text := range []string{"h0me", host} {
			if len(text) < 4 {
				continue // it may be part of any word
			}
			if found, _ := hits(t, paths[0], text); len(found) > 0 {
				t.Errorf("%q is in %v", text, found)
			}
		}
	}
}

// TestCommandsKeepNoSecrets: what a shell has put into a command.
func TestCommandsKeepNoSecrets(t *testing.T) {
	dir := t.TempDir()
	env := secretEnv(t)
	concprof := func(args ...string) string {
		cmd := exec.Command(lookIn(env, "concprof"), args...)
		cmd.Dir, cmd.Env = dir, env
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	out := concprof("analyze", "--budget", "6s", "-c", "1,2", "--", "sh", "-c", "echo $0 $1 >&2; exit 3", "https://me:c4n4ry-url@example.com", "c4n4ry-github")
	if strings.Contains(out, canary) || !strings.Contains(out, "https://[redacted]@example.com [redacted]") {
		t.Errorf("printed\n%s", out)
	}
	if found, files := hits(t, filepath.Join(dir, ".concprof"), canary); len(found) > 0 || files < 5 {
		t.Errorf("of %d files these hold a canary:\n%s", files, strings.Join(found, "\n"))
	}
	// The run cannot go on without what it does not keep.
	journal, err := filepath.Glob(filepath.Join(dir, ".concprof", "*", "*", "journal.jsonl"))
	if err != nil || len(journal) != 1 {
		t.Fatal(journal, err)
	}
	if err := os.Truncate(journal[0], 0); err != nil {
		t.Fatal(err)
	}
	if out := concprof("analyze", "--resume", "latest"); !strings.Contains(out, "held a secret, which a run does not keep") {
		t.Errorf("resuming said\n%s", out)
	}
}
