package runner

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/concprof/concprof/probes/record"
)

// Bounds on what a probe may report, beyond record.MaxEventBytes.
const (
	maxText     = 4 << 10
	maxNote     = 512
	maxSteps    = 1 << 10
	maxMissing  = 1 << 6
	maxProfiles = 8
)

// A report is what a probe said.
type report struct {
	hello, ready, bye bool
	record            *record.Record
	fatal             *record.Event
	// bad says in what way the protocol was broken, "" if it was not.
	bad string
}

// stage is where the probe was when it said its last.
func (r *report) stage() record.Stage {
	switch {
	case r.record != nil:
		return record.StageTeardown
	case r.ready:
		return record.StageOps
	case r.hello:
		return record.StageSetup
	}
	return record.StageStart
}

// readEvents reads what a probe writes until the end, or until it breaks the
// protocol: then it finds the pipe closed. Each event is handed on as soon as
// it is read, in the order of the protocol.
func readEvents(f *os.File, token string, on func(record.Event)) *report {
	defer f.Close()
	r := new(report)
	r.read(f, token, on)
	return r
}

// read takes the events, one JSON document a line.
func (r *report) read(f io.Reader, token string, on func(record.Event)) {
	in := bufio.NewReader(io.LimitReader(f, record.MaxEventBytes+1))
	total := 0
	for n := 1; r.bad == ""; n++ {
		line, err := in.ReadBytes('\n')
		total += len(line)
		ended := errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded)
		switch {
		case total > record.MaxEventBytes:
			r.bad = fmt.Sprintf("more than %d bytes of events", record.MaxEventBytes)
		case ended && len(line) == 0:
			return
		case ended:
			r.bad = fmt.Sprintf("event %d: truncated", n)
		case err != nil:
			r.bad = err.Error()
		default:
			if e, err := r.event(line, token); err != nil {
				r.bad = clip(fmt.Sprintf("event %d: %v", n, err), maxText)
			} else {
				on(e)
			}
		}
	}
}

// event takes one line.
func (r *report) event(line []byte, token string) (e record.Event, err error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		return e, err
	}
	switch {
	case dec.More():
		return e, errors.New("two documents in a line")
	case e.Token != token:
		return e, errors.New("wrong token: it was not the probe that wrote it")
	}
	return e, r.take(e)
}

// take enters an event, which must be one that can follow those before.
func (r *report) take(e record.Event) error {
	order := fmt.Errorf("unexpected %q", clip(string(e.Kind), 32))
	if r.bye || r.fatal != nil {
		return order
	}
	switch e.Kind {
	case record.Hello:
		if r.hello {
			return order
		}
		if e.Version != record.ProtocolVersion {
			return fmt.Errorf("the probe speaks version %d of the protocol, want %d", e.Version, record.ProtocolVersion)
		}
		r.hello = true
	case record.Ready:
		if !r.hello || r.ready {
			return order
		}
		r.ready = true
	case record.End:
		switch {
		case r.record != nil:
			return errors.New("a second result")
		case !r.ready:
			return order
		case e.Record == nil:
			return errors.New("no record")
		}
		if err := check(e.Record); err != nil {
			return err
		}
		r.record = e.Record
	case record.Bye:
		if r.record == nil {
			return order
		}
		r.bye = true
	case record.Fatal:
		switch e.Stage {
		case record.StageStart, record.StageSetup, record.StageOps, record.StageTeardown:
		default:
			return fmt.Errorf("unknown stage %q", clip(string(e.Stage), 32))
		}
		r.fatal = &e
	default:
		return order
	}
	return nil
}

