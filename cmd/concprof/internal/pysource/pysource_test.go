package pysource

import (
	"fmt"
	"strings"
	"testing"
)

// show writes a function as a line.
func show(f Function) string {
	if f.Name == "" {
		return "hidden"
	}
	s := fmt.Sprintf("%d %s", f.Line, f.Name)
	for _, p := range f.Params {
		s += " " + p.Name
		if p.Annotation != "" {
			s += ":" + p.Annotation
		}
		if p.Default {
			s += "="
		}
		if p.KeywordOnly {
			s += "!"
		}
	}
	for word, is := range map[string]bool{"async": f.Async} {
		if is {
			s += ", " + word
		}
	}
	if f.Generator {
		s += ", generator"
	}
	if f.Decorated {
		s += ", decorated"
	}
	return s
}

func TestFunctions(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"plain", "def f(): pass\n", "1 f"},
		{"async", "import x\n\nasync def f(n):\n    await x\n", "3 f n, async"},
		{"no newline at the end", "def f(a, b=1): return a", "1 f a b="},
		{"annotations", "def f(a: int, b: 'str' = 'x,y', *, c: list[int], d=None) -> dict[str, int]:\n  pass\n", "1 f a:int b= c:list! d="},
		{"args and kwargs", "def f(a, /, *args, **kwargs): pass\n", "1 f a args= kwargs="},
		{"several lines", "def f(\n    a,  # a comment, with a comma\n    b=(1, 2),\n):\n    pass\n", "1 f a b="},
		{"a default with strings and brackets", "def f(a=\"),(\", b={1: [2]}, c=lambda x, y: (x)): pass\n", "1 f a= b= c="},
		{"methods and nested ones are none", "class C:\n    def m(self): pass\ndef f():\n    def g(): pass\n", "3 f"},
		{"in a string", "\"\"\"\ndef no(): pass\n\"\"\"\nx = 'def no2(): pass'\ndef yes(): pass\n", "5 yes"},
		{"in brackets", "x = (\ndef_,\n)\ndef f(): pass\n", "4 f"},
		{"after a backslash", "x = \\\n1\ndef f(): pass\n", "3 f"},
		{"a generator", "def f():\n    for i in x:\n        yield i\n", "1 f, generator"},
		{"a generator in an expression", "def f():\n    a = yield\n", "1 f, generator"},
		{"not a generator", "def f():\n    'yield'\n    # yield\n    return x.yielded\n", "1 f"},
		{"decorated", "@app.task(name='x')\ndef f(): pass\n\nx = 1\ndef g(): pass\n", "2 f, decorated; 5 g"},
		{"the last of a name", "def f(): pass\nasync def f(a): pass\n", "hidden; 2 f a, async"},
		{"type parameters", "def f[T: (int, str)](a: T) -> T: pass\n", "1 f a:T"},
		{"letters of other alphabets", "def größe(ä): pass\n", "1 größe ä"},
		{"byte order mark and CRLF", "\ufeffdef f():\r\n    return 1\r\n", "1 f"},
		{"broken", "def (:\ndef f(:\ndef g(): pass\n", ""},
		{"an open string", "x = 'abc\ndef f(): pass\n", "2 f"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range Functions([]byte(tt.src)) {
				got = append(got, show(f))
			}
			if s := strings.Join(got, "; "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func FuzzFunctions(f *testing.F) {
	f.Add([]byte("@d\nasync def f(a: int = (1), *b, c, **d):\n  '''x\n'''\n  yield\n"))
	f.Add([]byte("x = rb'\\\n' \\\r\n(]{\ndef f[T](/):"))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, fn := range Functions(src) {
			if fn.Line < 1 || fn.Line > 1+strings.Count(string(src), "\n") {
				t.Errorf("%q: a function in line %d", src, fn.Line)
			}
			fn.Input()
		}
	})
}
