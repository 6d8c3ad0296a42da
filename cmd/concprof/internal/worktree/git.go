package worktree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// killDelay is how long a git command that was told to stop may take.
const killDelay = 5 * time.Second

// git runs the user's git in one folder.
type git struct {
	dir string
	env []string
}

// redirecting are variables by which a git above this process, such as that of
// a hook, says which repository and index its children use.
var redirecting = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE",
	"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
}

func newGit(dir string, environ []string) git {
	g := git{dir: dir}
	for _, v := range environ {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(redirecting, name) {
			g.env = append(g.env, v)
		}
	}
	// Messages that can be read, nobody asked for a password, and no lock on
	// the user's index only to refresh it.
	g.env = append(g.env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0")
	return g
}

// settings keep programs that a repository's configuration names from running.
var settings = []string{
	"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false",
	"-c", "submodule.recurse=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false",
}

// A gitError is what a git command said that failed.
type gitError struct{ command, output string }

func (e *gitError) Error() string { return e.output }

// run runs a git command and returns its standard output without the last line
// break.
func (g git) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", slices.Concat(settings, args)...)
	cmd.Dir, cmd.Env = g.dir, g.env
	cmd.WaitDelay = killDelay
	apart(cmd)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		said := strings.TrimSpace(stderr.String())
		if said == "" {
			said = exit.Error()
		}
		return "", &gitError{args[0], said}
	}
	return strings.TrimRight(stdout.String(), "\n"), err
}

// fault makes an *Error of what a git command said; an interruption stays what
// it is.
func fault(err error, doing string) error {
	failed := (*gitError)(nil)
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, exec.ErrNotFound):
		return &Error{"cannot run git: it is not on PATH", "install it: another revision is checked out with it"}
	case errors.As(err, &failed):
		return &Error{fmt.Sprintf("cannot %s: git %s: %s", doing, failed.command, failed.output), ""}
	}
	return &Error{fmt.Sprintf("cannot %s: %v", doing, err), ""}
}
