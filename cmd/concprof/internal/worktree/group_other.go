//go:build !unix

package worktree

import (
	"errors"
	"os"
	"os/exec"
)

func apart(*exec.Cmd) {}

func take(*os.File) error { return errors.ErrUnsupported }

func own(os.FileInfo) bool { return false }
