package cli

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// The exit codes. There is one for each cause that a script may want to tell
// apart; they are a contract.
const (
	exitOK           = 0  // complete
	exitFailure      = 1  // could not do it
	exitUsage        = 2  // usage or an invalid file; nothing ran
	exitGate         = 3  // a gate was not met
	exitPartial      = 4  // some cells failed; the report says which
	exitInconclusive = 5  // inconclusive though a gate asked
	exitWrite        = 74 // could not write (EX_IOERR of sysexits.h)
	exitBusy         = 75 // the run directory is busy (EX_TEMPFAIL)
	exitSignal       = 128
)

// exitCodes documents every code, in the order in which help lists them.
var exitCodes = []struct {
	code  int
	means string
}{
	{exitOK, "complete"},
	{exitFailure, "could not do it"},
	{exitUsage, "usage or an invalid file, nothing ran"},
	{exitGate, "a gate was not met"},
	{exitPartial, "partial: cells failed or the run is not complete, the report says which"},
	{exitInconclusive, "inconclusive though a gate asked"},
	{exitWrite, "could not write"},
	{exitBusy, "the run directory is busy"},
	{exitSignal + int(syscall.SIGHUP), "hung up (SIGHUP), partial report written, resumable"},
	{exitSignal + int(syscall.SIGINT), "interrupted (SIGINT), partial report written, resumable"},
	{exitSignal + int(syscall.SIGTERM), "interrupted (SIGTERM), partial report written, resumable"},
}

// An exitCoder is an error that decides the exit code.
type exitCoder interface {
	error
	exitCode() int
}

// exitCode returns the code that err ends the program with.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if coder := exitCoder(nil); errors.As(err, &coder) {
		return coder.exitCode()
	}
	for _, f := range foreign {
		if f.match(err) {
			return f.code
		}
	}
	return exitFailure
}

// foreign maps errors of other packages to codes.
var foreign = []struct {
	match func(error) bool
	code  int
}{
	{is[*workload.Faults], exitUsage},
	{is[*workload.FileError], exitUsage},
	{is[*plan.SettingError], exitUsage},
	{is[*probes.TargetError], exitUsage},
	{is[*rundir.BusyError], exitBusy},
	{is[*rundir.WriteError], exitWrite},
	{is[*rundir.ChangedError], exitPartial},
}

// is reports whether err is or wraps a T.
func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// A usageError says that the command line, its environment or a file that it
// names is wrong. Nothing ran.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string        { return e.err.Error() }
func (e *usageError) Unwrap() error        { return e.err }
func (e *usageError) exitCode() int        { return exitUsage }
func (e *usageError) hints() []string      { return nonEmpty(e.hint) }
func usage(hint, f string, a ...any) error { return &usageError{fmt.Errorf(f, a...), hint} }

// A writeError says that a result could not be written.
type writeError struct {
	what string
	err  error
}

func (e *writeError) Error() string   { return fmt.Sprintf("cannot write %s: %v", e.what, e.err) }
func (e *writeError) Unwrap() error   { return e.err }
func (e *writeError) exitCode() int   { return exitWrite }
func (e *writeError) hints() []string { return nil }

// A partialError says that some of the work failed. The report, which is
// written nevertheless, says which and why.
type partialError struct{ message, hint string }

func (e *partialError) Error() string   { return e.message }
func (e *partialError) exitCode() int   { return exitPartial }
func (e *partialError) hints() []string { return nonEmpty(e.hint) }

// An interruptError says that a signal ended the command.
type interruptError struct {
	signal os.Signal
	hint   string // how to go on, if one can
}

func (e *interruptError) Error() string   { return fmt.Sprintf("interrupted by %v", e.signal) }
func (e *interruptError) hints() []string { return nonEmpty(e.hint) }
func (e *interruptError) exitCode() int {
	if s, ok := e.signal.(syscall.Signal); ok {
		return exitSignal + int(s)
	}
	return exitSignal + int(syscall.SIGINT)
}

// A hintedError adds what to do about an error.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string   { return e.err.Error() }
func (e *hintedError) Unwrap() error   { return e.err }
func (e *hintedError) hints() []string { return nonEmpty(e.hint) }

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
