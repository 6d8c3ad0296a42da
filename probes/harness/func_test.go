package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

type point struct{ X, Y int }

type handler func(context.Context, string) (string, error)

type host string

type codeError struct{ code int }

func (e *codeError) Error() string { return fmt.Sprint("code ", e.code) }

var errOp = errors.New("op failed")

//lint:ignore ST1008 it is here to be refused
func errorFirst() (error, int) { return nil, 0 }

func TestAdapt(t *testing.T) {
	ctx := context.WithValue(context.Background(), ctxKey{}, "v")
	seen := 0
	tests := []struct {
		name    string
		fn      any
		in      any
		out     any
		err     error
		noInput bool // an *inputError is expected
	}{
		{name: "nothing", fn: func() { seen++ }, in: int64(3)},
		{name: "error", fn: func() error { return errOp }, in: int64(3), err: errOp},
		{name: "context", fn: func(c context.Context) error { return want(c.Value(ctxKey{}) == "v") }},
		{name: "number as int", fn: func(_ context.Context, n int) (int, error) { return n, nil }, in: int64(3), out: 3},
		{name: "number as int64", fn: func(n int64) error { return want(n == 3) }, in: int64(3)},
		{name: "number as uint8", fn: func(n uint8) uint8 { return n }, in: int64(3), out: uint8(3)},
		{name: "number out of range", fn: func(n uint8) uint8 { return n }, in: int64(300), noInput: true},
		{name: "negative number as unsigned", fn: func(n uint64) uint64 { return n }, in: int64(-1), noInput: true},
		{name: "number as float", fn: func(n float64) float64 { return n / 2 }, in: int64(3), out: 1.5},
		{name: "number as string", fn: func(s string) string { return s }, in: int64(3), noInput: true},
		{name: "line", fn: func(s string) (string, error) { return s + "!", nil }, in: "a", out: "a!"},
		{name: "line with context", fn: func(c context.Context, s string) error { return want(c.Value(ctxKey{}) == "v" && s == "a") }, in: "a"},
		{name: "line as bytes", fn: func(b []byte) string { return string(b) }, in: "a", out: "a"},
		{name: "line as named string", fn: func(h host) host { return h }, in: "a", out: host("a")},
		{name: "line as number", fn: func(n int) int { return n }, in: "42", out: 42},
		{name: "line as no number", fn: func(n int) int { return n }, in: "x", noInput: true},
		{name: "line as bool", fn: func(b bool) bool { return !b }, in: "true", out: false},
		{name: "line as float", fn: func(f float32) float32 { return f }, in: "0.5", out: float32(0.5)},
		{name: "line as JSON", fn: func(p point) int { return p.X + p.Y }, in: `{"X":1,"Y":2}`, out: 3},
		{name: "line as pointer", fn: func(p *point) int { return p.X + p.Y }, in: `{"X":1,"Y":2}`, out: 3},
		{name: "line as list", fn: func(p []int) int { return len(p) }, in: `[1,2,3]`, out: 3},
		{name: "line as bad JSON", fn: func(p point) int { return p.X }, in: `{`, noInput: true},
		{name: "line as two JSON values", fn: func(p point) int { return p.X }, in: `{} {}`, noInput: true},
		{name: "line as text", fn: func(a netip.Addr) bool { return a.Is4() }, in: "127.0.0.1", out: true},
		{name: "line as time", fn: func(a time.Time) int { return a.Year() }, in: "2024-01-02T03:04:05Z", out: 2024},
		{name: "anything", fn: func(v any) any { return v }, in: "a", out: "a"},
		{name: "value of the step before", fn: func(p *point) int { return p.X }, in: &point{X: 1}, out: 1},
		{name: "interface of the step before", fn: func(e error) error { return e }, in: error(errOp), err: errOp},
		{name: "wrong value of the step before", fn: func(p *point) int { return p.X }, in: point{X: 1}, noInput: true},
		{name: "nil of the step before", fn: func(p *point) bool { return p == nil }, in: nil, out: true},
		{name: "nothing of the step before", fn: func(p point) bool { return true }, in: nil, noInput: true},
		{name: "named function", fn: handler(func(_ context.Context, s string) (string, error) { return s, nil }), in: "a", out: "a"},
		{name: "result and error", fn: func(string) (*point, error) { return nil, errOp }, in: "a", out: (*point)(nil), err: errOp},
		{name: "own error type", fn: func() *codeError { return nil }},
		{name: "array", fn: func(a [2]int) int { return a[1] }, in: "[1,2]", out: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := adapt("p.F", tt.fn)
			if err != nil {
				t.Fatal(err)
			}
			out, err := f(ctx, 3, tt.in)
			var input *inputError
			if errors.As(err, &input) != tt.noInput {
				t.Fatalf("error is %v; want an input error: %v", err, tt.noInput)
			}
			if tt.noInput {
				if !strings.Contains(err.Error(), "p.F takes ") {
					t.Errorf("error does not name the function: %v", err)
				}
				return
			}
			if out != tt.out || err != tt.err {
				t.Errorf("got %#v, %v; want %#v, %v", out, err, tt.out, tt.err)
			}
		})
	}
	if seen != 1 {
		t.Errorf("func() ran %d times", seen)
	}
}

