package workload

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration // -1 when it is refused
		back string
	}{
		{"20ms", 20 * time.Millisecond, "20ms"},
		{"1.5s", 1500 * time.Millisecond, "1.5s"},
		{"90s", 90 * time.Second, "1m30s"},
		{"60s", time.Minute, "1m"},
		{"120m", 2 * time.Hour, "2h"},
		{"1h1s", time.Hour + time.Second, "1h0m1s"},
		{"10m", 10 * time.Minute, "10m"},
		{"10h", 10 * time.Hour, "10h"},
		{"500us", 500 * time.Microsecond, "500us"},
		{"500µs", 500 * time.Microsecond, "500us"},
		{"0s", 0, "0s"},
		{"20", -1, ""}, {"-5s", -1, ""}, {"+5s", -1, ""}, {".5s", -1, ""}, {"5.s", -1, ""}, {"5 s", -1, ""},
		{"", -1, ""}, {"s", -1, ""}, {"1d", -1, ""}, {"9999999h", -1, ""}, {"1_0s", -1, ""}, {"1e3s", -1, ""}, {"infs", -1, ""},
	} {
		d, err := ParseDuration(tt.text)
		if tt.want < 0 {
			if err == nil {
				t.Errorf("%q is read as %v", tt.text, d)
			}
			continue
		}
		if err != nil || time.Duration(d) != tt.want || d.String() != tt.back {
			t.Errorf("%q is read as %v (%d), %v; want %q", tt.text, d, d, err, tt.back)
		}
	}
}

func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64 // -1 when it is refused
		back string
	}{
		{"64B", 64, "64B"}, {"4KiB", 4096, "4KiB"}, {"4096B", 4096, "4KiB"}, {"1.5KiB", 1536, "1536B"},
		{"200MB", 200e6, "200MB"}, {"1GB", 1e9, "1GB"}, {"1GiB", 1 << 30, "1GiB"}, {"1TB", 1e12, "1TB"},
		{"2kB", 2000, "2kB"}, {"2KB", 2000, "2kB"}, {"0B", 0, "0B"}, {"0.3B", 0, "0B"},
		{"64", -1, ""}, {"64K", -1, ""}, {"-1B", -1, ""}, {"1 KiB", -1, ""}, {"99999999TB", -1, ""}, {"KiB", -1, ""}, {"1e3B", -1, ""},
	} {
		n, err := ParseSize(tt.text)
		if tt.want < 0 {
			if err == nil {
				t.Errorf("%q is read as %v", tt.text, n)
			}
			continue
		}
		if err != nil || int64(n) != tt.want || n.String() != tt.back {
			t.Errorf("%q is read as %v (%d), %v; want %q", tt.text, n, int64(n), err, tt.back)
		}
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]Rate{"200/s": 200, "30/m": 0.5, "36/h": 0.01, "0.5/s": 0.5} {
		if r, err := ParseRate(text); err != nil || r != want {
			t.Errorf("%q is read as %v, %v", text, r, err)
		}
	}
	for _, text := range []string{"200", "/s", "5/d", "-1/s", "5 /s", "inf/s"} {
		if r, err := ParseRate(text); err == nil {
			t.Errorf("%q is read as %v", text, r)
		}
	}
}

// TestUnitsAreText holds that quantities are text with a unit wherever they
// are written.
func TestUnitsAreText(t *testing.T) {
	type all struct {
		D Duration
		S Size
		R Rate
	}
	want := all{Duration(time.Second), 1 << 20, 2.5}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(data); s != `{"D":"1s","S":"1MiB","R":"2.5/s"}` {
		t.Errorf("written as %s", s)
	}
	var got all
	if err := json.Unmarshal(data, &got); err != nil || got != want {
		t.Errorf("read back as %+v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"D":20}`), &got); err == nil {
		t.Error("a time without a unit is accepted")
	}
}

func TestConstraints(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Constraint
		back string
	}{
		{"p99 <= 50ms", Constraint{MetricP99, 50e6, false}, "p99 <= 50ms"},
		{"p50<1s", Constraint{MetricP50, 1e9, true}, "p50 < 1s"},
		{"rss <= 200MB", Constraint{MetricRSS, 200e6, false}, "rss <= 200MB"},
		{"threads <= 8", Constraint{MetricThreads, 8, false}, "threads <= 8"},
	} {
		c, err := ParseConstraint(tt.text)
		if err != nil || c != tt.want || c.String() != tt.back {
			t.Errorf("%q is read as %+v (%v), %v", tt.text, c, c, err)
		}
	}
	for _, text := range []string{"", "p99", "p99 <=", "p99 >= 5ms", "p99 <= 5", "rss <= 5ms", "p98 <= 5ms", "threads <= 1.5"} {
		if c, err := ParseConstraint(text); err == nil {
			t.Errorf("%q is read as %v", text, c)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"models", "measure", "event-loop", "max_ops", "go"}
	for s, want := range map[string]string{
		"modles": "models", "Models": "models", "mesure": "measure", "event_loop": "event-loop",
		"eventloop": "event-loop", "max-ops": "max_ops", "xyz": "", "": "", "og": "go",
	} {
		if got := Nearest(s, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", s, got, want)
		}
	}
	names = []string{"budget", "model", "runs", "verbose"}
	for s, want := range map[string]string{"bugdet": "budget", "models": "model", "run": "runs", "x": "", "frobnicate": ""} {
		if got := Nearest(s, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", s, got, want)
		}
	}
	for _, d := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"same", "same", 0}} {
		if got := distance(d.a, d.b); got != d.want {
			t.Errorf("distance(%q, %q) = %d, want %d", d.a, d.b, got, d.want)
		}
	}
}
