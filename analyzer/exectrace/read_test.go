package exectrace_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/analyzer/exectrace"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/record"
)

// leading returns the wait that most time of an op goes into and its share, ""
// for an op that runs, or is ready to, for more than half of it.
func leading(w profile.WaitShares) (record.Wait, float64) {
	best, most := record.Wait(""), 0.5*float64(w.Samples)
	for _, k := range record.Waits() {
		if n := float64(w.Blocked[k] + w.Ambiguous[k]); n > most {
			best, most = k, n
		}
	}
	return best, most / float64(w.Samples)
}

// check holds an account to what is known of its op.
func check(t *testing.T, o op, a *exectrace.Account) {
	t.Helper()
	for _, x := range []struct {
		what string
		in   profile.WaitShares
		want record.Wait
	}{{"direct", a.Direct, o.direct}, {"resolved", a.Resolved, o.resolved}} {
		if got, share := leading(x.in); got != x.want {
			t.Errorf("%s: %q leads with %.2f, want %q: %+v", x.what, got, share, x.want, x.in)
		}
		sum := x.in.Running + x.in.Runnable
		for _, k := range record.Waits() {
			sum += x.in.Blocked[k] + x.in.Ambiguous[k]
		}
		if sum != x.in.Samples || sum <= 0 {
			t.Errorf("%s: the parts add up to %d of %d ns", x.what, sum, x.in.Samples)
		}
	}
	if !a.Ended {
		t.Error("the end of the ops is not found")
	}
	if collects := o.name == "garbage"; collects != (a.AssistNs+a.Direct.GC > 0) && o.name != "http" {
		t.Errorf("helping the collector %d ns, waiting for it %d", a.AssistNs, a.Direct.GC)
	}
}

// TestRecorded holds the reader to traces of ops whose waits are known.
func TestRecorded(t *testing.T) {
	for _, o := range ops() {
		t.Run(o.name, func(t *testing.T) {
			if *update {
				keep(t, o)
			}
			a, err := exectrace.Read(read(t, o.name))
			if err != nil {
				t.Fatal(err)
			}
			check(t, o, a)
			// Of all ops one waits for a goroutine that computes.
			if share := float64(a.ComputedNs) / float64(a.Direct.Samples); o.name == "ping-pong" && share < 0.5 || o.name != "ping-pong" && share > 0.2 {
				t.Errorf("the others computed for %.2f of its time", share)
			}
		})
	}
}

// keep writes the trace of an op to testdata. Traces name source files: those
// of a build with -trimpath do so without the folders of whoever made it.
func keep(t *testing.T, o op) {
	t.Helper()
	data := recorded(t, o, 20*time.Millisecond)
	if wd, err := os.Getwd(); err != nil || bytes.Contains(data, []byte(wd)) {
		t.Fatalf("record with -trimpath: the trace names %s, %v", wd, err)
	}
	if err := os.WriteFile(testdata(o.name), data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestLive holds the tracer of this Go version, under this load, to the same.
// What leads is looked at longer where the machine is busy.
func TestLive(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: ops are traced")
	}
	for _, o := range ops() {
		if o.name == "garbage" || o.name == "spin" || o.name == "ping-pong" {
			continue // what they do beside other load is the machine's matter
		}
		t.Run(o.name, func(t *testing.T) {
			for d := 50 * time.Millisecond; ; d *= 4 {
				a, err := exectrace.Read(recorded(t, o, d))
				if err != nil {
					t.Fatal(err)
				}
				direct, _ := leading(a.Direct)
				if resolved, _ := leading(a.Resolved); direct == o.direct && resolved == o.resolved || d > time.Second {
					check(t, o, a)
					return
				}
			}
		})
	}
}

// TestReadRefuses holds that what is no whole trace of ops is refused with the
// reason.
func TestReadRefuses(t *testing.T) {
	whole := read(t, "sleep")
	batches := func(n int, thread func(i int) uint64) []byte {
		data := bytes.Clone(whole[:16])
		for i := range n {
			data = append(data, 1, 1)
			data = binary.AppendUvarint(data, thread(i))
			data = append(data, 1, 0)
		}
		return data
	}
	tests := []struct {
		name string
		data []byte
		want string
		not  bool // a trace at all
	}{
		{"nothing", nil, "no header", true},
		{"another file", []byte("<html><body>not found</body></html>"), "no header", true},
		{"an older version", append([]byte("go 1.21 trace\x00\x00\x00"), whole[16:]...), "Go 1.21 are not read", false},
		{"a version to come", append([]byte("go 1.99 trace\x00\x00\x00"), whole[16:]...), "version go 1.99", true},
		{"header only", whole[:16], "no mark", false},
		{"cut", whole[:len(whole)/2], "cut within a batch", true},
		{"the last byte is missing", whole[:len(whole)-1], "incomplete generation", true},
		{"too large", make([]byte, record.MaxTraceBytes+1), "more than", false},
		{"many threads", batches(100, func(i int) uint64 { return uint64(i) }), "more than 64 threads", false},
		{"many batches", batches(20_000, func(int) uint64 { return 1 }), "more than 10000 batches", false},
		{"of another program", bytes.ReplaceAll(whole, []byte("concprof"), []byte("somebody")), "no mark", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := exectrace.Read(tt.data)
			if a != nil || err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, exectrace.ErrNotTrace) != tt.not {
				t.Errorf("%+v, %v, want %q", a, err, tt.want)
			}
		})
	}
	l := exectrace.DefaultLimits()
	l.Events = 10
	if _, err := l.Read(whole); err == nil || !strings.Contains(err.Error(), "more than 10 events") {
		t.Errorf("with a limit of events: %v", err)
	}
}
