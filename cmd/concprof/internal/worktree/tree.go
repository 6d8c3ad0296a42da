package worktree

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// pattern names the folders that worktrees are in, below the folder for
// temporary files.
const pattern = "concprof-against-*"

// checkout is the worktree within such a folder; git calls its entry after it.
const checkout = "concprof-base"

// abandonedAge is the least age of a folder that is swept: one that is younger
// may not be locked yet.
const abandonedAge = time.Minute

// A Tree is a revision that is checked out. Close removes it.
type Tree struct {
	// Root is the top of the checkout, and Dir what the repository's folder is
	// in it. NewFolder is set if the revision does not have that: it was made,
	// because what is to be measured may be named from there all the same.
	Root, Dir string
	NewFolder bool
	// Submodules is set if the revision has some: they are not checked out.
	Submodules bool

	folder string
	lock   *os.File
	git    git
}

// Add checks a commit out, as Resolve returned it, below the folder temp. What
// a killed process has left there is removed first.
func (r *Repository) Add(ctx context.Context, commit, temp string) (_ *Tree, err error) {
	sweep(ctx, temp, r.git.env, time.Now().Add(-abandonedAge))
	folder, err := os.MkdirTemp(temp, pattern)
	if err != nil {
		return nil, fault(err, "make a folder for the other revision")
	}
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return nil, err
	}
	t := &Tree{Root: filepath.Join(folder, checkout), folder: folder, git: r.git}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if t.lock, err = os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fault(err, "make a folder for the other revision")
	}
	take(t.lock) //nolint:errcheck // without it nobody sweeps the folder too early, but for its age
	if _, err = r.git.run(ctx, "worktree", "add", "--detach", "--force", t.Root, commit); err != nil {
		return nil, fault(err, "check out "+commit)
	}
	t.Dir = filepath.Join(t.Root, r.Prefix)
	if _, missing := os.Stat(t.Dir); missing != nil {
		t.NewFolder = true
		if err = os.MkdirAll(t.Dir, 0o777); err != nil {
			return nil, fault(err, "make the folder of the workload file at "+commit)
		}
	}
	_, missing := os.Stat(filepath.Join(t.Root, ".gitmodules"))
	t.Submodules = missing == nil
	return t, nil
}

// Close removes the checkout and its entry in the repository, also after the
// context that it was made under is done.
func (t *Tree) Close() error {
	if t == nil {
		return nil
	}
	remove(t.git, t.Root)
	err := os.RemoveAll(t.folder)
	if t.lock != nil {
		t.lock.Close() //nolint:errcheck // nothing was written to it
	}
	return err
}

// remove takes a worktree out of its repository. If git will not, git finds
// out by itself one day that the folder is gone.
func remove(g git, root string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	g.run(ctx, "worktree", "remove", "--force", "--force", root) //nolint:errcheck // see above
}

// sweep removes the checkouts of this user that were abandoned before a time:
// their locks are free.
func sweep(ctx context.Context, temp string, env []string, before time.Time) {
	folders, err := filepath.Glob(filepath.Join(temp, pattern))
	if err != nil {
		return
	}
	for _, folder := range folders {
		if ctx.Err() != nil {
			return
		}
		info, err := os.Lstat(folder) // not a link to somewhere else
		if err != nil || !info.IsDir() || info.ModTime().After(before) || !own(info) {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if take(lock) == nil {
			root := filepath.Join(folder, checkout)
			remove(git{dir: root, env: env}, root)
			os.RemoveAll(folder) //nolint:errcheck // the next sweep tries again
		}
		lock.Close() //nolint:errcheck // nothing was written to it
	}
}
