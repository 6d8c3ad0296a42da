package runner

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/record"
)

// suspendedGap is the least standstill that spoils a trial: 1 % of a trial of
// a second.
const suspendedGap = 10 * time.Millisecond

// judge says how a trial ended. What the keeper did to the process comes
// first, then what the process did to itself, then what the probe reported:
// only a probe that reported, said goodbye and exited with 0 is OK.
func judge(j *Job, r *report, e proc.Ending, stderr []byte) *record.Record {
	rec := r.record
	if rec == nil {
		rec = new(record.Record)
	}
	set := func(s record.Status, format string, args ...any) {
		rec.Status, rec.Stage = s, r.stage()
		rec.Reason = clip(fmt.Sprintf(format, args...), maxText)
	}
	c, crashed := parseCrash(stderr, j.Dir)
	rec.Frame = cmp.Or(c.frame, pythonUserFrame(stderr, j.Dir), rec.Frame)
	defer func() {
		if rec.Status == record.OK {
			rec.Frame = "" // it printed of a panic, and recovered
		}
	}()
	switch {
	case e.Cause == proc.Lost:
		set(record.Lost, "the trial's keeper was killed")
	case e.Cause == proc.Memory && e.PeakRSSBytes <= j.Limits.MemoryBytes:
		set(record.MemoryLimit, "was killed by the kernel at its limit of %d bytes of memory, with %d resident", j.Limits.MemoryBytes, e.PeakRSSBytes)
	case e.Cause == proc.Memory:
		set(record.MemoryLimit, "used %d bytes of memory, more than its limit of %d", e.PeakRSSBytes, j.Limits.MemoryBytes)
	case e.Cause == proc.Processes:
		set(record.Failed, "had more than %d processes, or far too many threads", j.Limits.Processes)
	case e.Cause == proc.Disk:
		what := "its working folder"
		if e.DiskFolder == j.Spec.Scratch {
			what = "its folder for temporary files"
		}
		set(record.Failed, "left only %d bytes free on the file system of %s", e.DiskFreeBytes, what)
	case e.Cause == proc.Stopped:
		set(record.Suspended, "was stopped by a signal")
	case e.Gap >= suspendedGap:
		set(record.Suspended, "the machine or the trial stood still for %v", e.Gap.Round(time.Millisecond))
	case e.Cause == proc.Killed && r.bad == "":
		set(record.Lost, "was interrupted")
	case e.Cause == proc.Deadline:
		set(record.TimedOut, "did not end within %v", j.Timeout)
	case r.bad != "":
		set(record.BadResult, "%s", r.bad)
	case e.Signal != "":
		set(record.Crashed, "ended by a signal: %s%s", e.Signal, limitHint(e.Signal))
	case crashed && c.signal != "" && e.Code != 0:
		set(record.Crashed, "%s", c.reason)
	case r.fatal != nil:
		set(record.Failed, "%s", r.fatal.Reason)
		rec.Stage = r.fatal.Stage
		if rec.Stage == record.StageStart || rec.Stage == record.StageSetup {
			rec.Status = record.SetupFailed
		}
	case e.Code != 0:
		status := record.Failed
		if !r.ready {
			status = record.SetupFailed
		}
		if crashed {
			set(status, "%s", c.reason)
		} else {
			set(status, "exit status %d", e.Code)
		}
	case r.record == nil || !r.bye:
		set(record.NoResult, "exited with status 0 before its ops were done")
	case rec.Status == record.Failed:
		// Every op failed, as the probe says itself.
	default:
		rec.Status, rec.Stage, rec.Reason = record.OK, "", ""
		if rec.Ops > 0 && rec.FailedOps == rec.Ops {
			rec.Status, rec.Stage, rec.Reason = record.Failed, record.StageOps, "every op failed"
			if len(rec.Errors) > 0 {
				rec.Reason += ": " + said(j, rec.Errors[0])
			}
		}
	}
	return rec
}

func limitHint(signal string) string {
	if signal == "file size limit exceeded" {
		return ": raise limits.file_size if the workload writes files of that size"
	}
	return ""
}

// said is how a failure reads where there is room for one: of a Python
// exception its type says what its message often leaves out.
func said(j *Job, e record.ErrorCount) string {
	for _, s := range j.Spec.Steps {
		if s.Kind == harness.KindPython {
			return strings.TrimSuffix(e.Type+": "+e.Message, ": ")
		}
	}
	return e.Message
}
