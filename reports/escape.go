package reports

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain returns s as printable text of one line: every rune that is not
// printable (controls, ESC, line ends, bidirectional overrides, invisible
// format characters) and every byte that is not UTF-8 is spelled as in a Go
// string literal. It is the escape of the terminal, and what every other
// escape begins with, because neither HTML nor Markdown stops U+202E.
func plain(s string) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || !printable(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case printable(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += n
	}
	return b.String()
}

// printable is unicode.IsPrint less the letters and symbols that show nothing:
// the Hangul fillers and the blank braille pattern, which can hide a name.
func printable(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800':
		return false
	}
	return unicode.IsPrint(r)
}

// short returns plain s, cut in the middle when it is wider than width
// columns: the ends of function names and paths tell them apart.
func short(s string, width int) string {
	s = plain(s)
	if columns(s) <= width {
		return s
	}
	if width < 4 {
		return fit(s, width)
	}
	head := (width - 1) / 3
	tail := width - 1 - head
	rs := []rune(s)
	i, n := 0, 0
	for ; i < len(rs) && n+runeColumns(rs[i]) <= head; i++ {
		n += runeColumns(rs[i])
	}
	j, n := len(rs), 0
	for ; j > i && n+runeColumns(rs[j-1]) <= tail; j-- {
		n += runeColumns(rs[j-1])
	}
	return string(rs[:i]) + "…" + string(rs[j:])
}

// code returns s as inline code of Markdown. GitHub links neither mentions
// nor issues inside code. Text with backticks, bars or outer spaces goes into
// a code element with every special character as an entity, which no Markdown
// construct, no table cell and no HTML can end early.
func code(s string) string {
	s = plain(s)
	switch {
	case s == "":
		return ""
	case strings.ContainsAny(s, "`|") || s[0] == ' ' || s[len(s)-1] == ' ' || Inert(s) != s:
		return "<code>" + entities(s) + "</code>"
	}
	return "`" + s + "`"
}

func entities(s string) string {
	var b strings.Builder
	for i, r := range s {
		inner := r == ' ' && i > 0 && i < len(s)-1
		if r >= utf8.RuneSelf || inner || unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// prose returns s as running text of Markdown: every character with a meaning
// carries a backslash, and a zero-width space keeps GitHub from making
// mentions and issue links of @name and #1.
func prose(s string) string {
	s = plain(s)
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '@' || r == '#':
			b.WriteByte('\\')
			b.WriteRune(r)
			b.WriteString("&#8203;")
		case r == '.' && i >= 3 && strings.EqualFold(s[i-3:i], "www"):
			b.WriteString(`\.`)
		case r == '/' && i > 0 && s[i-1] == ':':
			b.WriteString(`\/`)
		case r == '-' && i >= 2 && strings.EqualFold(s[i-2:i], "gh"):
			b.WriteString("-&#8203;")
		case strings.ContainsRune("\\`*_{}[]<>!|~&$", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case i == 0 && strings.ContainsRune("-+=", r), (r == '.' || r == ')') && numeral(s[:i]) && (i+1 == len(s) || s[i+1] == ' '):
			// These open a list or underline a heading.
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func numeral(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// fence returns lines as a fenced code block of Markdown whose fence is longer
// than any run of backticks in them.
func fence(lang string, lines []string) string {
	longest := 2
	var body strings.Builder
	for _, l := range lines {
		l = codeLine(l)
		run := 0
		for _, r := range l {
			if r != '`' {
				run = 0
				continue
			}
			run++
			longest = max(longest, run)
		}
		body.WriteString(l)
		body.WriteByte('\n')
	}
	f := strings.Repeat("`", longest+1)
	return f + lang + "\n" + body.String() + f + "\n"
}

// codeLine is plain for a line of source: its leading tabs stay.
func codeLine(s string) string {
	rest := strings.TrimLeft(s, "\t")
	return Inert(s[:len(s)-len(rest)] + plain(rest))
}

// nameValue returns s as a value within a benchmark's name: what is not a
// letter, a digit, a dot, an underscore or an inner dash is spelled in
// percent signs, so that two names never become one and no name ends early.
func nameValue(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() == 0 {
		return "%"
	}
	return b.String()
}
