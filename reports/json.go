package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/probes/record"
)

// jsonDocument is the Result as its contract has it, indented, with empty
// lists as [] and never null. Runes that are not printable are written as
// \uXXXX, so that printing the document on a terminal shows them and does
// nothing else, and so is a "#" that a CI runner could take for the beginning
// of a command; the values that a decoder reads are unchanged.
func jsonDocument(res *analyzer.Result, against *compare.Comparison) ([]byte, error) {
	out, err := json.MarshalIndent(struct {
		*analyzer.Result
		Against *compare.Comparison `json:"against,omitempty"`
	}{listed(res), against}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return visible(out), nil
}

// visible writes the runes of a JSON document that are not printable as
// \uXXXX, and ends it with a newline.
func visible(out []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(out) + 1)
	for i := 0; i < len(out); {
		r, n := utf8.DecodeRune(out[i:])
		switch {
		case r == '#' && bytes.HasPrefix(out[i:], []byte("##[")):
			b.WriteString(`\u0023`)
		case r == '\n' || printable(r):
			b.Write(out[i : i+n])
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
		i += n
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// listed is a copy of res whose nil lists are empty ones.
func listed(res *analyzer.Result) *analyzer.Result {
	c := *res
	c.Warnings = list(c.Warnings)
	c.Workloads = append([]analyzer.Workload{}, c.Workloads...)
	for i := range c.Workloads {
		w := &c.Workloads[i]
		w.Limits, w.Cells, w.Scaling = list(w.Limits), list(w.Cells), list(w.Scaling)
		w.Profiles, w.Evidence, w.Warnings = list(w.Profiles), list(w.Evidence), list(w.Warnings)
		if w.Waits == nil {
			w.Waits = map[record.Wait]float64{}
		}
		if w.Recommendation != nil {
			r := *w.Recommendation
			r.Ties, r.Why, r.Code = list(r.Ties), list(r.Why), list(r.Code)
			w.Recommendation = &r
		}
	}
	return &c
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
