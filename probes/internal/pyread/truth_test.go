//go:build linux && (amd64 || arm64)

package pyread

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// points is how far the reader's shares of CPU time may be from the truth, in
// percentage points.
const points = 8

// TestTruth compares the shares of CPU time in Python, in C that holds the
// GIL and in C without it with what the threads' own clocks say.
func TestTruth(t *testing.T) {
	each(t, func(t *testing.T, python interpreter) {
		for _, mode := range []string{"mix_sequential", "mix_loop", "mix_pool"} {
			t.Run(mode, func(t *testing.T) {
				complaint := ""
				for d := 2 * time.Second; d <= 16*time.Second; d *= 2 {
					p := start(t, python, mode, "")
					r := watch(t, p.pid, d, Options{})
					if complaint = compare(t, r, p.stop()); complaint == "" {
						return
					}
				}
				t.Error(complaint)
			})
		}
	})
}

func compare(t *testing.T, r *Result, truth map[string]int64) string {
	seen := [3]float64{float64(r.Seen.PythonNs), float64(r.Seen.NativeGILNs), float64(r.Seen.NativeNs)}
	want := [3]float64{float64(truth["python"]), float64(truth["native_gil"]), float64(truth["native"])}
	all, wanted := 0.0, 0.0
	for i := range seen {
		all += seen[i]
		wanted += want[i]
	}
	if all == 0 || wanted == 0 {
		return fmt.Sprintf("nothing seen: %+v, truth %v", r.Seen, truth)
	}
	worst := 0.0
	for i := range seen {
		seen[i], want[i] = 100*seen[i]/all, 100*want[i]/wanted
		worst = max(worst, math.Abs(seen[i]-want[i]))
	}
	line := fmt.Sprintf("python/native with GIL/native: seen %.0f, truth %.0f; all %.2f of the truth; %d looks, %d torn",
		seen, want, all/wanted, r.Seen.Samples, r.Seen.Torn)
	t.Log(line)
	if worst > points {
		return line
	}
	return ""
}

// TestGILWait: of four threads that run Python only one can.
func TestGILWait(t *testing.T) {
	each(t, func(t *testing.T, python interpreter) {
		grow(t, python, "cpu", "4", Options{}, func(r *Result) string {
			all := times(r)
			if total := sum(all); total == 0 || float64(all[GILWait]) < 0.5*float64(total) {
				return fmt.Sprintf("waits for the GIL are not the majority: %v", all)
			}
			return ""
		})
	})
}

// TestWaits: each way to be blocked is told from the others.
func TestWaits(t *testing.T) {
	tests := []struct {
		mode, argument string
		want           record.Wait
		call           string // at the leaf
	}{
		{"sleep", "2", record.Timer, "<call> function"},
		{"recv", "", record.Network, "<call> ours.recv"},
		{"lock", "", record.Lock, "<call> mutex.acquire"},
		{"queue", "", record.Channel, "<call> waiter.acquire"},
		{"child", "", record.Subprocess, ""},
		{"selects", "", record.Network, ""},
		{"polls", "", record.Channel, ""},
	}
	each(t, func(t *testing.T, python interpreter) {
		for _, tt := range tests {
			t.Run(tt.mode, func(t *testing.T) {
				grow(t, python, tt.mode, tt.argument, Options{}, func(r *Result) string {
					blocked := r.Seen.BlockedNs
					if w := waits(r)[tt.want]; blocked == 0 || float64(w) < 0.8*float64(blocked) {
						return fmt.Sprintf("waits %v, want %s", waits(r), tt.want)
					}
					leaf := r.Stacks[0].Frames[0].Function
					if tt.call != "" && leaf != tt.call {
						return fmt.Sprintf("leaf %q, want %q", leaf, tt.call)
					}
					return ""
				})
			})
		}
	})
}

// TestFrames: names, files and lines, from the leaf to the anchor.
func TestFrames(t *testing.T) {
	each(t, func(t *testing.T, python interpreter) {
		grow(t, python, "lock", "", Options{}, func(r *Result) string {
			if len(r.Stacks) == 0 {
				return "no stacks"
			}
			f := r.Stacks[0].Frames
			if len(f) != 3 || f[1].Function != "lock.<locals>.acquire" || !strings.HasSuffix(f[1].File, "/concprof_probe.py") ||
				f[0].Line != f[1].Line || f[1].Line < 100 || f[2] != (record.Frame{Function: Anchor}) {
				return fmt.Sprintf("frames %+v", f)
			}
			return ""
		})
	})
}

// TestAsync: the anchor of coroutines is the same root, and the loop itself,
// asleep in its selector, is no op.
func TestAsync(t *testing.T) {
	each(t, func(t *testing.T, python interpreter) {
		grow(t, python, "async_sleep", "", Options{}, func(r *Result) string {
			if r.Seen.BlockedNs > r.Seen.WindowNs/2 {
				return fmt.Sprintf("the loop counts as an op: %+v", r.Seen)
			}
			for _, s := range r.Stacks {
				if root := s.Frames[len(s.Frames)-1]; root.Function != Anchor {
					return fmt.Sprintf("root %+v", root)
				}
			}
			if r.Seen.PythonNs == 0 {
				return "no step was seen"
			}
			return ""
		})
	})
}
