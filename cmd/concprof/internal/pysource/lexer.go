package pysource

import "bytes"

// kind is what a token is, as far as it matters here.
type kind int

const (
	end     kind = iota
	newline      // of a statement: not within brackets, nor after a backslash
	word         // a name, a keyword or a number
	text         // a string
	mark         // any other character
)

type token struct {
	kind   kind
	text   string
	line   int // 1-based
	column int // of a statement's first token: how far it is indented; else 1
}

// is reports whether t is a word or mark; a string is none.
func (t token) is(s string) bool { return t.text == s && t.kind != text }

// A lexer cuts Python source into tokens.
type lexer struct {
	src   []byte
	at    int
	line  int
	depth int  // of brackets
	begun bool // the statement has
	start int  // of the line, in src
}

func (l *lexer) peek(n int) byte {
	if l.at+n < len(l.src) {
		return l.src[l.at+n]
	}
	return 0
}

// next returns the next token. A string has no text but that it is one.
func (l *lexer) next() token {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '\n':
			ended := l.begun && l.depth == 0
			l.newLine()
			if ended {
				l.begun = false
				return token{kind: newline, line: l.line - 1, column: 1}
			}
		case c == '\\' && (l.peek(1) == '\n' || l.peek(1) == '\r' && l.peek(2) == '\n'):
			l.at++
			if l.src[l.at] == '\r' {
				l.at++
			}
			l.newLine()
		case c == '#':
			if n := bytes.IndexByte(l.src[l.at:], '\n'); n >= 0 {
				l.at += n
			} else {
				l.at = len(l.src)
			}
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || l.at == 0 && bytes.HasPrefix(l.src, []byte("\ufeff")):
			if c == 0xef {
				l.at, l.start = 3, 3
				continue
			}
			l.at++
		default:
			return l.token()
		}
	}
	if l.begun {
		l.begun = false
		return token{kind: newline, line: l.line, column: 1}
	}
	return token{kind: end, line: l.line}
}

func (l *lexer) newLine() {
	l.at++
	l.line++
	l.start = l.at
}

// token returns the token that begins here.
func (l *lexer) token() token {
	t := token{kind: mark, line: l.line, column: 1}
	if !l.begun {
		t.column = l.at - l.start
		l.begun = true
	}
	begin := l.at
	for l.at < len(l.src) && isWord(l.src[l.at]) {
		l.at++
	}
	switch c := l.peek(0); {
	case (c == '"' || c == '\'') && l.at-begin <= 3: // with a prefix such as rb
		t.kind = text
		l.skipString(c)
	case l.at > begin:
		t.kind, t.text = word, string(l.src[begin:l.at])
	default:
		t.text = string(c)
		l.at++
		switch c {
		case '(', '[', '{':
			l.depth++
		case ')', ']', '}':
			l.depth = max(l.depth-1, 0)
		}
	}
	return t
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// skipString goes past a string. One of single quotes ends with its line, if
// nothing else ends it: what follows can still be read then.
func (l *lexer) skipString(quote byte) {
	long := l.peek(1) == quote && l.peek(2) == quote
	l.at++
	if long {
		l.at += 2
	}
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '\\' && l.peek(1) != 0:
			if l.peek(1) == '\n' {
				l.line++
				l.start = l.at + 2
			}
			l.at += 2
		case c == '\n' && !long:
			return
		case c == '\n':
			l.newLine()
		case c == quote && !long:
			l.at++
			return
		case c == quote && l.peek(1) == quote && l.peek(2) == quote:
			l.at += 3
			return
		default:
			l.at++
		}
	}
}
