package profile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/pprof/profile"
)

// The most runes of a name that came from a workload.
const (
	maxNameRunes  = 256  // functions, labels
	maxFileRunes  = 1024 // file names
	maxLabelRunes = 128
)

// clean makes every text in p safe to print and to draw, in place. pprof
// prints the ESC bytes of function names raw and does not escape labels in its
// graphs, so both are made harmless before anything sees them.
func clean(p *profile.Profile) {
	for _, f := range p.Function {
		f.Name = CleanName(f.Name)
		f.SystemName = f.Name
		f.Filename = CleanFile(f.Filename)
	}
	for _, m := range p.Mapping {
		m.File = cleanText(m.File, maxFileRunes)
		m.BuildID = CleanLabel(m.BuildID)
		m.KernelRelocationSymbol = ""
	}
	for _, s := range p.Sample {
		s.Label = cleanLabels(s.Label)
		s.NumLabel, s.NumUnit = nil, nil
	}
	for _, t := range p.SampleType {
		t.Type, t.Unit = CleanLabel(t.Type), CleanLabel(t.Unit)
	}
	if t := p.PeriodType; t != nil {
		t.Type, t.Unit = CleanLabel(t.Type), CleanLabel(t.Unit)
	}
	p.DefaultSampleType = CleanLabel(p.DefaultSampleType)
	// Comments and a link to documentation are shown to people, so none stays
	// but the one that tells how to read the profile; the frame filters are
	// regular expressions that pprof would run.
	python := ofPython(p)
	if p.Comments, p.DocURL = nil, ""; python {
		p.Comments = []string{pythonReader}
	}
	p.DropFrames, p.KeepFrames = "", ""
}

// CleanName returns the name of a function or file as it may be printed: at
// most 256 runes, control characters made visible.
func CleanName(s string) string { return cleanText(s, maxNameRunes) }

// CleanFile returns the name of a file as it may be printed: as CleanName, but
// at most 1,024 runes.
func CleanFile(s string) string { return cleanText(s, maxFileRunes) }

// CleanLabel returns a label's key or value as it may stand in a profile:
// what is not in [A-Za-z0-9_.:/ -] becomes "_". It is the only door for text
// into labels.
func CleanLabel(s string) string {
	i := 0
	for i < len(s) && labelByte(s[i]) {
		i++
	}
	if i == len(s) && i <= maxLabelRunes {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxLabelRunes {
			break
		}
		if r < utf8.RuneSelf && labelByte(byte(r)) {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

func labelByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == '.' || c == ':' || c == '/' || c == ' ' || c == '-'
}

func cleanLabels(labels map[string][]string) map[string][]string {
	for k, vs := range labels {
		if CleanLabel(k) != k {
			// A key of that form is nobody's that we know.
			delete(labels, k)
			continue
		}
		for i, v := range vs {
			vs[i] = CleanLabel(v)
		}
	}
	return labels
}

// cleanText cuts s to limit runes and makes control characters, characters
// that turn the direction of text and invalid bytes visible as \x1b or
// \u202e. Plain ASCII, which nearly all names are, is returned as it is.
func cleanText(s string, limit int) string {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	if i == len(s) && i <= limit {
		return s
	}
	var b strings.Builder
	n := 0
	for i, r := range s {
		if n++; n > limit {
			b.WriteString("…")
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r < utf8.RuneSelf && unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
