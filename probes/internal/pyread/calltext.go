package pyread

import "strings"

// maxCallText bounds the text of a call, in bytes.
const maxCallText = 80

// callText returns what is called in the source text of a call expression:
// "time.sleep" for "time.sleep(0.1)", "session.get().json" for
// `session.get(url, auth=("me", "secret")).json()`. Arguments and the
// contents of literals are left out: they may be secrets. ok is false for
// text that is no call.
func callText(src string) (text string, ok bool) {
	var b strings.Builder
	depth, call := 0, -1 // call: the length of b in front of the last call's bracket
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case c == '"' || c == '\'':
			end := endOfString(src[i:])
			if end < 0 {
				return "", false
			}
			if depth == 0 {
				b.WriteString(`""`)
				call = -1
			}
			i += end - 1
		case c == '#':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case c == '(' || c == '[' || c == '{':
			if depth == 0 {
				call = -1
				if c == '(' && b.Len() > 0 {
					call = b.Len()
				}
				b.WriteByte(c)
			}
			depth++
		case c == ')' || c == ']' || c == '}':
			if depth--; depth < 0 {
				return "", false
			}
			if depth == 0 {
				b.WriteByte(c)
			}
		case depth > 0 || c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\\':
		case c != '.' && c != '_' && c < 0x80 && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z'):
			return "", false // an operator, or a statement: no call
		default:
			b.WriteByte(c)
			call = -1
		}
	}
	if depth != 0 || call < 0 {
		return "", false
	}
	text = b.String()[:call]
	if len(text) > maxCallText {
		text = "..." + strings.ToValidUTF8(text[len(text)-maxCallText+3:], "")
	}
	return strings.ToValidUTF8(text, "?"), true
}

// endOfString returns the length of the string literal with which src begins,
// -1 if it does not end.
func endOfString(src string) int {
	quote := src[:1]
	if strings.HasPrefix(src[1:], quote+quote) {
		quote = src[:3]
	}
	for i := len(quote); i < len(src); i++ {
		if src[i] == '\\' {
			i++
		} else if strings.HasPrefix(src[i:], quote) {
			return i + len(quote)
		}
	}
	return -1
}
