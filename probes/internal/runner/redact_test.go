package runner

import "testing"

func TestRedactor(t *testing.T) {
	r := NewRedactor([]string{"c4n4ry-value", "true", "postgres://app:p4ssw0rd@db/shop"})
	for text, want := range map[string]string{
		"nothing to hide, is it true":                "nothing to hide, is it true",
		"key c4n4ry-value.":                          "key [redacted].",
		"dial postgres://app:p4ssw0rd@db/shop":       "dial [redacted]",
		"password p4ssw0rd is wrong":                 "password [redacted] is wrong",
		`get "https://me:x@example.com/a": EOF`:      `get "https://[redacted]@example.com/a": EOF`,
		"https://example.com/a:b@c and mail me@x.io": "https://example.com/a:b@c and mail me@x.io",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := (*Redactor)(nil).Text("amqp://u:p@h"); got != "amqp://[redacted]@h" {
		t.Errorf("without secrets: %q", got)
	}
}