// check refuses a record that no trial can have. What only the runner knows
// is taken out of it.
func check(r *record.Record) error {
	switch r.Status {
	case "", record.OK, record.Failed:
	default:
		return fmt.Errorf("a probe cannot report status %q", clip(string(r.Status), 32))
	}
	r.Exit, r.Host, r.Race, r.ElapsedNs = nil, nil, nil, 0
	whole := map[string]int64{
		"ops": r.Ops, "failed_ops": r.FailedOps, "wall_ns": r.WallNs, "setup_ns": r.SetupNs,
		"cpu.user_ns": r.CPU.UserNs, "cpu.system_ns": r.CPU.SystemNs, "cpu.children_ns": r.CPU.ChildrenNs,
		"cpu.runnable_ns": r.CPU.RunnableNs, "peak_rss_bytes": r.Memory.PeakRSSBytes,
		"threads": int64(r.Threads), "latency_every": r.LatencyEvery,
	}
	if r.Thread != nil {
		whole["thread.cpu_ns"], whole["thread.runnable_ns"], whole["thread.labelled_ns"] = r.Thread.CPUNs, r.Thread.RunnableNs, r.Thread.LabelledNs
		whole["thread.paused_ns"], whole["thread.paused_cpu_ns"] = r.Thread.PausedNs, r.Thread.PausedCPUNs
	}
	for _, s := range r.Steps {
		for name, n := range map[string]int64{"ops": s.Ops, "wall_ns": s.WallNs, "cpu_ns": s.CPUNs, "runnable_ns": s.RunnableNs} {
			if n < 0 {
				return fmt.Errorf("%s of step %q is %d", name, clip(s.Name, 64), n)
			}
		}
	}
	for name, n := range whole {
		if n < 0 {
			return fmt.Errorf("%s is %d", name, n)
		}
	}
	switch {
	case r.FailedOps > r.Ops:
		return fmt.Errorf("%d of %d ops failed", r.FailedOps, r.Ops)
	case r.Ops > 0 && r.WallNs == 0:
		return fmt.Errorf("%d ops in no time", r.Ops)
	case r.Thread != nil && r.Thread.PausedNs > r.WallNs:
		return fmt.Errorf("paused for %d of %d ns", r.Thread.PausedNs, r.WallNs)
	case len(r.Errors) > record.MaxErrors:
		return fmt.Errorf("%d kinds of errors, more than %d", len(r.Errors), record.MaxErrors)
	case len(r.Steps) > maxSteps || len(r.Missing) > maxMissing || len(r.Profiles) > maxProfiles:
		return errors.New("too many steps, missing measurements or profiles")
	}
	for i := range r.Errors {
		e := &r.Errors[i]
		if e.Count < 0 || e.Count > r.FailedOps {
			return fmt.Errorf("%d errors of %d failed ops", e.Count, r.FailedOps)
		}
		e.Type, e.Message = clip(e.Type, 256), clip(e.Message, 256)
	}
	if err := checkResults(r); err != nil {
		return err
	}
	if len(r.Notes) > record.MaxNotes {
		return fmt.Errorf("%d notes, more than %d", len(r.Notes), record.MaxNotes)
	}
	for i := range r.Notes {
		r.Notes[i] = clip(r.Notes[i], maxNote)
	}
	if err := checkPython(r); err != nil {
		return err
	}
	r.Reason, r.Frame = clip(r.Reason, maxText), clip(r.Frame, maxText)
	if r.Dry != nil {
		r.Dry.Result = clip(r.Dry.Result, 256)
	}
	return checkHistogram(r.Latency)
}

// checkResults refuses results that are not of single ops in order.
func checkResults(r *record.Record) error {
	if len(r.Results) > record.MaxResults {
		return fmt.Errorf("the results of %d ops, more than %d", len(r.Results), record.MaxResults)
	}
	for i := range r.Results {
		res := &r.Results[i]
		if res.Op < 0 || i > 0 && res.Op <= r.Results[i-1].Op {
			return fmt.Errorf("results are not in the order of ops: op %d", res.Op)
		}
		res.Shown = clip(res.Shown, record.MaxShown)
	}
	return nil
}

// maxBucket is the index of the bucket of the largest value that a Histogram
// holds, with room to spare.
const maxBucket = 64 << 5

func checkHistogram(h *record.Histogram) error {
	if h == nil {
		return nil
	}
	var n int64
	for i, c := range h.Counts {
		if i < 0 || i > maxBucket || c < 0 || n > math.MaxInt64-c {
			return fmt.Errorf("latency bucket %d holds %d", i, c)
		}
		n += c
	}
	if n != h.N || h.Min < 0 || h.Max < h.Min || h.Sum < 0 {
		return fmt.Errorf("latency counts %d values, but %d are in its buckets", h.N, n)
	}
	return nil
}

// clip shortens s to at most n bytes, without cutting a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
