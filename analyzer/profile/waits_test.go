package profile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/analyzer/profile/internal/harness"
	"github.com/concprof/concprof/probes/record"
)

// checkWaits tells what is wrong with the waits that were read of an op whose
// kind is known; "" if nothing is.
func checkWaits(o op, w profile.WaitShares, least int64) string {
	if w.Samples < least {
		return fmt.Sprintf("%d samples of ops, want at least %d", w.Samples, least)
	}
	var sum int64
	for _, n := range w.Blocked {
		sum += n
	}
	for _, n := range w.Ambiguous {
		sum += n
	}
	if sum+w.Running != w.Samples {
		return fmt.Sprintf("running %d + waiting %d is not %d samples", w.Running, sum, w.Samples)
	}
	if o.kind == "" {
		if share := float64(w.Running) / float64(w.Samples); share < 0.9 {
			return fmt.Sprintf("running %.2f of the samples, want >= 0.9: %+v", share, w)
		}
		return ""
	}
	// What holds a lock is one of n: the others wait.
	want := 0.8 * float64(max(o.n-1, 1)) / float64(o.n)
	if got := w.Share(o.kind); got < want {
		return fmt.Sprintf("%s is %.2f of the samples, want >= %.2f: %+v", o.kind, got, want, w)
	}
	if places := w.Places[o.kind]; len(places) == 0 || places[0].Function != pkg+o.at || !strings.HasSuffix(places[0].File, "ops_test.go") || places[0].Line == 0 {
		return fmt.Sprintf("waits in %+v, want %s", places, o.at)
	}
	return ""
}

func TestWaitsRecorded(t *testing.T) {
	for _, o := range ops() {
		t.Run(o.name, func(t *testing.T) {
			if *update {
				rerecord(t, o)
			}
			_, wall := recorded(t, o.name)
			w := profile.Waits(wall, "")
			if problem := checkWaits(o, w, 20); problem != "" {
				t.Error(problem)
			}
			if w.Ticks < 20 {
				t.Errorf("%d ticks of the metronome", w.Ticks)
			}
			if all := w.Truncated == w.Samples; all != (o.name == "deep") {
				t.Errorf("%d of %d samples truncated", w.Truncated, w.Samples)
			}
		})
	}
}

// TestWaitsLive holds what testdata says against the Go that runs the test:
// the names of the runtime's and the libraries' functions change.
func TestWaitsLive(t *testing.T) {
	for _, o := range ops() {
		t.Run(o.name, func(t *testing.T) {
			run := o.run(t)
			var problem string
			// On a busy machine a short window may be unlucky.
			for window := 150 * time.Millisecond; window <= 1200*time.Millisecond; window *= 2 {
				r, err := harness.Record(run, o.n, window)
				if err != nil {
					t.Fatal(err)
				}
				wall, err := profile.Read(r.Wall)
				if err != nil {
					t.Fatal(err)
				}
				if problem = checkWaits(o, profile.Waits(wall, profile.Anchor), 5); problem == "" {
					return
				}
			}
			t.Error(problem)
		})
	}
}

func TestWaitsAddsTrials(t *testing.T) {
	_, a := recorded(t, "http")
	_, b := recorded(t, "sleep")
	x, y, both := profile.Waits(a, ""), profile.Waits(b, ""), profile.Options{}.Waits(a, nil, b)
	if both.Samples != x.Samples+y.Samples || both.Blocked[record.Network] != x.Blocked[record.Network]+y.Blocked[record.Network] {
		t.Errorf("together %+v, apart %+v and %+v", both, x, y)
	}
}
