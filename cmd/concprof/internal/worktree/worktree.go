// Package worktree checks out another revision of the user's repository in a
// temporary place, with the user's own git.
//
//	worktree.go   finding the repository, resolving a revision
//	tree.go       the checkout, and removing it
//	git.go        running git
//
// The user's tree, index and branches are not touched: what is written is a git
// worktree, which has a tree and an index of its own, and its entry in
// .git/worktrees; both are removed again. Hooks and file system monitors do not
// run. The filters that the user has configured do, as on any checkout: without
// them the files would not be the user's.
package worktree

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// An Error says why there is no other revision to measure, and what to do.
type Error struct{ Message, Hint string }

func (e *Error) Error() string { return e.Message }

// A Repository is the git repository that a folder is in.
type Repository struct {
	// Root is the top of the user's working tree, Prefix the way from there to
	// the folder, "." or "bench/io".
	Root, Prefix string

	git git
}

// Find returns the repository that a folder is in. Its error is an *Error
// unless ctx was done.
func Find(ctx context.Context, dir string, environ []string) (*Repository, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	r := &Repository{git: newGit(dir, environ)}
	top, err := r.git.run(ctx, "rev-parse", "--show-toplevel")
	switch {
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return nil, &Error{fmt.Sprintf("%s is not in a git repository, so there is no other revision of it", dir), "measure both, and compare the runs: concprof compare BASE HEAD"}
	case err != nil:
		return nil, fault(err, "find the repository of "+dir)
	case top == "":
		return nil, &Error{fmt.Sprintf("the git repository of %s has no working tree", dir), "check it out first"}
	}
	if r.Root, err = filepath.EvalSymlinks(top); err != nil {
		return nil, err
	}
	r.git.dir = r.Root
	if r.Prefix, err = filepath.Rel(r.Root, dir); err != nil {
		return nil, err
	}
	return r, nil
}

// Resolve returns the commit that a revision names.
func (r *Repository) Resolve(ctx context.Context, rev string) (string, error) {
	if rev == "" {
		return "", &Error{"there is no revision", "name a commit, a branch or a tag: --against main"}
	}
	if strings.HasPrefix(rev, "-") {
		return "", &Error{fmt.Sprintf("%q is not a revision", rev), "name a commit, a branch or a tag: --against main"}
	}
	commit, err := r.git.run(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err == nil {
		return commit, nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	e := &Error{Message: fmt.Sprintf("%s has no revision %s", r.Root, rev), Hint: "git branch --all and git tag list what there is; git fetch brings what is not here"}
	if shallow, err := r.git.run(ctx, "rev-parse", "--is-shallow-repository"); err == nil && shallow == "true" {
		e.Message = fmt.Sprintf("%s is a shallow clone without revision %s", r.Root, rev)
		e.Hint = "fetch its history: git fetch --unshallow; with actions/checkout, set fetch-depth: 0"
	}
	return "", e
}

// Head returns the commit of the user's tree, "" if there is none yet, and
// whether files differ from it. Those below a folder .concprof, which are
// runs, do not count.
func (r *Repository) Head(ctx context.Context) (commit string, modified bool, err error) {
	commit, err = r.git.run(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if ctx.Err() != nil {
		return "", false, ctx.Err()
	}
	if err != nil {
		commit = ""
	}
	changes, err := r.git.run(ctx, "status", "--porcelain", "--ignore-submodules=none", "--", ":(top)", ":(top,exclude,glob)**/.concprof/**")
	if err != nil {
		return "", false, fault(err, "look at the state of "+r.Root)
	}
	return commit, changes != "", nil
}
