package runner

import (
	"bytes"
	"testing"

	"github.com/concprof/concprof/probes/workload"
)

// FuzzRedactProfile reads any bytes: what comes out is a profile in which no
// text holds the secret, and is not changed by another round.
func FuzzRedactProfile(f *testing.F) {
	f.Add(testProfile("main.work", "label c4n4ry-value"))
	f.Add(testProfile())
	f.Add(testProfile("a")[:20])
	f.Add([]byte("<html>"))
	r := workload.NewRedactor([]string{"c4n4ry-value"})
	f.Fuzz(func(t *testing.T, data []byte) {
		clean, err := redactProfile(r, data)
		if err != nil {
			return
		}
		again, err := redactProfile(r, clean)
		if err != nil || !bytes.Equal(clean, again) {
			t.Errorf("a second round: %v", err)
		}
		for raw := unzip(t, clean); len(raw) > 0; {
			field, body, n := protoField(raw)
			if field == fieldString && bytes.Contains(body, []byte("c4n4ry-value")) {
				t.Errorf("kept %q", body)
			}
			raw = raw[n:]
		}
	})
}
