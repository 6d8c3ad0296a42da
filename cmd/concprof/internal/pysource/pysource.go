// Package pysource reads Python source without running it: which functions a
// file defines, and what they take. It looks at the text alone, so it knows
// neither what a decorator makes of a function nor names that are imported.
package pysource

import "os"

// maxBytes bounds a file that is read: what is larger was not written by
// hand.
const maxBytes = 1 << 20

// A Function is one that a file defines at its top level.
type Function struct {
	Name      string
	Line      int // 1-based
	Async     bool
	Generator bool // its body has a yield, as far as can be seen
	Decorated bool
	Params    []Param
}

// A Param is a parameter of a function.
type Param struct {
	Name       string
	Annotation string // the first word of it, "int", "list"; "" if there is none
	Default    bool   // may be left out: it has a default, or takes what is left
	// KeywordOnly parameters are never given an op's input.
	KeywordOnly bool
}

// Input returns the parameter that an op's input would be given to, nil if
// the function takes none. It reports false for a function that needs more
// than one argument, or one by name.
func (f *Function) Input() (*Param, bool) {
	var input *Param
	for i := range f.Params {
		p := &f.Params[i]
		switch {
		case p.Default:
		case p.KeywordOnly || input != nil:
			return nil, false
		default:
			input = p
		}
	}
	return input, true
}

// ReadFile returns the functions of a file.
func ReadFile(path string) ([]Function, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Functions(src), nil
}

// Functions returns the functions of a source text, in its order; of several
// of a name, the last, which is the one that an import finds.
func Functions(src []byte) []Function {
	l := lexer{src: src, line: 1}
	var found []Function
	at := map[string]int{}
	decorated := false
	for {
		t := l.next()
		if t.kind == end {
			return found
		}
		first := t
		async := t.is("async")
		if async {
			t = l.next()
		}
		switch {
		case first.column > 0 || first.kind == newline:
			// Of a body, or between statements.
			if n := len(found); n > 0 && first.is("yield") {
				found[n-1].Generator = true
			}
		case first.is("@"):
			decorated = true
		case t.is("def"):
			f := Function{Line: first.line, Async: async, Decorated: decorated}
			decorated = false
			if !l.signature(&f) {
				break
			}
			if i, again := at[f.Name]; again {
				found[i].Name = "" // hidden by this one
			}
			at[f.Name] = len(found)
			found = append(found, f)
		default:
			decorated = false
		}
		for t.kind != newline && t.kind != end {
			if n := len(found); n > 0 && first.column > 0 && t.is("yield") {
				found[n-1].Generator = true
			}
			t = l.next()
		}
	}
}

// signature reads what follows "def".
func (l *lexer) signature(f *Function) bool {
	name := l.next()
	if name.kind != word {
		return false
	}
	f.Name = name.text
	t := l.next()
	for depth := 0; t.is("[") || depth > 0; t = l.next() { // type parameters
		switch {
		case t.is("["):
			depth++
		case t.is("]"):
			depth--
		case t.kind == end || t.kind == newline:
			return false
		}
	}
	if !t.is("(") {
		return false
	}
	var p Param
	var before token
	keywordOnly, lambda := false, false
	add := func() {
		if p.Name != "" {
			p.KeywordOnly = keywordOnly && !p.Default
			f.Params = append(f.Params, p)
		}
		p = Param{}
	}
	for depth := 1; ; {
		t := l.next()
		switch {
		case t.kind == end || t.kind == newline:
			return false
		case t.is("(") || t.is("[") || t.is("{"):
			depth++
		case t.is(")") || t.is("]") || t.is("}"):
			if depth--; depth == 0 {
				add()
				return true
			}
		case depth > 1:
		case t.is("lambda"):
			lambda = true // its commas are its own
		case lambda:
			lambda = !t.is(":")
		case t.is(","):
			add()
		case t.is("*"):
			p.Default, keywordOnly = true, true // "*args", or what follows "*"
		case t.is("/"):
			p = Param{}
		case t.is("="):
			p.Default = true
		case t.kind == word && p.Name == "":
			p.Name = t.text
		case p.Annotation == "" && before.is(":"):
			p.Annotation = t.text
		}
		before = t
	}
}