type ctxKey struct{}

func want(ok bool) error {
	if !ok {
		return errors.New("unexpected argument")
	}
	return nil
}

func TestAdaptRefuses(t *testing.T) {
	tests := []struct {
		name string
		fn   any
		want string
	}{
		{"nil", nil, "p.F is nil, not a function"},
		{"no function", 3, "p.F is int, not a function"},
		{"nil function", (func())(nil), "p.F is a nil func()"},
		{"variadic", func(...string) {}, "cannot be variadic"},
		{"two inputs", func(a, b string) {}, "at most one input"},
		{"context second", func(a string, c context.Context) {}, "at most one input"},
		{"two results", func() (int, int) { return 0, 0 }, "at most one result"},
		{"error first", errorFirst, "at most one result"},
		{"iterator", func() iter.Seq[int] { return nil }, "before the work behind it is done"},
		{"channel", func(string) (<-chan int, error) { return nil, nil }, "before the work behind it is done"},
		{"channel input", func(chan int) {}, "an input cannot be chan int"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := adapt("p.F", tt.fn)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v; want it to say %q", err, tt.want)
			}
		})
	}
}

func TestLater(t *testing.T) {
	evaluated := 0
	l := Later(func() any {
		evaluated++
		return func() int { return evaluated }
	})
	if evaluated != 0 {
		t.Error("evaluated before it was needed")
	}
	for range 2 {
		f, err := adapt("p.F", l)
		if err != nil {
			t.Fatal(err)
		}
		if out, _ := f(context.Background(), 0, nil); out != 1 {
			t.Errorf("evaluated %v times, want once", out)
		}
	}
	_, err := adapt("p.F", Later(func() any { panic("no database") }))
	if err == nil || !strings.Contains(err.Error(), "evaluating p.F panicked: no database") {
		t.Errorf("error is %v", err)
	}
}

func TestAdaptHook(t *testing.T) {
	ctx := context.Background()
	ran := 0
	for _, fn := range []any{
		func() { ran++ },
		func() error { ran++; return errOp },
		func(context.Context) { ran++ },
		func(context.Context) error { ran++; return errOp },
	} {
		f, err := adaptHook("p.Setup", fn)
		if err != nil {
			t.Fatal(err)
		}
		f(ctx)
	}
	if ran != 4 {
		t.Errorf("%d of 4 hooks ran", ran)
	}
	for _, fn := range []any{func(string) {}, func() int { return 0 }} {
		if _, err := adaptHook("p.Setup", fn); err == nil {
			t.Errorf("%T was taken as a hook", fn)
		}
	}
}

// FuzzConvert feeds any line and number to every kind of parameter: each is
// converted or refused.
func FuzzConvert(f *testing.F) {
	wants := []any{
		"", host(""), []byte{}, 0, int8(0), uint16(0), uint64(0), 0.5, float32(0), false, point{}, &point{}, []point{},
		map[string]int{}, [2]int{}, time.Time{}, netip.Addr{}, new(any), json.RawMessage{}, json.Number(""),
	}
	f.Add("1", int64(1))
	f.Add(`{"X": 1}`, int64(-1))
	f.Add(`[[[`, int64(1<<62))
	f.Fuzz(func(t *testing.T, line string, number int64) {
		for _, w := range wants {
			want := reflect.TypeOf(w)
			for _, in := range []any{line, []byte(line), number, float64(number), nil} {
				v, err := convert("p.F", in, want)
				if err == nil && v.Type() != want {
					t.Errorf("%T as %v is a %v", in, want, v.Type())
				}
				var input *inputError
				if err != nil && !errors.As(err, &input) {
					t.Errorf("error is %T %v", err, err)
				}
				if err == nil {
					h1, _ := hashResult(1, v.Interface(), nil)
					if h2, _ := hashResult(1, v.Interface(), nil); h1 != h2 {
						t.Errorf("%v hashes as %x and %x", v, h1, h2)
					}
				}
			}
		}
	})
}

func BenchmarkAdapt(b *testing.B) {
	ctx := context.Background()
	for _, bb := range []struct {
		name string
		fn   any
		in   any
	}{
		{"nothing", func() {}, int64(1)},
		{"error", func() error { return nil }, int64(1)},
		{"context", func(context.Context) error { return nil }, int64(1)},
		{"int", func(context.Context, int) error { return nil }, int64(1)},
		{"string", func(string) error { return nil }, "line"},
		{"reflected", func(*point) error { return nil }, &point{}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			f, err := adapt("p.F", bb.fn)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				if _, err := f(ctx, int64(i), bb.in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
