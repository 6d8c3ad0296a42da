//go:build !linux || !(amd64 || arm64)

package pyread

import (
	"context"
	"runtime"
)

// A Target is a CPython process that can be read: here there are none.
type Target struct{}

// Open always returns an *UnsupportedError.
func Open(pid int) (*Target, error) {
	return nil, &UnsupportedError{PID: pid, Reason: "the reader knows Linux on amd64 and arm64, not " + runtime.GOOS + " on " + runtime.GOARCH}
}

// Close does nothing.
func (t *Target) Close() {}

// A Session looks at a process until it is stopped: here there are none.
type Session struct{}

// Start always returns an *UnsupportedError.
func Start(_ context.Context, pid int, _ Options) (*Session, error) {
	_, err := Open(pid)
	return nil, err
}

// Stop returns nothing.
func (s *Session) Stop() *Result { return &Result{} }
