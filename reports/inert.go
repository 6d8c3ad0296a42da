package reports

import "strings"

// Inert returns text in which a CI runner finds no command. GitHub's runner
// takes a line of a step's output for one if it begins with "::" after any
// space, or holds "##[" anywhere; a workload's words must not mask, annotate or
// end anything there. The first character of either is spelled as in a Go
// string literal.
func Inert(text string) string {
	if !strings.Contains(text, "::") && !strings.Contains(text, "##[") {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if rest := strings.TrimLeft(line, " \t"); strings.HasPrefix(rest, "::") {
			line = line[:len(line)-len(rest)] + `\x3a` + rest[1:]
		}
		b.WriteString(strings.ReplaceAll(line, "##[", `\x23#[`))
	}
	return b.String()
}

// Printable returns text of several lines that can steer neither a terminal nor
// a CI runner: what is not printable but a tab or the end of a line is spelled
// as in a Go string literal.
func Printable(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		body, whole := strings.CutSuffix(line, "\n")
		for i, part := range strings.Split(body, "\t") {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(plain(part))
		}
		if whole {
			b.WriteByte('\n')
		}
	}
	return Inert(b.String())
}
