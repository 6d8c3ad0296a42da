package worktree

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A sandbox is a repository with two commits: file "a" says one, then two.
type sandbox struct {
	t   *testing.T
	dir string
	env []string
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: there is no git")
	}
	s := &sandbox{t: t, dir: t.TempDir()}
	s.env = append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	s.git("init", "-q", "-b", "main")
	s.write("sub/a", "one")
	s.git("add", ".")
	s.git("commit", "-qm", "1")
	s.write("sub/a", "two")
	s.git("commit", "-qam", "2")
	return s
}

func (s *sandbox) git(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s *sandbox) write(name, text string) {
	s.t.Helper()
	name = filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o777); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sandbox) find(folder string) *Repository {
	s.t.Helper()
	r, err := Find(context.Background(), filepath.Join(s.dir, folder), s.env)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// state is all that must stay as it was.
func (s *sandbox) state() string {
	index, err := os.ReadFile(filepath.Join(s.dir, ".git", "index"))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join([]string{s.git("status", "--porcelain"), s.git("for-each-ref"), s.git("worktree", "list"), s.git("rev-parse", "HEAD"), s.git("stash", "list"), string(index)}, "\n")
}

func TestTree(t *testing.T) {
	s := newSandbox(t)
	s.write("sub/a", "three, not committed")
	s.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch "+s.dir+"/hooked\n")
	before := s.state()
	temp := t.TempDir()
	ctx := context.Background()
	r := s.find("sub")
	if r.Prefix != "sub" {
		t.Errorf("prefix %q", r.Prefix)
	}
	commit, err := r.Resolve(ctx, "HEAD~1")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Add(ctx, commit, temp)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(tree.Dir, "a")); string(text) != "one" || tree.NewFolder {
		t.Errorf("a at HEAD~1 is %q, %v", text, err)
	}
	if head, modified, err := r.Head(ctx); err != nil || !modified || head != s.git("rev-parse", "HEAD") {
		t.Errorf("head %s, modified %v, %v", head, modified, err)
	}
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	if after := s.state(); after != before {
		t.Errorf("the repository was\n%s\nand is\n%s", before, after)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "hooked")); err == nil {
		t.Error("a hook has run")
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The folder of the workload file may be newer than the revision.
func TestNewFolder(t *testing.T) {
	s := newSandbox(t)
	s.write("bench/io/workload.yaml", "")
	tree, err := s.find("bench/io").Add(context.Background(), "HEAD", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if info, err := os.Stat(filepath.Join(tree.Dir, "../../sub/a")); err != nil || info.IsDir() || !tree.NewFolder {
		t.Errorf("%v, new %v", err, tree.NewFolder)
	}
}

// A folder of runs is no change; any other file that is not committed is.
func TestModified(t *testing.T) {
	s := newSandbox(t)
	for _, tt := range []struct {
		file string
		want bool
	}{{"sub/.concprof/x/y", false}, {".concprof/x", false}, {"sub/new", true}} {
		s.write(tt.file, "")
		if _, modified, err := s.find("sub").Head(context.Background()); err != nil || modified != tt.want {
			t.Errorf("with %s: modified %v, %v", tt.file, modified, err)
		}
	}
}

func TestErrors(t *testing.T) {
	s := newSandbox(t)
	ctx := context.Background()
	shallow := filepath.Join(t.TempDir(), "clone")
	s.git("clone", "-q", "--depth", "1", "file://"+s.dir, shallow)
	clone, err := Find(ctx, shallow, s.env)
	if err != nil {
		t.Fatal(err)
	}
	resolve := func(r *Repository, rev string) func() error {
		return func() error { _, err := r.Resolve(ctx, rev); return err }
	}
	r := s.find(".")
	for _, tt := range []struct {
		name       string
		do         func() error
		want, hint string
	}{
		{"unknown", resolve(r, "nosuch"), "no revision nosuch", "git fetch"},
		{"a tree", resolve(r, "HEAD:sub"), "no revision HEAD:sub", "git fetch"},
		{"an option", resolve(r, "--output=/tmp/x"), "is not a revision", "--against main"},
		{"empty", resolve(r, ""), "no revision", "--against main"},
		{"shallow", resolve(clone, "HEAD~1"), "shallow clone without revision HEAD~1", "git fetch --unshallow; with actions/checkout, set fetch-depth: 0"},
		{"no repository", func() error { _, err := Find(ctx, t.TempDir(), s.env); return err }, "not in a git repository", "concprof compare"},
		{"no working tree", func() error { _, err := Find(ctx, filepath.Join(s.dir, ".git"), s.env); return err }, "work tree", ""},
		{"no git", func() error { t.Setenv("PATH", t.TempDir()); _, err := Find(ctx, s.dir, s.env); return err }, "cannot run git", "install it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do()
			e := (*Error)(nil)
			if !errors.As(err, &e) || !strings.Contains(e.Message, tt.want) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("%v (%+v), want %q and %q", err, e, tt.want, tt.hint)
			}
		})
	}
}

// What a killed process has left is removed by the next, with its entry in the
// repository, unless somebody still uses it.
func TestSweep(t *testing.T) {
	s := newSandbox(t)
	temp := t.TempDir()
	ctx := context.Background()
	r := s.find(".")
	killed, err := r.Add(ctx, "HEAD", temp)
	if err != nil {
		t.Fatal(err)
	}
	used, err := r.Add(ctx, "HEAD", temp)
	if err != nil {
		t.Fatal(err)
	}
	killed.lock.Close()
	sweep(ctx, temp, s.env, time.Now().Add(time.Hour))
	if _, err := os.Stat(killed.folder); err == nil {
		t.Error("the folder of a killed process is still there")
	}
	if _, err := os.Stat(used.Root); err != nil {
		t.Errorf("a checkout in use was swept: %v", err)
	}
	if n := strings.Count(s.git("worktree", "list"), "\n") + 1; n != 2 {
		t.Errorf("%d worktrees, want the user's and the one in use", n)
	}
	if err := used.Close(); err != nil {
		t.Error(err)
	}
}

// An interrupted checkout leaves nothing.
func TestInterruptedAdd(t *testing.T) {
	s := newSandbox(t)
	temp := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	r := s.find(".")
	cancel()
	if _, err := r.Add(ctx, "HEAD", temp); !errors.Is(err, context.Canceled) {
		t.Errorf("Add: %v", err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 || strings.Contains(s.git("worktree", "list"), "concprof") {
		t.Errorf("left behind: %v, %s", left, s.git("worktree", "list"))
	}
}

// Under a hook of git's, variables name another repository and index.
func TestUnderAHook(t *testing.T) {
	s := newSandbox(t)
	r, err := Find(context.Background(), s.dir, append(s.env, "GIT_DIR=/nonexistent", "GIT_INDEX_FILE=/nonexistent"))
	if err != nil || r.Prefix != "." {
		t.Errorf("%+v, %v", r, err)
	}
}
