package harness

import (
	"testing"
	"time"
)

func TestParseStart(t *testing.T) {
	const stat = "42 (a) S) 1) S 1 42 42 0 -1 4194560 103 0 0 0 0 1 0 0 20 0 1 0 4711 2281472 200 18446744073709551615\n"
	if got, ok := parseStart([]byte(stat)); !ok || got != 4711*clockTick {
		t.Errorf("started at %v, %t, want 47.11s", got, ok)
	}
	for _, bad := range []string{"", "42 (a) S 1", "42 a S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"} {
		if got, ok := parseStart([]byte(bad)); ok {
			t.Errorf("%q gives %v", bad, got)
		}
	}
	if a := age(); a < 0 || a > time.Hour {
		t.Errorf("this process is %v old", a)
	}
}
