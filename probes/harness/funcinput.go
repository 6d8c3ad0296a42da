package harness

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// An inputError says that what an op was given does not fit the function
// that takes it. It is a fault of the workload, so it ends the trial as
// setup-failed instead of counting as a failed op.
type inputError struct {
	Func  string       // key of the function
	Want  reflect.Type // of its parameter
	Given any
	Err   error // why the text could not be decoded, or nil
}

func (e *inputError) Error() string {
	s := fmt.Sprintf("%s takes %s, but is given %s", e.Func, e.Want, given(e.Given))
	switch e.Given.(type) {
	case int64:
		if e.Err == nil {
			s += ": name a file of inputs, a line for every op"
		}
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *inputError) Unwrap() error { return e.Err }

// given shows an input in an error, shortened.
func given(v any) string {
	const limit = 60 // bytes of a line that are shown
	switch v := v.(type) {
	case nil:
		return "nothing by the step before"
	case string:
		if len(v) > limit {
			return fmt.Sprintf("the text %.60q...", v)
		}
		return fmt.Sprintf("the text %q", v)
	case int64:
		return fmt.Sprintf("the op's number %d", v)
	case longAnswer:
		return v.tooLong()
	}
	return "a value of type " + typeName(v)
}

// stringInput gets a string out of an input.
func stringInput(key string) func(any) (string, error) {
	return func(in any) (string, error) {
		if s, ok := in.(string); ok {
			return s, nil
		}
		return converted[string](key, in)
	}
}

// bytesInput gets bytes out of an input; they are the op's own to change if
// the input was a line.
func bytesInput(key string) func(any) ([]byte, error) {
	return func(in any) ([]byte, error) {
		switch v := in.(type) {
		case []byte:
			return v, nil
		case string:
			return []byte(v), nil
		}
		return converted[[]byte](key, in)
	}
}

// intInput gets an int out of an input.
func intInput(key string) func(any) (int, error) {
	return func(in any) (int, error) {
		switch v := in.(type) {
		case int:
			return v, nil
		case int64:
			if int64(int(v)) == v {
				return int(v), nil
			}
		}
		return converted[int](key, in)
	}
}

// int64Input gets an int64 out of an input.
func int64Input(key string) func(any) (int64, error) {
	return func(in any) (int64, error) {
		if v, ok := in.(int64); ok {
			return v, nil
		}
		return converted[int64](key, in)
	}
}

func converted[T any](key string, in any) (T, error) {
	var zero T
	v, err := convert(key, in, reflect.TypeOf(zero))
	if err != nil {
		return zero, err
	}
	return v.Interface().(T), nil
}

// convert makes a want of an input: the value itself if it can be assigned;
// a number of another size if it is in range; or what its text says.
func convert(key string, in any, want reflect.Type) (reflect.Value, error) {
	fault := func(err error) (reflect.Value, error) {
		return reflect.Value{}, &inputError{Func: key, Want: want, Given: in, Err: err}
	}
	if in == nil {
		switch want.Kind() {
		case reflect.Interface, reflect.Pointer, reflect.Map, reflect.Slice:
			return reflect.Zero(want), nil
		}
		return fault(nil)
	}
	v := reflect.ValueOf(in)
	if v.Type().AssignableTo(want) {
		if v.Type() != want && want.Kind() != reflect.Interface {
			v = v.Convert(want)
		}
		return v, nil
	}
	switch {
	case isNumber(v.Kind()) && isNumber(want.Kind()):
		n, err := number(v, want)
		if err != nil {
			return fault(err)
		}
		return n, nil
	case v.Kind() == reflect.String:
		out, err := decode(v.String(), want)
		if err != nil {
			return fault(err)
		}
		return out, nil
	case v.Type() == reflect.TypeOf([]byte(nil)):
		out, err := decode(string(v.Bytes()), want)
		if err != nil {
			return fault(err)
		}
		return out, nil
	}
	return fault(nil)
}

// isNumber reports whether k is an integer or floating-point kind.
func isNumber(k reflect.Kind) bool {
	return reflect.Int <= k && k <= reflect.Float64 && k != reflect.Uintptr
}

// number converts between kinds of number and refuses to change the value.
func number(v reflect.Value, want reflect.Type) (reflect.Value, error) {
	out := v.Convert(want)
	back := out.Convert(v.Type())
	negative := func(v reflect.Value) bool {
		return v.CanInt() && v.Int() < 0 || v.CanFloat() && v.Float() < 0
	}
	if !back.Equal(v) || negative(out) != negative(v) {
		return reflect.Value{}, fmt.Errorf("%v does not fit", v)
	}
	return out, nil
}

// decode reads a value of type want from text: as the type's own
// UnmarshalText does, as Go writes strings and numbers, or as JSON.
func decode(text string, want reflect.Type) (reflect.Value, error) {
	out := reflect.New(want)
	if u, ok := out.Interface().(encoding.TextUnmarshaler); ok {
		return out.Elem(), u.UnmarshalText([]byte(text))
	}
	v := out.Elem()
	switch k := want.Kind(); {
	case k == reflect.String:
		v.SetString(text)
	case k == reflect.Slice && want.Elem().Kind() == reflect.Uint8:
		v.SetBytes([]byte(text))
	case k == reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return v, err
		}
		v.SetBool(b)
	case v.CanInt():
		n, err := strconv.ParseInt(text, 0, want.Bits())
		if err != nil {
			return v, err
		}
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(text, 0, want.Bits())
		if err != nil {
			return v, err
		}
		v.SetUint(n)
	case v.CanFloat():
		f, err := strconv.ParseFloat(text, want.Bits())
		if err != nil {
			return v, err
		}
		v.SetFloat(f)
	default:
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		if err := d.Decode(out.Interface()); err != nil {
			return v, fmt.Errorf("not JSON for it: %w", err)
		}
		if d.More() {
			return v, fmt.Errorf("more than one JSON value")
		}
	}
	return v, nil
}
