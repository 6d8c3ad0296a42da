package harness

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// A stepFunc runs one step of an op. op is the op's number; in is the op's
// input (a string for a line of a file, otherwise the number as an int64) for
// the first step, and what the step before returned for every other.
type stepFunc func(ctx context.Context, op int64, in any) (out any, err error)

// supportedShapes is what an error about an unsupported function ends with.
const supportedShapes = "want func([context.Context] [, input]) [result] [, error], where the input is a string, " +
	"[]byte, number, bool, a type that JSON decodes to, or what the step before returns; " +
	"any other function can be wrapped: func: 'func() error { ... }'"

var (
	contextType = reflect.TypeOf((*context.Context)(nil)).Elem()
	errorType   = reflect.TypeOf((*error)(nil)).Elem()
)

// A Lazy is a function that is evaluated once, when a trial needs it: a
// generated main package registers all functions of a workload file, and the
// expression of one may open what only its own workload has.
type Lazy struct {
	once     sync.Once
	evaluate func() any
	value    any
	panicked any
}

// Later returns the function that evaluate will return.
func Later(evaluate func() any) *Lazy { return &Lazy{evaluate: evaluate} }

// get returns the function.
func (l *Lazy) get(key string) (any, error) {
	l.once.Do(func() {
		defer func() { l.panicked = recover() }()
		l.value = l.evaluate()
	})
	if l.panicked != nil {
		return nil, fmt.Errorf("evaluating %s panicked: %v", key, l.panicked)
	}
	return l.value, nil
}

// brief returns the first line of a key that says anything: errors name a
// function by it, and an expression may have many lines.
func brief(key string) string {
	text := strings.TrimSpace(key)
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return strings.TrimSpace(text[:i]) + " …"
	}
	return text
}

// adapt turns fn, a function of the user's, into a stepFunc. The common
// shapes are called directly; the others through reflection, which costs
// some hundred nanoseconds an op. An error says why fn cannot be an op.
//
// What the stepFunc returns as its error is the user's failure, unless it is
// an *inputError: that one says that the input does not fit the function, a
// fault of the workload and not of an op.
func adapt(key string, fn any) (stepFunc, error) {
	key = brief(key)
	s, err := parseShape(key, fn)
	if err != nil {
		return nil, err
	}
	fn = s.fn.Interface()
	if f := direct(fn); f != nil {
		return f, nil
	}
	for _, fast := range []func(string, any) stepFunc{
		directString, directBytes, directInt, directInt64,
	} {
		if f := fast(key, fn); f != nil {
			return f, nil
		}
	}
	return s.reflected(), nil
}

// adaptHook turns a setup or teardown function, which takes nothing but a
// context and returns nothing but an error, into one shape.
func adaptHook(key string, fn any) (func(context.Context) error, error) {
	key = brief(key)
	s, err := parseShape(key, fn)
	if err != nil {
		return nil, err
	}
	if s.in != nil || s.hasOut {
		return nil, fmt.Errorf("%s is %s: a setup or teardown function must be func([context.Context]) [error]", key, s.fn.Type())
	}
	f := direct(s.fn.Interface())
	if f == nil {
		f = s.reflected()
	}
	return func(ctx context.Context) error {
		_, err := f(ctx, 0, nil)
		return err
	}, nil
}

// takesInput reports whether fn, which adapt accepts, looks at its input.
func takesInput(key string, fn any) bool {
	s, err := parseShape(key, fn)
	return err != nil || s.in != nil
}

// A shape is what parseShape found out about a function.
type shape struct {
	key    string
	fn     reflect.Value // of an unnamed function type
	ctx    bool          // the first parameter is a context
	in     reflect.Type  // the input's, nil if fn takes none
	hasOut bool
	hasErr bool
}

// parseShape checks that fn can be an op.
func parseShape(key string, fn any) (*shape, error) {
	if l, ok := fn.(*Lazy); ok {
		var err error
		if fn, err = l.get(key); err != nil {
			return nil, err
		}
	}
	v := reflect.ValueOf(fn)
	if !v.IsValid() || v.Kind() != reflect.Func {
		return nil, fmt.Errorf("%s is %s, not a function: %s", key, typeName(fn), supportedShapes)
	}
	t := v.Type()
	refuse := func(why string) (*shape, error) {
		return nil, fmt.Errorf("%s is %s: %s; %s", key, t, why, supportedShapes)
	}
	switch {
	case v.IsNil():
		return nil, fmt.Errorf("%s is a nil %s", key, t)
	case t.IsVariadic():
		return refuse("an op cannot be variadic")
	}

	s := &shape{key: key, fn: unnamed(v)}
	params := t.NumIn()
	if params > 0 && t.In(0) == contextType {
		s.ctx = true
		params--
	}
	if params > 1 {
		return refuse("an op takes at most one input")
	}
	if params == 1 {
		s.in = t.In(t.NumIn() - 1)
		switch s.in.Kind() {
		case reflect.Chan, reflect.Func, reflect.UnsafePointer:
			return refuse(fmt.Sprintf("an input cannot be %s", s.in))
		}
	}

	results := t.NumOut()
	if results > 0 && isError(t.Out(results-1)) {
		s.hasErr = true
		results--
	}
	if results > 1 {
		return refuse("an op returns at most one result and an error")
	}
	if results == 1 {
		s.hasOut = true
		switch out := t.Out(0); out.Kind() {
		case reflect.Func, reflect.Chan:
			return refuse(fmt.Sprintf("it returns %s before the work behind it is done, so there would be nothing to measure: "+
				"wrap it in a function that drains it", out))
		}
	}
	return s, nil
}

// isError reports whether a last result of type t says if the op failed:
// error itself, and other types that are nil for success.
func isError(t reflect.Type) bool {
	return t.Implements(errorType) && (t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer)
}

// unnamed strips the name of a function's type, so that a type switch
// recognises its shape.
func unnamed(v reflect.Value) reflect.Value {
	t := v.Type()
	if t.Name() == "" {
		return v
	}
	var in, out []reflect.Type
	for i := 0; i < t.NumIn(); i++ {
		in = append(in, t.In(i))
	}
	for i := 0; i < t.NumOut(); i++ {
		out = append(out, t.Out(i))
	}
	return v.Convert(reflect.FuncOf(in, out, false))
}

// reflected calls functions of any supported shape.
func (s *shape) reflected() stepFunc {
	return func(ctx context.Context, _ int64, in any) (any, error) {
		args := make([]reflect.Value, 0, 2)
		if s.ctx {
			args = append(args, reflect.ValueOf(ctx))
		}
		if s.in != nil {
			arg, err := convert(s.key, in, s.in)
			if err != nil {
				return nil, err
			}
			args = append(args, arg)
		}
		results := s.fn.Call(args)
		var out any
		if s.hasOut {
			out = results[0].Interface()
		}
		if s.hasErr {
			if last := results[len(results)-1]; !last.IsNil() {
				return out, last.Interface().(error)
			}
		}
		return out, nil
	}
}

// typeName is the type of v as Go code names it.
func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	return reflect.TypeOf(v).String()
}
