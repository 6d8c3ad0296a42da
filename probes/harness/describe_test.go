package harness

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDescribe(t *testing.T) {
	type point struct {
		X    int
		Name string
	}
	long := strings.Repeat("é", 100)
	for _, tt := range []struct {
		name string
		out  any
		err  error
		want string
	}{
		{"nothing", nil, nil, ""},
		{"error", 1, errors.New("no\x1b[31m such\nhost"), "error: no [31m such host"},
		{"text", "hello", nil, `"hello"`},
		{"empty text", "", nil, `""`},
		{"line", "hello\n", nil, `"hello"`},
		{"lines", "hello\r\nworld\n", nil, `"hello"…`},
		{"long line", long, nil, `"` + strings.Repeat("é", 80) + `"…`},
		{"control characters", "a\x1bb", nil, `"a\x1bb"`},
		{"no bytes", []byte{}, nil, "0 bytes"},
		{"a byte", []byte("x"), nil, `1 byte, "x"`},
		{"bytes of text", []byte("one\ntwo"), nil, `7 bytes, "one"…`},
		{"many bytes of text", []byte("a" + strings.Repeat(long, 10)), nil, `2001 bytes, "a` + strings.Repeat("é", 79) + `"…`},
		{"bytes", []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3}, nil, "10 bytes, hex 1f 8b 08 00 00 00 00 00…"},
		{"few bytes", []byte{0xff}, nil, "1 byte, hex ff"},
		{"UTF-8 with NUL", []byte("a\x00"), nil, "2 bytes, hex 61 00"},
		{"long answer", longAnswer{Size: 3 << 20, head: "concprof\nconcprof"}, nil, `3145728 bytes, "concprof"…`},
		{"number", 42, nil, "42"},
		{"struct", point{1, "a\nb"}, nil, "{X:1 Name:a b}"},
		{"pointer", &point{1, "a"}, nil, "&{X:1 Name:a}"},
		{"no pointer", (*point)(nil), nil, "<nil>"},
		{"slice", []int{1, 2}, nil, "[1 2]"},
		{"long slice", make([]int, 1e6), nil, "[]int of 1000000 elements"},
		{"map", map[string]int{"a": 1}, nil, "map[a:1]"},
		{"large map", map[string]string{"a": strings.Repeat("x", 1000)}, nil, "map[string]string of 1 elements"},
		{"large struct", struct{ B []byte }{make([]byte, 1e6)}, nil, "a large struct { B []uint8 }"},
		{"values within", []any{nil, point{}, error(nil)}, nil, "[<nil> {X:0 Name:} <nil>]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := describe(tt.out, tt.err); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add([]byte("text\nmore"))
	f.Add([]byte{0xe2, 0x82})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, out := range []any{data, string(data), struct{ S string }{string(data)}} {
			s := describe(out, nil)
			if len(s) > describedBytes || strings.ContainsAny(s, "\n\x1b") || utf8.Valid(data) && !utf8.ValidString(s) {
				t.Errorf("%q is described as %q", data, s)
			}
		}
		if s := describe(nil, errors.New(string(data))); len(s) > describedBytes {
			t.Errorf("%d bytes", len(s))
		}
	})
}

// TestDryResult holds that what an op got is shown, and the op's number, which
// steps without a result pass on, is not.
func TestDryResult(t *testing.T) {
	sleep := Step{Name: "s", Kind: KindSleep, ForNs: 1000}
	printf := Step{Name: "e", Kind: KindExec, Argv: []string{"printf", "body"}}
	for _, tt := range []struct {
		name  string
		steps []Step
		want  string
	}{
		{"sleep", []Step{sleep}, ""},
		{"sleep, lock", []Step{sleep, {Name: "l", Kind: KindLock, Work: lockSleep, ForNs: 1}}, ""},
		{"command", []Step{printf}, `4 bytes, "body"`},
		{"command, sleep", []Step{printf, sleep}, `4 bytes, "body"`},
		{"sleep, function", []Step{sleep, goSpec("square").Steps[0]}, "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := probe(t, Spec{Mode: ModeDry, Model: "sequential", Concurrency: 1, Steps: tt.steps}).record(t)
			if r.Dry == nil || r.Dry.Result != tt.want {
				t.Errorf("dry %+v, want %s", r.Dry, tt.want)
			}
		})
	}
}
