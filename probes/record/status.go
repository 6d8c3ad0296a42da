package record

import "fmt"

// Status says how a trial or a cell ended.
type Status string

// The statuses of trials and cells. Only OK trials put a number in a report.
const (
	OK          Status = "ok"
	Partial     Status = "partial"      // a cell: some of its trials are not ok
	Failed      Status = "failed"       // panic, non-zero exit, every op failed
	Crashed     Status = "crashed"      // ended by a signal that it did not expect
	TimedOut    Status = "timed-out"    // passed its deadline and was killed
	MemoryLimit Status = "memory-limit" // passed its memory limit and was killed
	NoResult    Status = "no-result"    // exited cleanly without a result
	BadResult   Status = "bad-result"   // the result was not what the protocol allows
	WrongResult Status = "wrong-result" // results differ from the baseline's
	Suspended   Status = "suspended"    // the process or the machine stood still
	Disturbed   Status = "disturbed"    // other load took the processors
	Lost        Status = "lost"         // its keeper died
	SetupFailed Status = "setup-failed" // never ready to run ops
	Skipped     Status = "skipped"      // a cell: cannot or may not run here
	Eliminated  Status = "eliminated"   // a cell: could not win any more
)

// Statuses returns every status.
func Statuses() []Status {
	return []Status{OK, Partial, Failed, Crashed, TimedOut, MemoryLimit, NoResult, BadResult,
		WrongResult, Suspended, Disturbed, Lost, SetupFailed, Skipped, Eliminated}
}

// ParseStatus returns the status of that name.
func ParseStatus(s string) (Status, error) {
	for _, st := range Statuses() {
		if string(st) == s {
			return st, nil
		}
	}
	return "", fmt.Errorf("unknown status %q", s)
}

// Broken reports whether the status says that the user's work itself went
// wrong, as opposed to having been left out on purpose.
func (s Status) Broken() bool {
	switch s {
	case OK, Skipped, Eliminated:
		return false
	}
	return true
}

// Stage is a part of a trial's life.
type Stage string

// The stages of a trial, in order.
const (
	StageStart    Stage = "start" // until the probe says hello
	StageSetup    Stage = "setup"
	StageOps      Stage = "ops"
	StageTeardown Stage = "teardown"
)

// Wait is a reason for which an op is blocked.
type Wait string

// The reasons for waiting.
const (
	Network    Wait = "network"
	File       Wait = "file"
	Timer      Wait = "timer"
	Lock       Wait = "lock"
	Channel    Wait = "channel"
	Subprocess Wait = "subprocess"
	GIL        Wait = "gil"
	Other      Wait = "other"
)

// Waits returns every reason, in the order in which reports list them.
func Waits() []Wait {
	return []Wait{Network, File, Timer, Lock, Channel, Subprocess, GIL, Other}
}
