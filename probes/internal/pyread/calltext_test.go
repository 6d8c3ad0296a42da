package pyread

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCallText(t *testing.T) {
	tests := []struct{ src, want string }{
		{"time.sleep(0.1)", "time.sleep"},
		{"f()", "f"},
		{"f(a)(b)", "f()"},
		{"session.get(url, auth=('me', 'secret')).json()", "session.get().json"},
		{`", ".join(names)`, `"".join`},
		{"a[i].b(c)", "a[].b"},
		{"(\n  a or b\n)(x)", "()"},
		{"obj\\\n  .method(\n  1, # a ) comment\n  2)", "obj.method"},
		{`f("""a"b)""")`, "f"},
		{"größe(1)", "größe"},
		{"a + f(1)", ""},
		{"x", ""},
		{"(1, 2)", ""},
		{"f(", ""},
		{"f)", ""},
		{`f("`, ""},
		{"with open(p) as f:\n    f.read()", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got, ok := callText(tt.src)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("callText(%q) = %q, %v, want %q", tt.src, got, ok, tt.want)
		}
	}
}

func TestSourceText(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.py")
	if err := os.WriteFile(name, []byte("x = f(1)\ny = g(\n  2)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := sources{}
	for _, tt := range []struct {
		span span
		want string
	}{
		{span{line: 1, endLine: 1, col: 4, endCol: 8}, "f(1)"},
		{span{line: 2, endLine: 3, col: 4, endCol: 4}, "g(\n  2)"},
		{span{line: 1, endLine: 1, col: 4, endCol: 80}, ""},
		{span{line: 1, endLine: 1, col: 8, endCol: 4}, ""},
		{span{line: 3, endLine: 2, col: 0, endCol: 1}, ""},
		{span{line: 9, endLine: 9, col: 0, endCol: 1}, ""},
		{span{line: 1, endLine: 1, col: -1, endCol: -1}, ""},
		{span{}, ""},
	} {
		if got := s.text(name, tt.span); got != tt.want {
			t.Errorf("text at %+v = %q, want %q", tt.span, got, tt.want)
		}
	}
	for _, bad := range []string{"<string>", "a.py", "/dev/zero", t.TempDir(), ""} {
		if got := s.text(bad, span{line: 1, endLine: 1, col: 0, endCol: 1}); got != "" {
			t.Errorf("text of %q = %q", bad, got)
		}
	}
}

func FuzzCallText(f *testing.F) {
	f.Add(`a.b("c", d[1]).e(f)`)
	f.Fuzz(func(t *testing.T, src string) {
		if text, ok := callText(src); len(text) > maxCallText+3*maxCallText || ok != (text != "") {
			t.Errorf("callText(%q) = %q, %v", src, text, ok)
		}
	})
}
