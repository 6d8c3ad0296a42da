package reports

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A chromeEvent is one event of the trace event format ("Trace Event Format",
// the JSON object form), which Chrome's about:tracing and Perfetto read: M
// names a process or thread, X is a slice, C a value of a counter. Times are
// in microseconds.
type chromeEvent struct {
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	Phase    string         `json:"ph"`
	TS       float64        `json:"ts"`
	Duration *float64       `json:"dur,omitempty"`
	PID      int            `json:"pid"`
	TID      int            `json:"tid"`
	Args     map[string]any `json:"args,omitempty"`
}

// hostPID is the process of the time line that holds what belongs to no
// workload: the controls, and what other programs took of the host. Those of
// the workloads follow, in the order of the file.
const hostPID = 1

// chromeTrace is the run as a time line: a process for each workload, a row
// for each of its cells, and for each trial a slice while it made ready and one
// for its ops, named by the pass. Times count from the start of the run's first
// trial, by the wall clock.
func chromeTrace(res *analyzer.Result) ([]byte, error) {
	t := &chromeTimeline{rows: map[plan.Cell]int{}, pids: map[string]int{"": hostPID}}
	t.name("process_name", hostPID, 0, "host and controls")
	for i := range res.Workloads {
		pid := hostPID + 1 + i
		t.pids[res.Workloads[i].Name] = pid
		t.name("process_name", pid, 0, plain(res.Workloads[i].Name))
	}
	for i := range res.Timeline {
		t.add(&res.Timeline[i])
	}
	// An event a line, as other writers of the format do.
	var out bytes.Buffer
	out.WriteString(`{"traceEvents": [`)
	for i, e := range t.events {
		line, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode the time line: %w", err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(line)
	}
	about, err := json.Marshal(map[string]string{"run": plain(res.Run.ID), "concprof": plain(res.Run.Tool.Version)})
	if err != nil {
		return nil, fmt.Errorf("encode the time line: %w", err)
	}
	fmt.Fprintf(&out, "\n], \"displayTimeUnit\": \"ms\", \"otherData\": %s}\n", about)
	return visible(out.Bytes()), nil
}

type chromeTimeline struct {
	events []chromeEvent
	pids   map[string]int
	rows   map[plan.Cell]int // the row of each cell, from 1 within its process
	last   map[int]int       // the last row of each process
}

// name gives a process or a row its name and its place among the others.
func (t *chromeTimeline) name(what string, pid, tid int, name string) {
	sort, at := "process_sort_index", pid
	if what == "thread_name" {
		sort, at = "thread_sort_index", tid
	}
	t.events = append(t.events,
		chromeEvent{Name: what, Phase: "M", PID: pid, TID: tid, Args: map[string]any{"name": name}},
		chromeEvent{Name: sort, Phase: "M", PID: pid, TID: tid, Args: map[string]any{"sort_index": at}})
}

// add adds a trial, and first its row if that is new.
func (t *chromeTimeline) add(s *analyzer.Span) {
	pid, known := t.pids[s.Trial.Cell.Workload]
	if !known {
		return // of a workload that is left out
	}
	row := s.Trial.Cell
	title := fmt.Sprintf("%s, %d in flight", row.Model, row.Concurrency)
	if row.Model == model.Sequential {
		title = string(row.Model)
	}
	if s.Trial.Control != "" {
		row.Model = model.Model(s.Trial.Control) // a row for each control
		title = "control: " + string(s.Trial.Control)
	}
	if t.rows[row] == 0 {
		if t.last == nil {
			t.last = map[int]int{}
		}
		t.last[pid]++
		t.rows[row] = t.last[pid]
		t.name("thread_name", pid, t.rows[row], plain(title))
	}
	micro := func(ns int64) float64 { return float64(ns) / 1e3 }
	slice := func(name, category string, from, took int64, args map[string]any) {
		dur := micro(took)
		t.events = append(t.events, chromeEvent{Name: name, Category: category, Phase: "X", TS: micro(from), Duration: &dur, PID: pid, TID: t.rows[row], Args: args})
	}
	if s.SetupNs > 0 {
		slice("setup", "setup", s.StartNs-s.SetupNs, s.SetupNs, nil)
	}
	name := string(s.Trial.Pass)
	args := map[string]any{"trial": plain(s.Trial.ID), "repetition": s.Trial.Rep + 1, "status": s.Status, "ops": s.Ops}
	if s.Status != record.OK {
		name += " (" + string(s.Status) + ")"
		args["reason"] = plain(s.Reason)
	}
	if s.FailedOps > 0 {
		args["failed_ops"] = s.FailedOps
	}
	slice(plain(name), string(s.Trial.Pass), s.StartNs, s.TookNs, args)
	if s.ForeignShare >= 0 {
		t.events = append(t.events, chromeEvent{Name: "other programs, % of the cores", Phase: "C", TS: micro(s.StartNs), PID: hostPID, Args: map[string]any{"share": 100 * s.ForeignShare}})
	}
}
