package runner

import (
	"testing"
	"time"
)

func TestParseProcStat(t *testing.T) {
	const text = "cpu  100 20 30 1000 50 6 4 7 11 3\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
	busy, all, steal := parseProcStat([]byte(text))
	// Guests are in user and nice already; idle, iowait and steal are not busy.
	if busy != 1600*time.Millisecond || all != 12170*time.Millisecond || steal != 70*time.Millisecond {
		t.Errorf("busy %v, all %v, steal %v", busy, all, steal)
	}
	for _, text := range []string{"", "cpu", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8", "cpu a b c d e f g h"} {
		if busy, all, _ := parseProcStat([]byte(text)); busy != -1 || all != -1 {
			t.Errorf("%q: busy %v, all %v", text, busy, all)
		}
	}
}

func TestParsePressure(t *testing.T) {
	const text = "some avg10=1.53 avg60=0.87 avg300=0.30 total=157622\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
	if got := parsePressure([]byte(text)); got != 157622*time.Microsecond {
		t.Errorf("pressure %v", got)
	}
	for _, text := range []string{"", "full total=1", "some total=x"} {
		if got := parsePressure([]byte(text)); got != -1 {
			t.Errorf("%q: pressure %v", text, got)
		}
	}
}

func TestParseCPUStat(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"usage_usec 5\nnr_periods 3\nthrottled_usec 250\n": 250 * time.Microsecond,
		"nr_periods 3\nthrottled_time 250\n":               250,
		"usage_usec 5\n":                                   0, // no quota
	} {
		if got := parseCPUStat([]byte(text)); got != want {
			t.Errorf("%q: throttled %v, want %v", text, got, want)
		}
	}
}
