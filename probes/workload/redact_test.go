package workload

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRedactor(t *testing.T) {
	r := NewRedactor([]string{"c4n4ry-value", "c4n4ry-value-2", "true", "postgres://app:p4ssw0rd@db/shop", "two words\nof \"lines\""})
	for text, want := range map[string]string{
		"":                                           "",
		"nothing to hide, is it true":                "nothing to hide, is it true",
		"key c4n4ry-value.":                          "key [redacted].",
		"keys c4n4ry-value-2.":                       "keys [redacted].",
		"dial postgres://app:p4ssw0rd@db/shop":       "dial [redacted]",
		"password p4ssw0rd is wrong":                 "password [redacted] is wrong",
		`get "https://me:x@example.com/a": EOF`:      `get "https://[redacted]@example.com/a": EOF`,
		"https://example.com/a:b@c and mail me@x.io": "https://example.com/a:b@c and mail me@x.io",
		"http://localhost:8080":                      "http://localhost:8080",
		"http://[::1]:8080":                          "http://[::1]:8080",

		// In other forms.
		`says "two words\nof \"lines\""`: `says "[redacted]"`,
		"q=two+words%0Aof+%22lines%22&x": "q=[redacted]&x",
		"only of \"lines\", it seems":    "only [redacted], it seems",

		// Cut to a length.
		"the key is c4n4ry-va":    "the key is [redacted]",
		`"the key is c4n4ry-va"…`: `"the key is [redacted]"…`,
		"ry-value is the key":     "[redacted] is the key",
		"the key is c4n4r":        "the key is c4n4r",
		"get https://me:passw0":   "get https://[redacted]",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := (*Redactor)(nil).Text("amqp://u:p@h"); got != "amqp://[redacted]@h" {
		t.Errorf("without secrets: %q", got)
	}
}

func TestCredentials(t *testing.T) {
	got := Credentials([]string{"GITHUB_TOKEN=1", "DB_PASSWORD=2", "AWS_SECRET_ACCESS_KEY=3", "MY_API_KEY=4", "PATH=/bin", "KEYBOARD=us", "broken", "pgpasswd=5"})
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5"}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzRedactor holds that no secret comes through, however a text is cut and
// whatever stands around it.
func FuzzRedactor(f *testing.F) {
	f.Add("https://me:", "@example.com", 3)
	f.Add("c4n4ry-", "-value", 0)
	f.Add("", "", 12)
	f.Fuzz(func(t *testing.T, before, after string, n int) {
		const secret = "c4n4ry-value"
		r := NewRedactor([]string{secret})
		whole := r.Text(before + secret + after)
		if strings.Contains(whole, secret) {
			t.Errorf("%q", whole)
		}
		if n = min(max(n, minSecret), len(secret)); strings.HasSuffix(r.Text(before+secret[:n]), secret[:n]) {
			t.Errorf("%q", r.Text(before+secret[:n]))
		}
	})
}

// What a file sets for a Python callable is as secret as what it sets for the
// workload.
func TestSecretsOfAFile(t *testing.T) {
	f := File{Workloads: []Workload{{
		Env:   []string{"NAME", "KEY=c4n4ry-1"},
		Steps: []Step{{Python: &Python{Sync: "f", Env: []string{"DSN=c4n4ry-2"}}}, {Python: &Python{Sync: "g"}}},
	}}}
	if diff := cmp.Diff([]string{"c4n4ry-1", "c4n4ry-2"}, f.Secrets()); diff != "" {
		t.Error(diff)
	}
}
