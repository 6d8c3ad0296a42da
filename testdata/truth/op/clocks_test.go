package op

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// The share of its time that an op computes decides its class: from the upper
// bound it is cpu-bound, up to the lower one io-bound. Overlapping the waits
// of an op at 0.8 could gain at most 1/0.8 = 1.25x, and as much a second core
// at 0.2.
const (
	ioBand  = 0.2
	cpuBand = 0.8
	// trials stand behind a share, their median decides.
	trials = 5
	// doublings is how often a trial's time is doubled while the trials do not
	// agree on a class.
	doublings = 3
	// busyHost is the share of the processors that other programs may take.
	busyHost = 0.15
)

// TestClocks holds each label against what the op does alone: CPU time of the
// process and its children over wall time, less the time for which its
// threads were ready and had no processor. Nothing of concprof is used.
func TestClocks(t *testing.T) {
	if !*measure {
		t.Skip("SKIPPED: measures for some minutes, with -measure")
	}
	startServers(t)
	for _, l := range labels(t) {
		if l.Target != "go" || l.Ambiguous {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			op := call(ops[l.Name])
			op(1) // what is built once is built now
			for i, span := 0, 200*time.Millisecond; ; i, span = i+1, 2*span {
				got := shares(op, span)
				t.Logf("%v a trial: %v", span, got)
				class, agreed := got.class()
				switch {
				case agreed && class == l.Class:
					return
				case got.foreign > busyHost:
					t.Skipf("SKIPPED: other programs took %.0f %% of the processors: %v", 100*got.foreign, got)
				case i >= doublings && agreed:
					t.Fatalf("the clocks say %s, the label %s: %v", class, l.Class, got)
				case i >= doublings:
					t.Skipf("SKIPPED: trials of %v do not agree: %v", span, got)
				}
			}
		})
	}
}

// observed is what the trials of an op measured.
type observed struct {
	low, high float64 // median share of CPU time, with and without the time of waiting for a processor
	spread    float64 // of the high one between trials
	foreign   float64
	ops       int
}

func (o observed) String() string {
	return fmt.Sprintf("it computes for %.3f to %.3f of its time (spread %.3f) in %d ops, others for %.2f of the processors'", o.low, o.high, o.spread, o.ops, o.foreign)
}

// class returns the class of both bounds, and whether they have the same.
func (o observed) class() (string, bool) {
	low, high := classOf(o.low), classOf(o.high)
	return high, low == high || high == "cpu-bound" && o.low > 0.5
}

func classOf(share float64) string {
	switch {
	case share >= cpuBand:
		return "cpu-bound"
	case share <= ioBand:
		return "io-bound"
	}
	return "mixed"
}

// shares runs the trials of an op, each for a span of time and whole rounds of
// ten ops, because some ops differ by the last digit of their number.
func shares(op func(int) error, span time.Duration) observed {
	var o observed
	var lows, highs []float64
	before := host()
	began := time.Now()
	own := time.Duration(0)
	for range trials {
		from, start := clocks(), time.Now()
		n := 0
		for time.Since(start) < span || n%10 != 0 && time.Since(start) < 10*span {
			op(n)
			n++
		}
		wall, to := time.Since(start), clocks()
		cpu, ready := to.cpu-from.cpu, min(to.ready-from.ready, wall*9/10)
		lows = append(lows, float64(cpu)/float64(wall))
		highs = append(highs, float64(cpu)/float64(wall-max(ready, 0)))
		own += cpu
		o.ops += n
	}
	slices.Sort(lows)
	slices.Sort(highs)
	o.low, o.high, o.spread = lows[trials/2], highs[trials/2], highs[trials-2]-highs[1]
	o.foreign = float64(host()-before-own) / float64(time.Since(began)) / float64(runtime.NumCPU())
	return o
}

// An instant is a reading of the clocks of this process.
type instant struct {
	cpu   time.Duration // its own and that of children that ended
	ready time.Duration // its threads had no processor
}

func clocks() instant {
	var r instant
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			r.cpu += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	stats, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, name := range stats {
		if text, err := os.ReadFile(name); err == nil {
			if f := bytes.Fields(text); len(f) > 1 {
				ns, _ := strconv.ParseInt(string(f[1]), 10, 64)
				r.ready += time.Duration(ns)
			}
		}
	}
	return r
}

// host returns the time for which the processors of this machine were busy.
func host() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	var busy int64 // user, nice, system; then idle, iowait; then irq, softirq, steal
	for i, f := range bytes.Fields(line) {
		if n, err := strconv.ParseInt(string(f), 10, 64); err == nil && i != 4 && i != 5 && i < 9 {
			busy += n
		}
	}
	return time.Duration(busy) * 10 * time.Millisecond // the kernel's USER_HZ is 100
}
