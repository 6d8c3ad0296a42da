package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/concprof/concprof/probes"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// watch feeds a progress with a run of trials that take trial each, and
// returns what it wrote.
func watch(t *testing.T, a *app, trial time.Duration) string {
	t.Helper()
	var out bytes.Buffer
	now := time.Unix(0, 0)
	a.Env.Stderr, a.Env.Now = &out, func() time.Time { return now }
	p := newProgress(a)
	var trials []plan.Trial
	for _, pass := range []plan.Pass{plan.Dry, plan.Classify, plan.Timing} {
		for i, m := range []model.Model{model.Sequential, model.Pool, model.Pool} {
			if pass != plan.Timing && i > 0 {
				break
			}
			for range 5 {
				n := 1
				if i > 0 {
					n = 8 * i
				}
				trials = append(trials, plan.Trial{ID: "t1", Pass: pass, Cell: plan.Cell{Workload: "lookup", Model: m, Concurrency: n}})
			}
		}
	}
	at := probes.Progress{Planned: len(trials), Budget: time.Minute, Decision: &plan.Decision{}}
	p.update(probes.Progress{Note: "waiting\x1b[31m for a server"})
	for i, tr := range trials {
		at.Finished, at.Trial, at.Record = i, tr, nil
		p.update(at)
		now = now.Add(trial)
		at.Record = &record.Record{Status: record.OK, Ops: int64(100 * tr.Cell.Concurrency), WallNs: 1e9, Dry: &record.Dry{OpNs: 2e6, Result: "ok\x1b]0;x\x07"}}
		if i == 7 {
			at.Record = &record.Record{Status: record.Crashed, Reason: "signal\nsegv"}
		}
		at.Finished++
		at.Spent = time.Duration(i+1) * trial
		p.update(at)
	}
	p.close()
	return out.String()
}

func TestProgressPlain(t *testing.T) {
	got := watch(t, &app{Env: &Env{}}, time.Second)
	for _, want := range []string{
		"lookup: dry run, trial 1 of ~25, 1m left\n",
		"lookup: classifying, trial 6 of ~25, 55s left\n",
		"lookup: timing, trial 11 of ~25, 50s left\n",
		"lookup: one op took 2.00 ms and returned ok",
		"crashed: signal",
		"waiting",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "timing"); n != 1 {
		t.Errorf("the pass is announced %d times", n)
	}
	for _, r := range got {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%U written where no terminal is:\n%q", r, got)
		}
	}
}

func TestProgressQuiet(t *testing.T) {
	if got := watch(t, &app{Env: &Env{StderrTerminal: true}, quiet: true}, time.Second); got != "" {
		t.Errorf("quiet wrote %q", got)
	}
}

func TestProgressLive(t *testing.T) {
	for _, width := range []int{0, 10, 40, 80, 200} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			got := watch(t, &app{Env: &Env{StderrTerminal: true, Width: width}}, time.Second)
			if !strings.HasSuffix(got, "\r\x1b[K") {
				t.Error("the line stays when the run is over")
			}
			limit := width
			if limit == 0 {
				limit = 80
			}
			for _, l := range strings.Split(got, "\r\x1b[K") {
				// What ends with a line end stays above the live line and may wrap.
				if !strings.HasSuffix(l, "\n") && len([]rune(l)) >= limit {
					t.Errorf("a live line of %d columns on a terminal of %d: %q", len([]rune(l)), limit, l)
				}
			}
			if width == 200 && !strings.Contains(got, "lookup pool at 16  timing  best pool at 16, 1600 ops/s (16.0x)  ") {
				t.Errorf("no best so far in\n%q", got)
			}
		})
	}
}

// TestProgressRate draws at most ten times a second, however short the trials.
func TestProgressRate(t *testing.T) {
	got := watch(t, &app{Env: &Env{StderrTerminal: true, Width: 80}}, time.Millisecond)
	if n := strings.Count(got, "/~25"); n > 10 {
		t.Errorf("%d drawings in 25 ms", n)
	}
}

// Levels that a decision adds are told once, with --verbose.
func TestProgressAdditions(t *testing.T) {
	added := plan.Addition{Cell: plan.Cell{Workload: "lookup", Model: model.Pool, Concurrency: 128}, Reason: "it still gained 1.9x from 32 to 64 in flight"}
	for _, verbose := range []bool{true, false} {
		var out bytes.Buffer
		p := newProgress(&app{Env: &Env{Stderr: &out}, verbose: verbose})
		at := probes.Progress{Decision: &plan.Decision{Added: []plan.Addition{added}}, Trial: plan.Trial{ID: "t1", Pass: plan.Pilot, Cell: added.Cell}}
		p.update(at)
		at.Record = &record.Record{Status: record.OK, Ops: 128, WallNs: 1e9}
		p.update(at)
		told := strings.Contains(out.String(), "lookup: pool at 128 is added: it still gained 1.9x")
		if told != verbose || strings.Count(out.String(), "is added") > 1 {
			t.Errorf("verbose %t: told %t:\n%s", verbose, told, out.String())
		}
	}
}
